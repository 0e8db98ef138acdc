"""The table of endpoints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.sandbox.filters import (
    Filter,
    choice,
    customer_is,
    equals,
    one_of,
    set_as,
    set_unless_false,
)
from tests.sandbox.rows.account import account, settings
from tests.sandbox.rows.people import customer_detail
from tests.sandbox.rows.tickets import ticket_detail

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.sandbox.collection import Row
    from tests.sandbox.shop import Shop


def _as_listed(_: Shop, row: Row) -> Row:
    """Show one row just as in the list."""
    return row


@dataclass(frozen=True)
class Listing:
    """`GET /api/<path>`: pages of a collection; `GET /api/<path>/<id>`: one row."""

    collection: str  # the attribute of the shop
    orders: tuple[str, ...]  # the default first
    filters: Mapping[str, Filter] = field(default_factory=dict)
    created_range: bool = False  # created_datetime[gt] and so on
    total_resources: bool = False  # a null in the meta object
    detail: Callable[[Shop, Row], Row] = _as_listed
    default_limit: int = 30
    most: int = 100  # rows on a page
    relationships: bool = False  # whether a detail may ask for custom_fields


@dataclass(frozen=True)
class Document:
    """`GET /api/<path>`: one object, without pages."""

    show: Callable[[Shop], Any]
    filters: Mapping[str, Filter] = field(default_factory=dict)


def both(*fields: str) -> tuple[str, ...]:
    """Return the orders by fields, newest first before oldest first."""
    return tuple(f"{name}:{way}" for name in fields for way in ("desc", "asc"))


_CREATED = both("created_datetime")
_EVENT_OBJECTS = (
    "Account",
    "Macro",
    "Tag",
    "Customer",
    "Team",
    "View",
    "Widget",
    "User",
    "TicketMessage",
    "Ticket",
    "Rule",
    "Integration",
    "SatisfactionSurvey",
)

ENDPOINTS: Mapping[str, Listing | Document] = {
    "account": Document(account),
    "account/settings": Document(
        lambda _: {"data": settings()}, {"type": equals("type", str)}
    ),
    "customers": Listing(
        "customers",
        both("created_datetime", "updated_datetime"),
        {"email": equals("email", str), "external_id": equals("external_id", str)},
        detail=lambda _, row: customer_detail(row),
        relationships=True,
    ),
    "custom-fields": Listing(
        "custom_fields",
        both("priority"),
        {
            "object_type": equals(
                "object_type", choice("Ticket", "Customer"), required=True
            ),
            "archived": set_as("deactivated_datetime"),
        },
        total_resources=True,
    ),
    "events": Listing(
        "events",
        _CREATED,
        {
            "object_id": equals("object_id"),
            "object_type": equals(
                "object_type", choice(*_EVENT_OBJECTS), needs="object_id"
            ),
            "types": one_of("type", str),
            "user_ids": one_of("user_id"),
        },
        created_range=True,
    ),
    "integrations": Listing(
        "integrations", _CREATED, {"type": equals("type", choice("http"))}
    ),
    "jobs": Listing(
        "jobs", _CREATED, {"status": equals("status", str), "type": equals("type", str)}
    ),
    "macros": Listing(
        "macros",
        both("created_datetime", "updated_datetime", "name", "usage", "language"),
        {
            "archived": set_as("archived_datetime", "false"),
            "languages": one_of("language", str),
        },
    ),
    "messages": Listing(
        "messages",
        _CREATED,
        {
            "ticket_id": equals(
                "ticket_id",
                ids=lambda shop, values: shop.messages.of_ticket(values[0]),
            )
        },
    ),
    "rules": Listing("rules", _CREATED),
    "satisfaction-surveys": Listing(
        "satisfaction_surveys",
        _CREATED,
        {
            "ticket_id": equals(
                "ticket_id",
                ids=lambda shop, values: shop.satisfaction_surveys.of_ticket(values[0]),
            )
        },
    ),
    "tags": Listing("tags", (*_CREATED, *both("name"))),
    "teams": Listing("teams", (*_CREATED, *both("name"))),
    "tickets": Listing(
        "tickets",
        both("created_datetime", "updated_datetime"),
        {
            "customer_id": customer_is(),
            "external_id": equals("external_id", str),
            "ticket_ids": Filter(
                int,
                lambda row, values: row["id"] in values,
                ids=lambda _, values: set(values),
                most=100,
            ),
            "trashed": set_unless_false("trashed_datetime"),
        },
        total_resources=True,
        detail=ticket_detail,
        relationships=True,
    ),
    "users": Listing(
        "users",
        ("name:asc", "name:desc", *both("created_datetime", "email", "role.name")),
        {"email": equals("email", str), "external_id": equals("external_id", str)},
        total_resources=True,
    ),
    "views": Listing("views", _CREATED),
    "widgets": Listing(
        "widgets",
        both("created_datetime", "order"),
        {"integration_id": equals("integration_id"), "app_id": equals("app_id", str)},
    ),
}
