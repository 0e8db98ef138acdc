"""Tickets."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.sandbox.dice import Dice
from tests.sandbox.rows.people import customer_detail, customer_stub, user_stub
from tests.sandbox.rows.phrases import CHANNELS, LANGUAGES, SENTENCES, SUBJECTS
from tests.sandbox.times import DAY, SECOND, iso, iso_or_none

if TYPE_CHECKING:
    from tests.sandbox.collection import Row
    from tests.sandbox.shop import Shop

_PRIORITIES = ("normal", "normal", "normal", "high", "low", "critical")
_LIST_ONLY = {
    "excerpt",
    "integrations",
    "messages_count",
    "last_sent_message_not_delivered",
}
_NOT_EMBEDDED = {"headers", "macros", "deleted_datetime"}


class Facts(NamedTuple):
    """The properties that a ticket shares with its messages."""

    customer_id: int
    user_id: int
    channel: str
    from_agent: bool

    @classmethod
    def of(cls, shop: Shop, ticket_id: int) -> Facts:
        """Generate the facts of a ticket."""
        dice = Dice(shop.seed, "facts", ticket_id)
        return cls(
            shop.customers.id_at(dice.roll(max(shop.sizes["customers"], 1))),
            shop.users.id_at(dice.roll(max(shop.sizes["users"], 1))),
            dice.pick(CHANNELS),
            dice.chance(8),
        )


class Course(NamedTuple):
    """The timestamps and counts of a ticket's conversation."""

    created: int
    updated: int
    messages: int = 0
    last_message: int | None = None
    last_received: int | None = None


def ticket(shop: Shop, row_id: int, course: Course) -> Row:
    """Generate a ticket as listed."""
    dice = Dice(shop.seed, "ticket", row_id)
    facts = Facts.of(shop, row_id)
    updated = course.updated
    closed = course.messages > 0 and dice.chance(60)
    tags = {dice.roll(max(shop.sizes["tags"], 1)) for _ in range(dice.roll(4))}
    return {
        "id": row_id,
        "uri": f"/api/tickets/{row_id}/",
        "external_id": dice.maybe(15, f"order-{row_id}"),
        "language": dice.pick(LANGUAGES),
        "status": "closed" if closed else "open",
        "priority": dice.pick(_PRIORITIES),
        "channel": facts.channel,
        "via": "api" if dice.chance(10) else facts.channel,
        "from_agent": facts.from_agent,
        "customer": customer_stub(shop, facts.customer_id),
        "assignee_user": _assignee(shop, facts) if dice.chance(70) else None,
        "assignee_team": _team(shop, dice) if dice.chance(30) else None,
        "subject": dice.maybe(93, dice.pick(SUBJECTS)),
        "summary": _summary(updated) if dice.chance(20) else None,
        "excerpt": dice.pick(SENTENCES) if course.messages else "",
        "integrations": dice.pick(
            ([], [{"name": "Shop", "address": "hi@example.com", "type": "email"}])
        ),
        "meta": dice.maybe(20, {"origin": "widget"}),
        "tags": [tag for tag in (_tag(shop, number) for number in sorted(tags)) if tag],
        "messages_count": course.messages,
        "is_unread": dice.chance(40),
        "spam": dice.chance(3),
        "created_datetime": iso(course.created),
        "opened_datetime": iso(course.created) if dice.chance(60) else None,
        "last_received_message_datetime": iso_or_none(course.last_received)
        if dice.chance(95)
        else None,
        "last_message_datetime": iso_or_none(course.last_message),
        "last_sent_message_not_delivered": dice.chance(2),
        "updated_datetime": iso(updated),
        "closed_datetime": iso(updated - 60_000) if closed else None,
        "snooze_datetime": iso((updated + 3 * DAY) // SECOND * SECOND)
        if closed and dice.chance(10)
        else None,
        "trashed_datetime": iso(updated) if dice.chance(2) else None,
        "custom_fields": _fields(dice),
    }


def _assignee(shop: Shop, facts: Facts) -> Row | None:
    """Return the assigned user, who has a bio here."""
    stub = user_stub(shop, facts.user_id)
    return stub | {"bio": None} if stub else None


def _team(shop: Shop, dice: Dice) -> Row | None:
    """Return a team as embedded in a ticket."""
    team_id = shop.teams.id_at(dice.roll(max(shop.sizes["teams"], 1)))
    if team_id not in shop.teams:
        return None
    row = shop.teams.row(team_id)
    return {name: row[name] for name in ("id", "name", "decoration")}


def _tag(shop: Shop, number: int) -> Row | None:
    """Return a tag as embedded in a ticket."""
    tag_id = shop.tags.id_at(number)
    if tag_id not in shop.tags:
        return None
    row = shop.tags.row(tag_id)
    return {name: row[name] for name in ("id", "name", "decoration")}


def _summary(updated: int) -> Row:
    """Generate the automatic summary of a ticket."""
    return {
        "content": "The customer asks where the order is.",
        "created_datetime": iso(updated - 5_000),
        "updated_datetime": iso(updated - 5_000),
        "triggered_by": "auto",
    }


def _fields(dice: Dice) -> Row:
    """Generate custom-field values of all three types, keyed by the field's id."""
    if not dice.chance(40):
        return {}
    values = {319825: "Shipping::Late", 319832: 4.5, 319839: True}
    row_filter = [number for number in values if dice.chance(60)]
    return {
        str(number): {"id": number, "value": values[number]} for number in row_filter
    }


def ticket_detail(shop: Shop, row: Row) -> Row:
    """Return a single ticket with its messages and other fields that lists omit."""
    customer, user, team = row["customer"], row["assignee_user"], row["assignee_team"]
    messages = map(shop.messages.row, shop.messages.of_ticket(row["id"]))
    surveys = shop.satisfaction_surveys.of_ticket(row["id"])
    detail = {name: value for name, value in row.items() if name not in _LIST_ONLY} | {
        "events": [],
        "imported": None,
        "assignee_user_id": user["id"] if user else None,
        "assignee_team_id": team["id"] if team else None,
        "messages": [
            {
                name: value
                for name, value in message.items()
                if name not in _NOT_EMBEDDED
            }
            for message in messages
        ],
        "processed_datetime": row["created_datetime"],
        "satisfaction_survey": shop.satisfaction_surveys.row(surveys[0])
        if surveys
        else None,
        "reply_options": {
            "email": {"answerable": True, "reason": None, "integrations": []}
        },
        "requester": customer,
    }
    if not detail["custom_fields"]:
        del detail["custom_fields"]
    if customer and customer["id"] in shop.customers:
        whole = customer_detail(shop.customers.row(customer["id"]))
        detail["customer"] = {
            name: value
            for name, value in whole.items()
            if name not in {"created_datetime", "updated_datetime"}
        }
    return detail
