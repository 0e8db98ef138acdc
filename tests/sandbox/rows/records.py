"""Satisfaction surveys, events and tags."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from tests.sandbox.dice import Dice
from tests.sandbox.rows.phrases import COLORS
from tests.sandbox.times import DAY, iso, iso_or_none

if TYPE_CHECKING:
    from tests.sandbox.collection import Collection, Row
    from tests.sandbox.shop import Shop

_TAG_NAMES = ("urgent", "VIP", "refund", "return/exchange", "été ☀️", "Shipping delay")
_EVENT_TYPES = (
    ("Ticket", "ticket-created"),
    ("Ticket", "ticket-assigned"),
    ("Ticket", "ticket-closed"),
    ("Ticket", "ticket-merged"),
    ("Customer", "customer-created"),
    ("Customer", "customer-updated"),
    ("Customer", "customer-merged"),
    ("TicketMessage", "ticket-message-created"),
    ("SatisfactionSurvey", "satisfaction-survey-sent"),
    ("Tag", "tag-updated"),
    ("User", "user-updated"),
)


def survey(
    shop: Shop, row_id: int, ticket_id: int, customer_id: int, created: int
) -> Row:
    """Generate a survey; its score arrives later, or never."""
    dice = Dice(shop.seed, "survey", row_id)
    due = created + 2 * 3_600_000_000 if dice.chance(70) else None
    sent = due if due and due <= shop.end else None
    scored = sent + dice.roll(5 * DAY) if sent and dice.chance(60) else None
    if scored and scored > shop.end:
        scored = None
    return {
        "id": row_id,
        "body_text": dice.pick((None, "", "Great service! 🎉", "Trop lent.")),
        "created_datetime": iso(created),
        "customer_id": shop.customers.survivor(customer_id),
        "meta": dice.maybe(10, {"source": "email"}),
        "score": 1 + dice.roll(5) if scored else None,
        "scored_datetime": iso_or_none(scored),
        "sent_datetime": iso_or_none(sent),
        "should_send_datetime": iso_or_none(due),
        "ticket_id": ticket_id,
        "uri": f"/api/satisfaction-surveys/{row_id}/",
    }


def event(shop: Shop, row_id: int, created: int) -> Row:
    """Generate an event about an object that already existed."""
    position = shop.events.position_of(row_id)
    if position is None:
        return event_row(row_id, created)
    dice = Dice(shop.seed, "event", row_id)
    object_type, event_type = dice.pick(_EVENT_TYPES)
    collection = shop.by_object_type(object_type)
    share = position / shop.sizes["events"] * 0.8
    size = int(shop.sizes[shop.name_of(object_type)] * share)
    object_id = collection.id_at(dice.roll(1 + size))
    if event_type == "ticket-created":
        object_id = shop.tickets.first_created_after(created)
    elif event_type == "ticket-merged":
        # The surviving ticket would have changed with the merge.
        object_id = collection.source_of(object_id)
    user_id = shop.users.id_at(dice.roll(max(shop.sizes["users"], 1)))
    return event_row(
        row_id,
        created,
        object_type=object_type,
        object_id=object_id,
        type=event_type,
        data=_event_data(event_type, collection, object_id, user_id),
        user_id=dice.maybe(80, user_id),
    )


def _event_data(
    event_type: str, collection: Collection, object_id: int, user_id: int
) -> Row | None:
    """Generate the data of an event, which depends on its type."""
    if event_type == "customer-merged":
        return {"source_customer_id": collection.source_of(object_id)}
    return {"assignee_user_id": user_id} if event_type == "ticket-assigned" else None


def event_row(row_id: int, created: int, **fields: object) -> Row:
    """Return the row of an event."""
    dice = Dice("context", row_id)
    row: Row = {
        "id": row_id,
        "context": str(UUID(int=dice.roll(2**128), version=4)),
        "created_datetime": iso(created),
        "data": None,
        "object_id": None,
        "object_type": "Account",
        "type": "account-updated",
        "user_id": None,
        "uri": f"/api/events/{row_id}/",
    }
    return row | fields


def tag(shop: Shop, row_id: int, created: int) -> Row:
    """Generate a tag."""
    dice = Dice(shop.seed, "tag", row_id)
    number = shop.tags.position_of(row_id)
    decoration = dice.pick((None, {}, {"color": dice.pick(COLORS)}))
    return {
        "id": row_id,
        "decoration": decoration,
        "description": dice.maybe(30, "Set by a rule."),
        "name": f"{dice.pick(_TAG_NAMES)} {row_id if number is None else number}",
        "usage": dice.roll(2_000),
        "uri": f"/api/tags/{row_id}/",
        "created_datetime": iso(created),
        "deleted_datetime": None,
    }
