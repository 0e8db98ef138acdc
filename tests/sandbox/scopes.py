"""What the statistics can count: a table of scopes."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean, median
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.sandbox.dice import Dice
from tests.sandbox.times import SECOND, micros

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tests.sandbox.collection import Collection, Row
    from tests.sandbox.shop import Shop

    Source = Callable[[Shop, int, int], Iterator["Fact"]]


class Fact(NamedTuple):
    """Something that is counted."""

    moment: int
    dimensions: Mapping[str, Any]
    number: float | None  # a score, or seconds


@dataclass(frozen=True)
class Scope:
    """What one scope offers."""

    time: str
    measures: tuple[str, ...]
    source: Source
    dimensions: tuple[str, ...] = ("agentId", "channel", "integrationId", "storeId")
    required: str | None = None  # a filter that must be given


def measure(name: str, facts: Sequence[Fact]) -> float | None:
    """Work out a measure; a mean of nothing is null."""
    numbers = [fact.number for fact in facts if fact.number is not None]
    if name == "scoredSurveysCount":
        return len(numbers)
    if name == "responseRate":
        return len(numbers) / len(facts) if facts else None
    if name.startswith("average"):
        return fmean(numbers) if numbers else None
    if name.startswith("median"):
        return median(numbers) if numbers else None
    return len(facts)


def _rows(collection: Collection, field: str, start: int, end: int) -> Iterator[Row]:
    """Yield the rows of a period."""
    index = collection.index(field)
    for row_id in index.ids[index.start(start) : index.end(end)]:
        yield collection.row(row_id)


def _of_ticket(shop: Shop, ticket: Row) -> dict[str, Any]:
    """Tell the dimensions of a ticket, and of what belongs to it."""
    dice = Dice(shop.seed, "dimensions", ticket["id"])
    fields = list(ticket["custom_fields"].values())
    return {
        "agentId": ticket["assignee_user"] and ticket["assignee_user"]["id"],
        "channel": ticket["channel"],
        "integrationId": dice.maybe(60, shop.integrations.id_at(2)),
        "storeId": dice.maybe(40, shop.integrations.id_at(0)),
        "tagId": ticket["tags"][0]["id"] if ticket["tags"] else None,
        "status": dice.pick(("SATISFIED", "BREACHED", "PENDING")),
        "customFieldValue": fields[0]["value"] if fields else None,
        "categoryName": dice.pick(("accuracy", "tone")),
        "eventType": dice.pick(("flow", "article")),
    }


def _created(shop: Shop, start: int, end: int) -> Iterator[Fact]:
    """Count tickets when they come in, with numbers out of thin air."""
    for ticket in _rows(shop.tickets, "created_datetime", start, end):
        number = Dice(shop.seed, "statistics", ticket["id"]).roll(5_000) / 4
        moment = micros(ticket["created_datetime"])
        yield Fact(moment, _of_ticket(shop, ticket), number)


def _closed(shop: Shop, start: int, end: int) -> Iterator[Fact]:
    """Count tickets when they are closed."""
    for ticket in _rows(shop.tickets, "updated_datetime", start, shop.moment):
        moment = micros(ticket["closed_datetime"] or shop.now)
        if ticket["closed_datetime"] and start <= moment <= end:
            yield Fact(moment, _of_ticket(shop, ticket), None)


def _messages(*, sent: bool) -> Source:
    """Count what agents write, or what they get."""

    def source(shop: Shop, start: int, end: int) -> Iterator[Fact]:
        for message in _rows(shop.messages, "created_datetime", start, end):
            if message["from_agent"] == sent:
                ticket = shop.tickets.row(message["ticket_id"])
                dimensions = _of_ticket(shop, ticket)
                if sent and message["sender"]:
                    dimensions["agentId"] = message["sender"]["id"]
                yield Fact(micros(message["created_datetime"]), dimensions, None)

    return source


def _surveys(shop: Shop, start: int, end: int) -> Iterator[Fact]:
    """Count surveys, and their scores."""
    surveys = shop.satisfaction_surveys
    for survey in _rows(surveys, "created_datetime", start, end):
        ticket = shop.tickets.row(survey["ticket_id"])
        moment = micros(survey["created_datetime"])
        yield Fact(moment, _of_ticket(shop, ticket), survey["score"])


def _first_responses(shop: Shop, start: int, end: int) -> Iterator[Fact]:
    """Time the first answer an agent gave to a ticket."""
    for message in _rows(shop.messages, "created_datetime", start, end):
        if not message["from_agent"]:
            continue
        ticket = shop.tickets.row(message["ticket_id"])
        known = map(shop.messages.row, shop.messages.of_ticket(ticket["id"]))
        first = next(one["id"] for one in known if one["from_agent"])
        if first == message["id"] and not ticket["from_agent"]:
            moment = micros(message["created_datetime"])
            seconds = (moment - micros(ticket["created_datetime"])) / SECOND
            yield Fact(moment, _of_ticket(shop, ticket), seconds)


_COUNT = ("ticketCount",)
_NO_AGENT = ("channel", "integrationId", "storeId")

SCOPES: Mapping[str, Scope] = {
    "tickets-created": Scope("createdDatetime", _COUNT, _created),
    "tickets-open": Scope("createdDatetime", _COUNT, _created),
    "tickets-replied": Scope("createdDatetime", _COUNT, _created),
    "tickets-closed": Scope("closedDatetime", _COUNT, _closed),
    "one-touch-tickets": Scope("closedDatetime", _COUNT, _closed),
    "zero-touch-tickets": Scope("closedDatetime", _COUNT, _closed, _NO_AGENT),
    "satisfaction-surveys": Scope(
        "createdDatetime",
        ("averageSurveyScore", "scoredSurveysCount", "responseRate"),
        _surveys,
    ),
    "resolution-time": Scope("createdDatetime", ("medianResolutionTime",), _created),
    "first-response-time": Scope(
        "firstAgentMessageDatetime", ("medianFirstResponseTime",), _first_responses
    ),
    "human-first-response-time": Scope(
        "firstAgentMessageDatetime", ("medianFirstResponseTime",), _first_responses
    ),
    "response-time": Scope("sentDatetime", ("medianResponseTime",), _created),
    "messages-sent": Scope("sentDatetime", ("messagesCount",), _messages(sent=True)),
    "messages-received": Scope(
        "sentDatetime", ("messagesCount",), _messages(sent=False), _NO_AGENT
    ),
    "messages-per-ticket": Scope(
        "createdDatetime", ("averageMessagesCount",), _created
    ),
    "ticket-handle-time": Scope("createdDatetime", ("averageHandleTime",), _created),
    "tags": Scope("timestamp", _COUNT, _created, ("tagId",)),
    "auto-qa": Scope(
        "closedDatetime",
        ("averageRatingScore",),
        _created,
        ("agentId", *_NO_AGENT, "categoryName"),
    ),
    "workload-tickets": Scope("createdDatetime", _COUNT, _created, ("agentId",)),
    "automated-interactions": Scope(
        "createdDatetime",
        ("automatedInteractions",),
        _created,
        ("eventType", *_NO_AGENT),
    ),
    "ticket-fields": Scope(
        "createdDatetime", _COUNT, _created, ("customFieldValue",), "customFieldId"
    ),
    "ticket-sla": Scope("anchorDatetime", _COUNT, _created, ("status",)),
    "knowledge-insights": Scope(
        "createdDatetime", ("viewsCount", "clicksCount"), _created, ()
    ),
}
BROKEN_SCOPES = (
    "automation-rate",
    "online-time",
    "voice-calls",
    "voice-agent-events",
    "voice-calls-summary",
)
