"""The shop that targets load: all of the sandbox, and rows that are hard to load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.sandbox import Shop
from tests.sandbox.rows.account import settings
from tests.sandbox.rows.people import SUBDOMAIN
from tests.sandbox.views import collection_of, row_filter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.collection import Collection

Key = tuple[object, ...]

LONG_TEXT = (
    "🧡 " + "x" * 1_018 + "\n,\"'"
) * 1_024  # slightly more than a million bytes
EMOJI_TEXT = 'Größe 38 → 40? 👩🏽‍🚒 "now", \\N and a\ttab'
INVALID_TEXT = "NUL \0, half of a pair \ud83d, 🎧"
CLEANED_TEXT = "NUL , half of a pair , 🎧"
WHOLE_SECOND = "2026-07-01T12:00:00+00:00"
FRACTION = "2026-07-01T12:00:00.123456+00:00"

_SAME_ROWS = {
    "customer_details": "customers",
    "ticket_details": "tickets",
    "ticket_messages": "messages",
}


@dataclass(frozen=True)
class Planted:
    """Ids of the rows that are hard to load or that change."""

    long_message: int
    ticket: int
    broken_ticket: int
    later_ticket: int


def planted_shop(tickets: int = 120) -> tuple[Shop, Planted]:
    """Create a small shop with rows that targets may fail to load."""
    shop = Shop(seed=8, tickets=tickets, customers=130, events=150, voice_calls=20)
    message = shop.messages.ids()[7]
    ticket, broken, *_, later = shop.tickets.ids()
    shop.messages.update(
        message,
        body_text=LONG_TEXT,
        sent_datetime=WHOLE_SECOND,
        opened_datetime=FRACTION,
        failed_datetime=None,
    )
    shop.tickets.update(ticket, subject=EMOJI_TEXT, touch=False)
    shop.tickets.update(broken, subject=INVALID_TEXT, touch=False)
    return shop, Planted(message, ticket, broken, later)


def change(shop: Shop, planted: Planted) -> None:
    """Change a ticket and add a message to another, an hour later."""
    shop.advance(3_600)
    shop.tickets.update(planted.later_ticket, status="closed", subject="Changed 🎈")
    shop.messages.create(planted.ticket)


def keys(shop: Shop, stream: str) -> set[Key]:
    """Return the keys of all rows that a stream should read."""
    if stream == "account":
        return {(SUBDOMAIN,)}
    if stream == "account_settings":
        return {(row["id"],) for row in settings()}
    if stream == "deletions":
        rows = shop.events.rows()
        suffixes = ("-deleted", "-merged")
        return {(row["id"],) for row in rows if row["type"].endswith(suffixes)}
    if stream == "view_items":
        return set(_items(shop))
    collection: Collection = getattr(shop, _SAME_ROWS.get(stream, stream))
    return {(row_id,) for row_id in collection.ids()}


def _items(shop: Shop) -> Iterator[Key]:
    for view in shop.views.rows():
        if not view["deactivated_datetime"]:
            keep, ids = row_filter(view)
            collection = collection_of(shop, view)
            for row_id in collection.ids() if ids is None else ids:
                if row_id in collection and (not keep or keep(collection.row(row_id))):
                    yield (view["id"], row_id)
