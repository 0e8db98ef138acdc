"""The figures of the models, computed from the rows of a shop one by one."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from functools import cached_property
from statistics import fmean
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from tap_gorgias import timestamps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

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


def percentile(numbers: Sequence[float], share: float) -> float | None:
    """Interpolate a percentile."""
    if not numbers:
        return None
    ordered = sorted(numbers)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


class Figure(NamedTuple):
    """Something that counts on a day."""

    kind: str
    ticket: Row
    agent: int | None
    moment: datetime
    number: float | None = None
    business: float | None = None


@dataclass
class Reference:
    """What the models should contain."""

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
            (
                parsed(one["created_datetime"])
                for who, one in public
                if who == "customer"
            ),
            default=None,
        )
        answers = [
            (who, one)
            for who, one in public
            if who != "customer" and asked and parsed(one["created_datetime"]) > asked
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
        same = "external_id status priority channel via subject language".split()
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

    @cached_property
    def figures(self) -> list[Figure]:
        """All that the models of days count."""
        found = []
        for source in self.current:
            row = self.tickets[source["id"]]
            agent, closed = row["agent_id"], row["closed_datetime"]
            found.append(Figure("created", source, agent, row["created_datetime"]))
            if closed:
                found.append(Figure("closed", source, agent, closed))
            if closed and row["is_one_touch"]:
                found.append(Figure("one_touch", source, agent, closed))
            for kind, who, at in (
                (
                    "first_response",
                    row["first_response_agent_id"],
                    "first_response_datetime",
                ),
                ("resolution", agent, "closed_datetime"),
            ):
                if row[f"{kind}_seconds"] is not None:
                    numbers = row[f"{kind}_seconds"], row[f"{kind}_business_seconds"]
                    found.append(Figure(kind, source, who, row[at], *numbers))
            for message in self.messages(source["id"]):
                author = self.author(message)
                at = timestamps.parse(message["created_datetime"])
                if message["public"] and author == "customer":
                    found.append(Figure("received", source, None, at))
                elif message["public"] and author in RESPONDERS:
                    found.append(Figure("sent", source, message["sender"]["id"], at))
            if row["survey_sent_datetime"]:
                at = row["survey_sent_datetime"]
                found.append(Figure("survey", source, agent, at))
            if row["satisfaction_score"] is not None:
                at, score = row["survey_scored_datetime"], row["satisfaction_score"]
                found.append(Figure("score", source, agent, at, score))
        return found

    def days(
        self, groups: Callable[[Figure], Iterable[object]]
    ) -> dict[tuple[str, object], Row]:
        """Return the figures by local day and group."""
        held: dict[tuple[str, object], list[Figure]] = defaultdict(list)
        for figure in self.figures:
            for group in groups(figure):
                held[self.day(figure.moment), group].append(figure)
        return {key: _day(figures) for key, figures in held.items()}

    def backlog(self) -> dict[str, Row]:
        """Return the open tickets at the end of each day."""
        histories = [self._history(row) for row in self.current]
        moments = [moment for changes, _ in histories for moment, *_ in changes]
        moments += [timestamps.parse(row["updated_datetime"]) for row in self.current]
        day = date.fromisoformat(self.day(min(moments)))
        last = date.fromisoformat(self.day(max(moments)))
        found = {}
        while day <= last:
            day += timedelta(days=1)
            end = datetime.combine(day, time(), self.zone)
            states = [
                (max(change for change in changes if change[0] < end)[2], from_events)
                for changes, from_events in histories
                if changes[0][0] < end
            ]
            total = sum(is_closed == 0 for is_closed, _ in states)
            known = sum(
                is_closed == 0 for is_closed, from_events in states if from_events
            )
            source = "events" if known == total else "both"
            found[(day - timedelta(days=1)).isoformat()] = {
                "open_tickets": total,
                "open_tickets_from_events": known,
                "open_tickets_from_dates": total - known,
                "source": source if known else "dates",
            }
        return found

    def _history(self, row: Row) -> tuple[list[tuple[datetime, int, int]], bool]:
        """Return changes as (when, rank, 1 if closed), and whether events told them."""
        created = timestamps.parse(row["created_datetime"])
        updated = timestamps.parse(row["updated_datetime"])
        closed = int(row["status"] == "closed")
        events = [
            (at, 1, int(kind == "ticket-closed"))
            for kind, at in self.ticket_events(row["id"])
            if kind in {"ticket-closed", "ticket-reopened"} and created <= at <= updated
        ]
        changes = [(created, 0, 0), *events]
        if closed:
            changes.append(
                (max(created, timestamps.parse(row["closed_datetime"])), 2, 1)
            )
        if max(changes)[2] != closed:
            changes.append((updated, 3, closed))
        return sorted(changes), bool(events)

    def customers(self) -> dict[int, Row]:
        """Return the rows of `gorgias_customers` by id."""
        held = defaultdict(list)
        for row in self.tickets.values():
            held[row["customer_id"]].append(row)
        found = {}
        for row in self.shop.customers.rows():
            own = held[row["id"]]
            created = [one["created_datetime"] for one in own]
            contacts = [one["last_customer_message_datetime"] for one in own]
            scores = [one["satisfaction_score"] for one in own]
            scored = [score for score in scores if score is not None]
            fields = [str(one["value"]) for one in row["custom_fields"].values()]
            found[row["id"]] = {
                "customer_id": row["id"],
                **{
                    name: row[name]
                    for name in ("external_id", "name", "language", "timezone")
                },
                "email_lower": row["email"] and row["email"].lower(),
                "created_datetime": parsed(row["created_datetime"]),
                "tickets": len(own),
                "open_tickets": sum(one["status"] == "open" for one in own),
                "messages": sum(one["customer_messages"] for one in own),
                "first_ticket_datetime": min(created, default=None),
                "last_ticket_datetime": max(created, default=None),
                "last_contact_datetime": max(filter(None, contacts), default=None),
                "surveys_scored": len(scored),
                "average_score": fmean(scored) if scored else None,
                "loyalty": fields[0] if fields else None,
            }
        return found

    def all_models(self) -> dict[str, list[Row]]:
        """Return the rows of each model that is compared."""
        users = {row["id"]: row for row in self.shop.users.rows()}
        tags = {row["id"]: row["name"] for row in self.shop.tags.rows()}
        agents = self.days(lambda one: [one.agent] if one.agent else [])
        channels = self.days(lambda one: [one.ticket["channel"]])
        tagged = self.days(lambda one: [tag["id"] for tag in one.ticket["tags"]])
        return {
            "gorgias_tickets": list(self.tickets.values()),
            "gorgias_agent_days": [
                {
                    **{"date_day": day, "agent_id": agent, **row},
                    "agent_name": users[agent]["name"],
                    "agent_role": users[agent]["role"]["name"],
                }
                for (day, agent), row in agents.items()
            ],
            "gorgias_channel_days": [
                {"date_day": day, "channel": channel, **row}
                for (day, channel), row in channels.items()
            ],
            "gorgias_tag_days": [
                {"date_day": day, "tag_id": tag, "tag_name": tags[tag], **row}
                for (day, tag), row in tagged.items()
            ],
            "gorgias_backlog": [
                {"date_day": day, **row} for day, row in self.backlog().items()
            ],
            "gorgias_customers": list(self.customers().values()),
            "gorgias_message_gaps": [
                {
                    "ticket_id": row["id"],
                    "messages_count": row["messages_count"],
                    "messages_loaded": len(self.messages(row["id"])),
                    "messages_missing": row["messages_count"]
                    - len(self.messages(row["id"])),
                }
                for row in self.current
                if row["messages_count"] != len(self.messages(row["id"]))
            ],
        }


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


def _day(figures: Sequence[Figure]) -> Row:
    """Add up the figures of a day."""
    held: Mapping[str, list[Figure]] = defaultdict(list)
    for figure in figures:
        held[figure.kind].append(figure)
    scores = [one.number or 0 for one in held["score"]]
    measured: dict[str, Any] = {}
    for kind in ("first_response", "resolution"):
        numbers = [one.number or 0 for one in held[kind]]
        business = [one.business or 0 for one in held[kind]]
        measured[f"median_{kind}_seconds"] = percentile(numbers, 0.5)
        measured[f"p90_{kind}_seconds"] = percentile(numbers, 0.9)
        measured[f"median_{kind}_business_seconds"] = percentile(business, 0.5)
    return {
        "tickets_created": len(held["created"]),
        "tickets_replied": len({one.ticket["id"] for one in held["sent"]}),
        "tickets_closed": len(held["closed"]),
        "one_touch_tickets": len(held["one_touch"]),
        "messages_received": len(held["received"]),
        "messages_sent": len(held["sent"]),
        "first_responses": len(held["first_response"]),
        "resolutions": len(held["resolution"]),
        "surveys_sent": len(held["survey"]),
        "surveys_scored": len(scores),
        "surveys_satisfied": sum(score >= 4 for score in scores),
        "average_score": fmean(scores) if scores else None,
        **measured,
    }
