"""The scopes of the statistics and how they are computed."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    """An event or object that is counted."""

    timestamp: int
    dimensions: Mapping[str, Any]
    number: float | None  # a score or a duration in seconds


_BASE = (
    *("ticketId", "agentId", "channel", "integrationId"),
    *("storeId", "storeIntegrationId"),
)


@dataclass(frozen=True)
class Scope:
    """The dimensions and measures of a scope. No query of the tap has an order.

    Some scopes have several documented time dimensions; only one of them is served.
    """

    time: str | None  # None: no time dimension is public
    measures: tuple[str, ...]
    source: Source
    dimensions: tuple[str, ...] = _BASE
    required: str | None = None  # a mandatory filter


def measure(name: str, facts: Sequence[Fact]) -> float | None:
    """Compute a measure; the mean of no numbers is null."""
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
    """Return the dimensions of a ticket, including those used only by filters."""
    dice = Dice(shop.seed, "dimensions", ticket["id"])
    fields = list(ticket["custom_fields"].values())
    tags = [tag["id"] for tag in ticket["tags"]]
    return {
        "ticketId": ticket["id"],
        "agentId": ticket["assignee_user"] and ticket["assignee_user"]["id"],
        "channel": ticket["channel"],
        "integrationId": dice.maybe(60, shop.integrations.id_at(2)),
        "storeId": dice.maybe(40, shop.integrations.id_at(0)),
        "tagId": tags[0] if tags else None,
        "status": dice.pick(("SATISFIED", "BREACHED", "PENDING")),
        "customFieldValue": fields[0]["value"] if fields else None,
        "tags": tags,
        "customFields": {field["id"]: field["value"] for field in fields},
    }


def _created(shop: Shop, start: int, end: int) -> Iterator[Fact]:
    """Count tickets by their creation, with arbitrary numbers."""
    for ticket in _rows(shop.tickets, "created_datetime", start, end):
        number = Dice(shop.seed, "statistics", ticket["id"]).roll(5_000) / 4
        timestamp = micros(ticket["created_datetime"])
        yield Fact(timestamp, _of_ticket(shop, ticket), number)


def _closed(shop: Shop, start: int, end: int) -> Iterator[Fact]:
    """Count tickets by their closing."""
    for ticket in _rows(shop.tickets, "updated_datetime", start, shop.timestamp):
        timestamp = micros(ticket["closed_datetime"] or shop.now)
        if ticket["closed_datetime"] and start <= timestamp <= end:
            yield Fact(timestamp, _of_ticket(shop, ticket), None)


def _messages(*, sent: bool) -> Source:
    """Count messages that agents sent, or those that they received."""

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
    """Count surveys and their scores."""
    surveys = shop.satisfaction_surveys
    for survey in _rows(surveys, "created_datetime", start, end):
        ticket = shop.tickets.row(survey["ticket_id"])
        timestamp = micros(survey["created_datetime"])
        yield Fact(timestamp, _of_ticket(shop, ticket), survey["score"])


def _first_responses(shop: Shop, start: int, end: int) -> Iterator[Fact]:
    """Measure the time until an agent's first answer to a ticket."""
    for message in _rows(shop.messages, "created_datetime", start, end):
        if not message["from_agent"]:
            continue
        ticket = shop.tickets.row(message["ticket_id"])
        known = map(shop.messages.row, shop.messages.of_ticket(ticket["id"]))
        first = next(one["id"] for one in known if one["from_agent"])
        if first == message["id"] and not ticket["from_agent"]:
            timestamp = micros(message["created_datetime"])
            seconds = (timestamp - micros(ticket["created_datetime"])) / SECOND
            yield Fact(timestamp, _of_ticket(shop, ticket), seconds)


def _calls(shop: Shop, start: int, end: int) -> Iterator[Fact]:
    """Count phone calls."""
    for call in _rows(shop.voice_calls, "created_datetime", start, end):
        dimensions = {"ticketId": call["ticket_id"], "callDirection": call["direction"]}
        yield Fact(micros(call["created_datetime"]), dimensions, None)


_COUNT = ("ticketCount",)
_CREATED = "createdDatetime"
_CLOSED = "closedDatetime"
_SENT = "sentDatetime"
_ANSWERED = "firstAgentMessageDatetime"
_EVENT = "eventDatetime"
_INTENTS = ("aiIntentCustomField", "aiIntentCustomFieldL1")
_AI = ("aiAgentRole", "engagementType", "channel", "storeIntegrationId", "ticketId")

_BY_CREATION = Scope(_CREATED, _COUNT, _created)
_BY_CLOSING = Scope(_CLOSED, _COUNT, _closed)
_FIRST_RESPONSE = Scope(
    _ANSWERED,
    ("medianFirstResponseTime", "averageFirstResponseTime"),
    _first_responses,
    (*_BASE, *_INTENTS),
)
SCOPES: Mapping[str, Scope] = {
    "tickets-created": _BY_CREATION,
    "tickets-open": _BY_CREATION,
    "tickets-replied": Scope(_SENT, _COUNT, _created),
    "tickets-closed": _BY_CLOSING,
    "one-touch-tickets": _BY_CLOSING,
    "zero-touch-tickets": _BY_CLOSING,
    "workload-tickets": Scope(None, _COUNT, _created, ("ticketId", "channel")),
    "satisfaction-surveys": Scope(
        _CREATED, ("averageSurveyScore", "scoredSurveysCount", "responseRate"), _surveys
    ),
    "resolution-time": Scope(
        _CREATED,
        ("medianResolutionTime", "averageResolutionTime"),
        _created,
        (*_BASE, *_INTENTS),
    ),
    "first-response-time": _FIRST_RESPONSE,
    "human-first-response-time": replace(_FIRST_RESPONSE, dimensions=_BASE),
    "response-time": Scope(_CREATED, ("medianResponseTime",), _created),
    "messages-sent": Scope(_SENT, ("messagesCount",), _messages(sent=True)),
    "messages-received": Scope(_SENT, ("messagesCount",), _messages(sent=False)),
    "messages-per-ticket": Scope(_CREATED, ("averageMessagesCount",), _created),
    "ticket-handle-time": Scope(
        _CREATED, ("averageHandleTime", "handleTime"), _created
    ),
    "tags": Scope("timestamp", _COUNT, _created, (*_BASE[:-1], "tagId")),
    "ticket-fields": Scope(
        "updatedDatetime", _COUNT, _created, ("customFieldValue",), "customFieldId"
    ),
    "ticket-sla": Scope(
        "anchorDatetime",
        _COUNT,
        _created,
        ("status", "channel", "storeId", "storeIntegrationId", "slaPolicyUuid"),
    ),
    "auto-qa": Scope(
        None,
        (*_COUNT, "averageAccuracyScore"),
        _created,
        (*_BASE[:-1], "ticketQAScorerUserId"),
    ),
    "voice-calls": Scope(
        None, ("voiceCallsCount",), _calls, ("ticketId", "agentId", "callDirection")
    ),
    "voice-queue-exposure": Scope(
        "queuedDate", ("totalExposures",), _calls, ("agentId",)
    ),
    "help-center": Scope(
        "timestamp", ("articleViewCount",), _created, ("helpCenterId", "articleId")
    ),
    "ai-agent-coverage-rate": Scope(_EVENT, ("coverageRate",), _created, _AI),
    "overall-automation-rate": Scope(
        _EVENT, ("automationRate",), _created, ("channel", "flowId")
    ),
}
FILTERS = (
    *("agentId", "teamId", "agentIdFromTeamId", "channel", "score", "integrationId"),
    *("storeId", "storeIntegrationId", "customFields", "tags"),
)
"""Members that most scopes can be filtered by, besides the period."""
BROKEN_SCOPES = (
    "online-time",
    "voice-agent-events",
    "voice-calls-summary",
)
"""Scopes that were observed to answer 500, perhaps because of the account's plan."""
