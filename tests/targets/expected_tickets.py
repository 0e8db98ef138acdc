"""The rows of `gorgias_tickets`, computed from a shop ticket by ticket."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tap_gorgias import timestamps

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.sandbox import Shop
    from tests.targets.target import Row

OFFICE = (ZoneInfo("Europe/Paris"), range(5), time(9), time(17))
"""The business hours in the settings of the shop."""
RESPONDERS = ("person", "ai_agent", "bot")
OUTSIDE = {"email", "facebook", "instagram", "twitter"}


def parsed(text: str | None) -> datetime | None:
    """Parse a date-time, if there is one."""
    return timestamps.parse(text) if text else None


def seconds(first: datetime | None, second: datetime | None) -> int | None:
    """Return the whole seconds between two moments, if there are both."""
    if not first or not second:
        return None
    return int(second.timestamp() // 1 - first.timestamp() // 1)


def business_seconds(first: datetime | None, second: datetime | None) -> int | None:
    """Return the seconds of business hours between two moments, day by day."""
    if not first or not second:
        return None
    zone, weekdays, opening, closing = OFFICE
    total, day = 0, first.astimezone(zone).date()
    while day <= second.astimezone(zone).date():
        if day.weekday() in weekdays:
            start = max(first.replace(microsecond=0), _local(day, opening, zone))
            end = min(second.replace(microsecond=0), _local(day, closing, zone))
            total += max(int((end - start).total_seconds()), 0)
        day += timedelta(days=1)
    return total


def _local(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, zone).astimezone(timezone.utc)


@dataclass
class ExpectedTickets:
    """What `gorgias_tickets` should contain."""

    shop: Shop
    zone: ZoneInfo
    deleted_messages: list[Row] = field(default_factory=list)
    """Messages that a database still has."""

    def day(self, moment: datetime) -> str:
        """Return the local day of a moment."""
        return moment.astimezone(self.zone).date().isoformat()

    @cached_property
    def current(self) -> list[Row]:
        """The tickets that count."""
        return [
            row
            for row in self.shop.tickets.rows()
            if not row["trashed_datetime"] and not row["spam"]
        ]

    @cached_property
    def roles(self) -> dict[int, str]:
        """The role of each user."""
        return {row["id"]: row["role"]["name"] for row in self.shop.users.rows()}

    def messages(self, ticket_id: int) -> list[Row]:
        """Return the messages of a ticket, oldest first."""
        ids = self.shop.messages.of_ticket(ticket_id)
        rows = [self.shop.messages.row(number) for number in ids]
        rows += [row for row in self.deleted_messages if row["ticket_id"] == ticket_id]
        return sorted(
            rows, key=lambda row: (parsed(row["created_datetime"]), row["id"])
        )

    def author(self, message: Row) -> str:
        """Return who wrote a message."""
        if not message["from_agent"]:
            return "customer"
        role = self.roles.get(message["sender"]["id"]) if message["sender"] else None
        if message["rule_id"]:
            return "rule"
        if role in {"internal-agent", "bot"}:
            return "ai_agent" if role == "internal-agent" else "bot"
        return "outside" if message["via"] in OUTSIDE else "person"

    @cached_property
    def tickets(self) -> dict[int, Row]:
        """The rows of `gorgias_tickets` by id."""
        return {row["id"]: self._ticket(row) for row in self.current}

    def _ticket(self, row: Row) -> Row:
        messages = self.messages(row["id"])
        closed = parsed(row["closed_datetime"]) if row["status"] == "closed" else None
        public = [(self.author(one), one) for one in messages if one["public"]]
        asked = min(
            (_created(one) for who, one in public if who == "customer"),
            default=None,
        )
        answers = [
            (who, one)
            for who, one in public
            if who != "customer" and asked and _created(one) > asked
        ]
        if row["from_agent"]:
            answers = []
        reply = next(iter(answers), None)
        response = next((one for one in answers if one[0] in RESPONDERS), None)
        human = next((one for one in answers if one[0] == "person"), None)
        customer = row["customer"]
        fields = {str(one["id"]): one["value"] for one in row["custom_fields"].values()}
        counts = {
            name: sum(who in authors for who, _ in public)
            for name, authors in {
                "customer_messages": ("customer",),
                "agent_messages": RESPONDERS,
                "human_messages": ("person",),
                "ai_agent_messages": ("ai_agent",),
                "rule_messages": ("rule",),
                "outside_messages": ("outside",),
            }.items()
        }
        answered = asked and closed and closed >= asked
        calls = [
            one for one in self.shop.voice_calls.rows() if one["ticket_id"] == row["id"]
        ]
        return {
            **self._facts(row),
            "customer_id": customer and customer["id"],
            "customer_email": customer
            and customer["email"]
            and customer["email"].lower(),
            "sentiment": None,
            "closed_date": closed and self.day(closed),
            "closed_datetime": closed,
            "asked_datetime": asked,
            **_answer("first_reply", asked, reply),
            **_answer("first_response", asked, response),
            **_answer("first_human_response", asked, human),
            "first_reply_by": reply and reply[0],
            "first_response_by": response and response[0],
            "first_response_agent_id": _sender(response),
            "first_human_response_agent_id": _sender(human),
            "resolution_seconds": seconds(asked, closed) if answered else None,
            "resolution_business_seconds": business_seconds(asked, closed)
            if answered
            else None,
            "messages": len(messages),
            **counts,
            "internal_notes": len(messages) - len(public),
            "last_message_datetime": _last(messages),
            "last_customer_message_datetime": _last(
                one for one in messages if not one["from_agent"]
            ),
            "is_one_touch": row["status"] == "closed" and counts["agent_messages"] == 1,
            "times_reopened": sum(
                kind == "ticket-reopened" for kind, _ in self.ticket_events(row["id"])
            ),
            **self._survey(row["id"]),
            "calls": len(calls),
            "call_seconds": sum(one["duration"] or 0 for one in calls),
            "contact_reason": fields.get("319825"),
        }

    def _facts(self, row: Row) -> Row:
        same = [
            "external_id",
            "status",
            "priority",
            "channel",
            "via",
            "subject",
            "language",
        ]
        user, team = row["assignee_user"], row["assignee_team"]
        return {
            "ticket_id": row["id"],
            **{name: row[name] for name in same},
            "is_from_agent": row["from_agent"],
            "agent_id": user and user["id"],
            "agent_name": user and user["name"],
            "team_id": team and team["id"],
            "team_name": team and team["name"],
            "tags": ", ".join(tag["name"] for tag in row["tags"]) or None,
            "number_of_tags": len(row["tags"]),
            "created_date": self.day(timestamps.parse(row["created_datetime"])),
            "created_datetime": parsed(row["created_datetime"]),
            "updated_datetime": parsed(row["updated_datetime"]),
            "snooze_datetime": parsed(row["snooze_datetime"]),
        }

    def _survey(self, ticket_id: int) -> Row:
        found = self.shop.satisfaction_surveys.of_ticket(ticket_id)
        row = self.shop.satisfaction_surveys.row(found[0]) if found else {}
        return {
            "satisfaction_score": row.get("score"),
            "survey_sent_datetime": parsed(row.get("sent_datetime")),
            "survey_scored_datetime": parsed(row.get("scored_datetime")),
        }

    def ticket_events(self, ticket_id: int) -> list[tuple[str, datetime]]:
        """Return type and time of the events of a ticket."""
        return self._events.get(ticket_id, [])

    @cached_property
    def _events(self) -> dict[int, list[tuple[str, datetime]]]:
        found = defaultdict(list)
        for row in self.shop.events.rows():
            if row["object_type"] == "Ticket":
                at = timestamps.parse(row["created_datetime"])
                found[row["object_id"]].append((row["type"], at))
        return found


def _created(message: Row) -> datetime:
    return timestamps.parse(message["created_datetime"])


def _last(messages: Iterable[Row]) -> datetime | None:
    return max(
        (timestamps.parse(one["created_datetime"]) for one in messages), default=None
    )


def _answer(name: str, asked: datetime | None, answer: tuple[str, Row] | None) -> Row:
    at = timestamps.parse(answer[1]["created_datetime"]) if answer else None
    return {
        f"{name}_datetime": at,
        f"{name}_seconds": seconds(asked, at),
        f"{name}_business_seconds": business_seconds(asked, at),
    }


def _sender(answer: tuple[str, Row] | None) -> int | None:
    return answer[1]["sender"]["id"] if answer else None
