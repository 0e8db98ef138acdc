"""Reporting queries: validation of the setting `statistics`, and stream schemas."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_gorgias.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

GRANULARITIES = ("hour", "day", "week", "month")
MAX_ID_LENGTH = 255
"""Limit of the key of a row, which some databases need."""

TIME_DIMENSIONS: Mapping[str, str] = {
    scope: dimension
    for dimension, scopes in (
        ("closedDatetime", "tickets-closed one-touch-tickets zero-touch-tickets"),
        ("sentDatetime", "tickets-replied messages-sent messages-received"),
        ("firstAgentMessageDatetime", "first-response-time human-first-response-time"),
        ("timestamp", "tags help-center"),
        ("updatedDatetime", "ticket-fields"),
        ("anchorDatetime", "ticket-sla"),
        ("queuedDate", "voice-queue-exposure"),
        ("eventDatetime", "flow-dataset handover-interactions"),
        ("", "auto-qa knowledge-insights online-time voice-agent-events voice-calls"),
        ("", "voice-calls-summary workload-tickets"),
    )
    for scope in scopes.split()
}
"""Date by which a scope is counted (published OpenAPI document, 2026-08).

Empty if the scope has no public one: then each period takes a query of its own.
"""
_BY_EVENT = ("ai-", "overall-")
"""Beginnings of the scopes that are counted by `eventDatetime`."""

_MEASURES: Mapping[str, str] = {
    "averageFirstResponseTime": "Average time until the first response, in seconds.",
    "averageHandleTime": "Average handle time, in seconds.",
    "averageMessagesCount": "Average number of messages per ticket.",
    "averageResolutionTime": "Average time until the resolution, in seconds.",
    "averageSurveyScore": "Average survey score, from 1 to 5.",
    "handleTime": "Handle time, in seconds.",
    "medianFirstResponseTime": "Median time until the first response, in seconds.",
    "medianResolutionTime": "Median time until the resolution, in seconds.",
    "medianResponseTime": "Median time until a response, in seconds.",
    "messagesCount": "Number of messages.",
    "responseRate": "Share of surveys that were answered, as Gorgias calculates it.",
    "scoredSurveysCount": "Number of surveys with a score.",
    "sentSurveysCount": "Number of sent surveys.",
    "ticketCount": "Number of tickets.",
}

_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}", re.ASCII)
_MEMBER = re.compile(r"[A-Za-z][A-Za-z0-9]{0,59}", re.ASCII)
_SCOPE = re.compile(r"[a-z][a-z0-9-]{0,79}", re.ASCII)
_RESERVED_COLUMNS = ("id", "period_start", "timezone", "read_datetime")
_QUERY_KEYS = {
    *("name", "scope", "measures", "dimensions"),
    *("granularity", "filters", "time_dimension"),
}


@dataclass(frozen=True)
class StatisticsQuery:
    """A reporting query. Each query becomes a stream."""

    name: str
    scope: str
    """For example `tickets-created`."""
    measures: tuple[str, ...]
    dimensions: tuple[str, ...] = ()
    granularity: str = "day"
    filters: tuple[Mapping[str, Any], ...] = ()
    time_dimension: str = ""
    """Member that holds the start of the period. By default, that of the scope."""

    def fingerprint(self, timezone: str) -> str:
        """Hash all that figures depend on, in 16 hexadecimal digits."""
        parts = (
            *(self.scope, sorted(self.measures), sorted(self.dimensions)),
            *(self.granularity, self.filters, self.period_dimension, timezone),
        )
        text = json.dumps(parts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def stream(self) -> str:
        """Name of the stream."""
        return f"statistics_{self.name}"

    @property
    def period_dimension(self) -> str:
        """Member that holds the start of a row's period; empty if there is none."""
        if self.time_dimension:
            return self.time_dimension
        by_event = self.scope.startswith(_BY_EVENT)
        default = "eventDatetime" if by_event else "createdDatetime"
        return TIME_DIMENSIONS.get(self.scope, default)

    @cached_property
    def columns(self) -> Mapping[str, str]:
        """Column of each dimension and measure, for example `agent_id`."""
        return {member: _snake(member) for member in (*self.dimensions, *self.measures)}

    @cached_property
    def schema(self) -> dict[str, Any]:
        """JSON schema of the stream."""
        properties: dict[str, Any] = {
            "id": {
                "type": ["string"],
                "maxLength": MAX_ID_LENGTH,
                "description": "Key, from the period and the values of the dimensions.",
            },
            "period_start": _column(
                f"Start of the {self.granularity}, in the time zone of the query.",
                format="date-time",
            ),
            "timezone": _column("IANA time zone of the query."),
            "read_datetime": _column(
                "When the figures were read. Of the rows of a period, only those that "
                "were read last are valid.",
                format="date-time",
            ),
        }
        for one in self.dimensions:
            description = f"Dimension `{one}` of the report."
            properties[self.columns[one]] = _column(description)
        for one in self.measures:
            undocumented = f"Measure `{one}`, in the unit that Gorgias uses."
            description = _MEASURES.get(one, undocumented)
            properties[self.columns[one]] = _column(description, kind="number")
        return {"type": "object", "properties": properties}


def _column(description: str, kind: str = "string", **options: str) -> dict[str, Any]:
    return {"type": [kind, "null"], **options, "description": description}


_BY_AGENT = ("agentId", "channel")
_COUNT = ("ticketCount",)
_SURVEYS = ("averageSurveyScore", "scoredSurveysCount", "responseRate")

PRESETS: Mapping[str, StatisticsQuery] = {
    name: StatisticsQuery(name, scope, measures, dimensions)
    for scope, measures, dimensions in (
        ("tickets-created", _COUNT, _BY_AGENT),
        ("tickets-closed", _COUNT, _BY_AGENT),
        ("tickets-replied", _COUNT, _BY_AGENT),
        ("messages-sent", ("messagesCount",), _BY_AGENT),
        ("messages-received", ("messagesCount",), ("channel",)),
        ("first-response-time", ("medianFirstResponseTime",), _BY_AGENT),
        ("resolution-time", ("medianResolutionTime",), _BY_AGENT),
        ("satisfaction-surveys", _SURVEYS, _BY_AGENT),
        ("one-touch-tickets", _COUNT, _BY_AGENT),
        ("ticket-handle-time", ("averageHandleTime",), _BY_AGENT),
        ("tags", _COUNT, ("tagId",)),
        ("ticket-sla", _COUNT, ("status",)),
    )
    for name in [scope.replace("-", "_").removesuffix("_surveys")]
}
"""Queries by day, with agent and channel if the scope has them."""


def read_queries(entries: Any) -> tuple[list[StatisticsQuery], list[str]]:  # noqa: ANN401
    """Read the setting `statistics`: its queries, and a sentence for each problem."""
    if not isinstance(entries, (list, tuple)):
        return [], ["Setting `statistics` must be of type array."]
    queries: dict[str, StatisticsQuery] = {}
    problems: list[str] = []
    for number, entry in enumerate(entries, start=1):
        try:
            query = _query(entry)
            if query.name in queries:
                message = f"has the same name as an earlier entry, `{query.name}`"
                raise ValueError(message)  # noqa: TRY301 (as each other problem)
            queries[query.name] = query
        except ValueError as problem:  # noqa: PERF203 (a few entries)
            problems.append(f"Setting `statistics`: entry {number} {problem}.")
    return list(queries.values()), problems


def _query(entry: Any) -> StatisticsQuery:  # noqa: ANN401
    if isinstance(entry, str):
        return _preset(entry)
    if not isinstance(entry, dict):
        message = "must be the name of a preset, or an object"
        raise ValueError(message)  # noqa: TRY004 (ValueError for all bad input)
    for key in entry.keys() - _QUERY_KEYS:
        message = (
            f"has the unknown key `{key[:80]}`; expected keys are "
            f"{_quoted(sorted(_QUERY_KEYS))}"
        )
        raise ValueError(message)
    query = StatisticsQuery(
        name=_text(entry, "name", _NAME, "lowercase letters, digits and `_`"),
        scope=_text(entry, "scope", _SCOPE, "lowercase letters, digits and `-`"),
        measures=_members(entry, "measures"),
        dimensions=_members(entry, "dimensions"),
        granularity=entry.get("granularity", "day"),
        filters=_filters(entry.get("filters", [])),
        time_dimension=_text(entry, "time_dimension", _MEMBER, "letters and digits")
        if "time_dimension" in entry
        else "",
    )
    if not query.measures:
        message = "is missing `measures`, for example `ticketCount`"
        raise ValueError(message)
    if query.granularity not in GRANULARITIES:
        message = f"must have one of {_quoted(GRANULARITIES)} as `granularity`"
        raise ValueError(message)
    columns = [*_RESERVED_COLUMNS, *map(_snake, (*query.dimensions, *query.measures))]
    for column in columns:
        if columns.count(column) > 1:
            message = f"would have two columns named `{column}`"
            raise ValueError(message)
    return query


def _preset(name: str) -> StatisticsQuery:
    if name in PRESETS:
        return PRESETS[name]
    message = (
        f"names the unknown preset `{name[:80]}`.{did_you_mean(name, PRESETS)} "
        f"Presets are {_quoted(sorted(PRESETS))}"
    )
    raise ValueError(message)


def _text(
    entry: Mapping[str, Any], key: str, pattern: re.Pattern[str], characters: str
) -> str:
    value = entry.get(key)
    if value is None:
        message = f"is missing `{key}`"
        raise ValueError(message)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        message = (
            f"has an invalid `{key}`: it must consist of {characters}, and begin with "
            "a letter"
        )
        raise ValueError(message)
    return value


def _members(entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
    values = entry.get(key, [])
    if not isinstance(values, list) or not all(
        isinstance(value, str) and _MEMBER.fullmatch(value) for value in values
    ):
        message = f"must have a list of names such as `agentId` in `{key}`"
        raise ValueError(message)
    return tuple(values)


def _filters(values: Any) -> tuple[Mapping[str, Any], ...]:  # noqa: ANN401
    if not isinstance(values, list) or not all(
        isinstance(value, dict) for value in values
    ):
        message = "must have a list of objects in `filters`"
        raise ValueError(message)
    if any(value.get("member") in ("periodStart", "periodEnd") for value in values):
        message = "must not filter by period: the tap adds that filter"
        raise ValueError(message)
    return tuple(values)


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _snake(member: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", member).lower()
