"""Customers, users and teams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.dice import Dice
from tests.sandbox.rows.phrases import FIRST_NAMES, LANGUAGES, LAST_NAMES, TIMEZONES
from tests.sandbox.times import iso

if TYPE_CHECKING:
    from tests.sandbox.collection import Row
    from tests.sandbox.shop import Shop

SUBDOMAIN = "acme"

_ROLES = ("agent", "basic-agent", "lite-agent", "observer-agent", "agent")
_STUB = ("id", "email", "name", "firstname", "lastname", "meta")
_STORE = "7b0c4a86-2f5e-4d3c-9a41-0c8b5f1d2e63"
_TEAMS = ("Returns", "VIP", "Wholesale", "Évènements", "Night shift")


def customer(shop: Shop, row_id: int, created: int, updated: int) -> Row:
    """Generate a customer as listed."""
    dice = Dice(shop.seed, "customer", row_id)
    first, last = dice.pick(FIRST_NAMES), dice.pick(LAST_NAMES)
    if dice.chance(5):
        last = ""
    return {
        "id": row_id,
        "external_id": dice.maybe(30, f"shop-{row_id}"),
        "active": not dice.chance(2),
        "email": dice.maybe(92, f"customer.{row_id}@example.com"),
        "name": dice.maybe(97, f"{first} {last}".rstrip()),
        "firstname": first,
        "lastname": last,
        "language": dice.pick(LANGUAGES),
        "timezone": dice.pick(TIMEZONES),
        "created_datetime": iso(created),
        "updated_datetime": iso(updated),
        "meta": dice.maybe(50, {"name_set_via": "agent"}),
        "data": None,
        "note": dice.maybe(10, "Prefers to be called.\nPays late 🐢"),
        "custom_fields": _customer_fields(dice),
    }


def _customer_fields(dice: Dice) -> Row:
    """Generate custom-field values, keyed by the field's id."""
    if not dice.chance(20):
        return {}
    return {"319846": {"id": 319846, "value": dice.pick(("gold", "silver", "new"))}}


def customer_detail(row: Row) -> Row:
    """Return a single customer with the fields that lists omit."""
    dice = Dice("customer detail", row["id"])
    channels = [_channel(row, 0, "email", row["email"])] if row["email"] else []
    if dice.chance(30):
        channels.append(_channel(row, 1, "phone", "+33612345678"))
    order = {"id": 5_012_345_678_901, "line_items": [{"title": "Lamp 💡"}]}
    store = {"__integration_type__": "shopify", "orders": [order]}
    loyalty = {"__app_name__": "Loyalty", "points": 120}
    goods = {"store_type": "shopify", "shopper": {"tags": ["VIP"]}}
    return row | {
        "channels": channels,
        "customer": None,
        "integrations": {"126640": store} if dice.chance(30) else {},
        "external_data": {"65a1c0ffee": loyalty} if dice.chance(10) else {},
        "ecommerce_data": {_STORE: goods} if dice.chance(10) else {},
    }


def _channel(row: Row, number: int, kind: str, address: str) -> Row:
    """Return a contact channel of a customer."""
    owner = {"id": row["id"], "name": row["name"]}
    return {
        "id": row["id"] + 134_000_000 + number,
        "type": kind,
        "address": address,
        "preferred": number == 0,
        "created_datetime": row["created_datetime"],
        "updated_datetime": row["created_datetime"],
        "deleted_datetime": None,
        "user": owner,
        "customer": owner,
    }


def customer_stub(shop: Shop, row_id: int) -> Row | None:
    """Return a customer as embedded in another object."""
    row_id = shop.customers.survivor(row_id)
    if row_id not in shop.customers:
        return None
    row = shop.customers.row(row_id)
    return {name: row[name] for name in _STUB}


def user(shop: Shop, row_id: int, created: int, updated: int) -> Row:
    """Generate a user of the helpdesk; the first is its bot."""
    dice = Dice(shop.seed, "user", row_id)
    is_bot = row_id == shop.users.id_at(0)
    first, last = dice.pick(FIRST_NAMES), dice.pick(LAST_NAMES)
    if is_bot:
        first, last = "Acme", "Bot"
    leaves = dice.chance(10) and not is_bot
    return {
        "id": row_id,
        "active": not leaves,
        "bio": dice.maybe(20, "Here to help ☀️"),
        "created_datetime": iso(created),
        "country": dice.maybe(30, "FR"),
        "deactivated_datetime": iso(updated) if leaves else None,
        "email": f"agent.{row_id}@example.com",
        "external_id": dice.maybe(10, f"hr-{row_id}"),
        "firstname": first,
        "has_password": dice.chance(50),
        "has_2fa_enabled": dice.chance(50),
        "lastname": last,
        "language": dice.pick(("en", "fr", None)),
        "meta": {} if is_bot else dice.maybe(70, {"sso": "google"}),
        "name": f"{first} {last}",
        "role": {"name": "bot" if is_bot else dice.pick(_ROLES)},
        "timezone": dice.pick(TIMEZONES),
        "updated_datetime": iso(updated),
        "client_id": "65a1c0ffee" if is_bot else None,
        "uri": f"https://{SUBDOMAIN}.gorgias.com/api/users/{row_id}/",
    }


def user_stub(shop: Shop, row_id: int) -> Row | None:
    """Return a user as embedded in another object."""
    if row_id not in shop.users:
        return None
    row = shop.users.row(row_id)
    return {name: row[name] for name in _STUB}


def team(shop: Shop, row_id: int, created: int) -> Row:
    """Generate a team; the emoji of an old team is an object."""
    dice = Dice(shop.seed, "team", row_id)
    number = shop.teams.position_of(row_id) or 0
    emoji = {"id": "fire", "native": "🔥"} if number == 0 else "🌙"
    stubs = [user_stub(shop, shop.users.id_at(member)) for member in range(1, 4)]
    return {
        "id": row_id,
        "uri": f"/api/teams/{row_id}/",
        "name": f"{_TEAMS[number % len(_TEAMS)]} {number}",
        "description": dice.maybe(50, "Looks after the hard cases."),
        "decoration": {} if number == 1 else {"emoji": emoji},
        "members": [
            {name: stub[name] for name in ("id", "name", "email", "meta")}
            for stub in stubs
            if stub
        ],
        "created_datetime": iso(created),
    }
