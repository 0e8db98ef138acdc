"""The figures of the models, computed from the rows of a shop one by one."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import cached_property
from statistics import fmean, median
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_gorgias import timestamps
from tests.sandbox.scopes import SCOPES, measure
from tests.targets.expected_tickets import RESPONDERS, ExpectedTickets, parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tests.sandbox.scopes import Fact
    from tests.targets.target import Row


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


STATISTICS: Mapping[str, tuple[str, str, str, Callable[[list[Figure]], float]]] = {
    "tickets_created": ("tickets-created", "ticketCount", "created", len),
    "messages_sent": ("messages-sent", "messagesCount", "sent", len),
    "satisfaction": (
        *("satisfaction-surveys", "averageSurveyScore", "score"),
        lambda held: fmean(one.number or 0 for one in held),
    ),
    "first_response_time": (
        *("first-response-time", "medianFirstResponseTime", "first_response"),
        lambda held: median(one.number or 0 for one in held),
    ),
}
"""The scope, measure and figure of each preset that is compared."""


@dataclass
class Reference(ExpectedTickets):
    """What all models should contain."""

    @cached_property
    def figures(self) -> list[Figure]:
        """All that the models of days count."""
        return [
            figure
            for ticket in self.current
            for figure in (*self._of_ticket(ticket), *self._of_messages(ticket))
        ]

    def _of_ticket(self, ticket: Row) -> Iterator[Figure]:
        row = self.tickets[ticket["id"]]
        agent, responder = row["agent_id"], row["first_response_agent_id"]
        moments = {
            "created": row["created_datetime"],
            "closed": row["closed_datetime"],
            "one_touch": row["closed_datetime"] if row["is_one_touch"] else None,
            "survey": row["survey_sent_datetime"],
        }
        for kind, moment in moments.items():
            if moment:
                yield Figure(kind, ticket, agent, moment)
        for kind, who, moment in (
            ("first_response", responder, row["first_response_datetime"]),
            ("resolution", agent, row["closed_datetime"]),
        ):
            if row[f"{kind}_seconds"] is not None:
                numbers = row[f"{kind}_seconds"], row[f"{kind}_business_seconds"]
                yield Figure(kind, ticket, who, moment, *numbers)
        if row["satisfaction_score"] is not None:
            moment = row["survey_scored_datetime"]
            yield Figure("score", ticket, agent, moment, row["satisfaction_score"])

    def _of_messages(self, ticket: Row) -> Iterator[Figure]:
        agent = self.tickets[ticket["id"]]["agent_id"]
        for message in self.messages(ticket["id"]):
            author = self.author(message)
            moment = timestamps.parse(message["created_datetime"])
            if message["public"] and author == "customer":
                yield Figure("received", ticket, agent, moment)
            elif message["public"] and author in RESPONDERS:
                yield Figure("sent", ticket, message["sender"]["id"], moment)

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
                    "date_day": day,
                    "agent_id": agent,
                    **row,
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

    def statistics(self) -> list[Row]:
        """Return the rows of `gorgias_statistics_check` after a first run."""
        found = []
        for statistic, (scope, measured, kind, compute) in STATISTICS.items():
            given: dict[tuple[object, ...], list[Fact]] = defaultdict(list)
            own: dict[tuple[object, ...], list[Figure]] = defaultdict(list)
            start, end = self.shop.start, self.shop.timestamp
            for fact in SCOPES[scope].source(self.shop, start, end):
                at = datetime.fromtimestamp(fact.timestamp / 1_000_000, timezone.utc)
                dimensions = fact.dimensions["agentId"], fact.dimensions["channel"]
                given[(self.day(at), *dimensions)].append(fact)
            for one in self.figures:
                if one.kind == kind:
                    at = self._survey_created(one) if kind == "score" else one.moment
                    own[self.day(at), one.agent, one.ticket["channel"]].append(one)
            for day, agent, channel in {**given, **own}:
                facts, figures = given[day, agent, channel], own[day, agent, channel]
                theirs = measure(measured, facts) if facts else None
                ours = compute(figures) if figures else None
                unknown = kind in {"score", "first_response"} and None in {ours, theirs}
                found.append(
                    {
                        "statistic": statistic,
                        "date_day": day,
                        "agent_id": agent,
                        "channel": channel,
                        "gorgias_figure": theirs,
                        "model_figure": ours,
                        "difference": None if unknown else (ours or 0) - (theirs or 0),
                    }
                )
        return found

    def _survey_created(self, figure: Figure) -> datetime:
        surveys = self.shop.satisfaction_surveys
        [number] = surveys.of_ticket(figure.ticket["id"])
        return timestamps.parse(surveys.row(number)["created_datetime"])

    def unpacked(self) -> dict[str, list[Row]]:
        """Return the rows that staging models find inside others, after a first run."""
        messages = list(self.shop.messages.rows())
        return {
            "stg_gorgias__ticket_tags": [
                {"ticket_id": row["id"], "tag_id": tag["id"], "tag_name": tag["name"]}
                for row in self.shop.tickets.rows()
                for tag in row["tags"]
            ],
            "stg_gorgias__ticket_custom_fields": list(self._values("ticket")),
            "stg_gorgias__customer_custom_fields": list(self._values("customer")),
            "stg_gorgias__ticket_message_recipients": [
                {
                    "message_id": row["id"],
                    "ticket_id": row["ticket_id"],
                    "kind": "to",
                    **one,
                }
                for row in messages
                for one in row["source"].get("to", ())
            ],
            "stg_gorgias__team_members": [
                {
                    "team_id": row["id"],
                    "team_name": row["name"],
                    **{f"user_{name}": one[name] for name in ("id", "name", "email")},
                }
                for row in self.shop.teams.rows()
                for one in row["members"]
            ],
            "stg_gorgias__message_macros": [
                {
                    "message_id": row["id"],
                    "ticket_id": row["ticket_id"],
                    "macro_id": one["id"],
                }
                for row in messages
                for one in row["macros"]
            ],
        }

    def _values(self, kind: str) -> Iterator[Row]:
        for row in getattr(self.shop, f"{kind}s").rows():
            for one in row["custom_fields"].values():
                definition = self.shop.custom_fields.row(one["id"])
                held = one["value"]
                value = held if isinstance(held, str) else json.dumps(held)
                levels = [*value.split("::"), None, None, None, None]
                yield {
                    f"{kind}_id": row["id"],
                    "field_id": one["id"],
                    "label": definition["label"],
                    "data_type": definition["definition"]["data_type"],
                    "managed_type": definition["managed_type"],
                    "value": value,
                    "readable_value": " > ".join(value.split("::")),
                    **{f"level_{n}": levels[n - 1] for n in range(1, 6)},
                }


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
