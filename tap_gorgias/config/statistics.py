"""Reporting queries: the setting `statistics`, checked and turned into schemas."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_gorgias.config.report_scopes import SCOPES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_gorgias.config.report_scopes import Scope

GRANULARITIES = ("hour", "day", "week", "month")

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
    "responseRate": "Share of the surveys that were answered, as Gorgias gives it.",
    "scoredSurveysCount": "Number of surveys with a score.",
    "sentSurveysCount": "Number of surveys that were sent.",
    "ticketCount": "Number of tickets.",
}

_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}", re.ASCII)
_MEMBER = re.compile(r"[A-Za-z][A-Za-z0-9]{0,59}", re.ASCII)
_SCOPE = re.compile(r"[a-z][a-z0-9-]{0,79}", re.ASCII)
_CONDITIONS: Mapping[str, tuple[str, ...]] = {
    "customFields": ("custom_field_id",),
    "tags": (),
}
"""Members whose filters have operators inside their values, and what else there."""
_TAKEN = ("id", "period_start", "timezone", "read_datetime")
_KEYS = {
    *("name", "scope", "measures", "dimensions"),
    *("granularity", "filters", "time_dimension"),
}


@dataclass(frozen=True)
class StatisticsQuery:
    """One query, which makes one stream."""

    name: str
    scope: str
    """What is counted, for example `tickets-created`."""
    measures: tuple[str, ...]
    dimensions: tuple[str, ...] = ()
    granularity: str = "day"
    filters: tuple[Mapping[str, Any], ...] = ()
    time_dimension: str = ""
    """The member that holds the periods; the scope's own if empty."""

    def fingerprint(self, timezone: str) -> str:
        """Tell whether figures go together.

        Args:
            timezone: IANA name of the periods' time zone.

        Returns:
            A short text, the same as long as nothing changes but the name.
        """
        parts = (
            *(self.scope, sorted(self.measures), sorted(self.dimensions)),
            *(self.granularity, self.filters, self.periods_by, timezone),
        )
        text = json.dumps(parts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def stream(self) -> str:
        """Name of the stream."""
        return f"statistics_{self.name}"

    @property
    def periods_by(self) -> str:
        """The member that holds the start of a row's period.

        Empty if the scope has none that is public: each period is asked for by itself.
        """
        usual = self._offered.times[:1] if self._offered else ("createdDatetime",)
        return self.time_dimension or "".join(usual)

    @property
    def order(self) -> tuple[str, ...]:
        """Members that put all rows into an order; none if Gorgias has no such order.

        By some of them only, pages could overlap.
        """
        members = (*([self.periods_by] if self.periods_by else []), *self.dimensions)
        allowed = self._offered.orders if self._offered else ()
        return members if set(members) <= set(allowed) else ()

    @property
    def _offered(self) -> Scope | None:
        return SCOPES.get(self.scope)

    def explain_members(self) -> list[str]:
        """Say which of its members Gorgias may refuse.

        Returns:
            A sentence for each that is not documented, with those that are.
        """
        sentences: list[str] = []

        def check(kind: str, members: Sequence[str], known: Sequence[str]) -> None:
            others = f"known are {_listed(known)}" if known else "there is none"
            sentences.extend(
                f"Setting `statistics`: the {kind} `{member}` of the query "
                f"`{self.name}` is not known; {others}."
                for member in members
                if member not in known
            )

        if self._offered is None:
            check("scope", [self.scope], sorted(SCOPES))
            return sentences
        measures, dimensions, times, _ = self._offered
        check("measure", self.measures if measures else (), measures)
        check("dimension", self.dimensions if dimensions else (), dimensions)
        if self.time_dimension:
            check("time dimension", [self.time_dimension], times)
        return sentences

    @cached_property
    def columns(self) -> Mapping[str, str]:
        """From each dimension and measure to its column, such as `agent_id`."""
        return {member: _snake(member) for member in (*self.dimensions, *self.measures)}

    @cached_property
    def schema(self) -> dict[str, Any]:
        """JSON schema of the rows."""
        start = f"Start of the {self.granularity}, in the time zone of the query."
        properties: dict[str, Any] = {
            "id": {
                "type": ["string"],
                "description": "Key: the period and the values of the dimensions.",
            },
            "period_start": {
                "type": ["string", "null"],
                "format": "date-time",
                "description": start,
            },
            "timezone": {
                "type": ["string", "null"],
                "description": "IANA time zone of the query.",
            },
            "read_datetime": {
                "type": ["string", "null"],
                "format": "date-time",
                "description": "When the figures were read. Rows of a period that were "
                "read before others of it no longer hold.",
            },
        }
        for member in self.dimensions:
            properties[self.columns[member]] = {
                "type": ["string", "null"],
                "description": f"Dimension `{member}` of the statistics.",
            }
        for member in self.measures:
            unknown = f"Measure `{member}`, in the unit that Gorgias uses."
            properties[self.columns[member]] = {
                "type": ["number", "null"],
                "description": _MEASURES.get(member, unknown),
            }
        return {"type": "object", "properties": properties}


_BY_AGENT = ("agentId", "channel")
_COUNT = ("ticketCount",)
_SURVEYS = ("averageSurveyScore", "scoredSurveysCount", "responseRate")

PRESETS: Mapping[str, StatisticsQuery] = {
    scope.replace("-", "_").removesuffix("_surveys"): StatisticsQuery(
        scope.replace("-", "_").removesuffix("_surveys"), scope, measures, dimensions
    )
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
}
"""Each by day, with agent and channel where the scope has them."""


def read_queries(entries: Any) -> tuple[list[StatisticsQuery], list[str]]:  # noqa: ANN401
    """Check the setting `statistics`.

    Args:
        entries: A list of names of presets, and of objects that hold a query.

    Returns:
        The queries, and a sentence for each entry that is none.
    """
    if not isinstance(entries, (list, tuple)):
        return [], ["Setting `statistics` must be of type array."]
    queries: dict[str, StatisticsQuery] = {}
    problems: list[str] = []
    for number, entry in enumerate(entries, start=1):
        query, problem = _query_or_problem(entry)
        if query and query.name in queries:
            problem = f"has the name `{query.name}` of an entry before it"
        if problem:
            problems.append(f"Setting `statistics`: entry {number} {problem}.")
        elif query:
            queries[query.name] = query
    return list(queries.values()), problems


def _query_or_problem(entry: Any) -> tuple[StatisticsQuery | None, str]:  # noqa: ANN401
    try:
        return _query(entry), ""
    except ValueError as problem:
        return None, str(problem)


def _query(entry: Any) -> StatisticsQuery:  # noqa: ANN401
    if isinstance(entry, str):
        return _preset(entry)
    if not isinstance(entry, dict):
        message = "must be the name of a preset, or an object"
        raise ValueError(message)  # noqa: TRY004 (one verdict for all bad input)
    for key in entry.keys() - _KEYS:
        message = f"has an unknown key `{key[:80]}`; known are {_listed(sorted(_KEYS))}"
        raise ValueError(message)
    query = StatisticsQuery(
        name=_text(entry, "name", _NAME, "small letters, digits and `_`"),
        scope=_text(entry, "scope", _SCOPE, "small letters, digits and `-`"),
        measures=_members(entry, "measures"),
        dimensions=_members(entry, "dimensions"),
        granularity=entry.get("granularity", "day"),
        filters=_filters(entry.get("filters", [])),
        time_dimension=_text(entry, "time_dimension", _MEMBER, "letters and digits")
        if "time_dimension" in entry
        else "",
    )
    if not query.measures:
        message = "lacks `measures`, for example `ticketCount`"
        raise ValueError(message)
    if query.granularity not in GRANULARITIES:
        message = f"must have a `granularity` of {_listed(GRANULARITIES)}"
        raise ValueError(message)
    columns = [*_TAKEN, *map(_snake, (*query.dimensions, *query.measures))]
    for column in columns:
        if columns.count(column) > 1:
            message = f"would have two columns `{column}`"
            raise ValueError(message)
    return query


def _preset(name: str) -> StatisticsQuery:
    if name in PRESETS:
        return PRESETS[name]
    near = difflib.get_close_matches(name, PRESETS, n=1)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    message = (
        f"names `{name[:80]}`, which is no preset.{hint} "
        f"Presets are {_listed(sorted(PRESETS))}"
    )
    raise ValueError(message)


def _text(entry: Mapping[str, Any], key: str, form: re.Pattern[str], told: str) -> str:
    value = entry.get(key)
    if value is None:
        message = f"lacks `{key}`"
        raise ValueError(message)
    if not isinstance(value, str) or not form.fullmatch(value):
        message = f"has a `{key}` that is not made of {told}, beginning with a letter"
        raise ValueError(message)
    return value


def _members(entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
    values = entry.get(key, [])
    if not isinstance(values, list) or not all(
        isinstance(value, str) and _MEMBER.fullmatch(value) for value in values
    ):
        message = f"must have names such as `agentId` in the list `{key}`"
        raise ValueError(message)
    return tuple(values)


def _filters(values: Any) -> tuple[Mapping[str, Any], ...]:  # noqa: ANN401
    if not isinstance(values, list) or not all(map(_is_filter, values)):
        message = (
            "must have objects of `member`, `operator` and `values` in `filters`; "
            "`tags` and `customFields` have `operator` inside `values`"
        )
        raise ValueError(message)
    if any(one["member"] in {"periodStart", "periodEnd"} for one in values):
        message = "must not filter by period: the tap does"
        raise ValueError(message)
    return tuple(values)


def _is_filter(one: Any) -> bool:  # noqa: ANN401
    if not isinstance(one, dict) or not isinstance(one.get("values"), list):
        return False
    inner = _CONDITIONS.get(str(one.get("member")))
    if inner is None:
        return _is_condition(one, "member")
    return one.keys() == {"member", "values"} and all(
        _is_condition(condition, *inner) for condition in one["values"]
    )


def _is_condition(one: Any, *more: str) -> bool:  # noqa: ANN401
    return (
        isinstance(one, dict)
        and one.keys() == {"operator", "values", *more}
        and isinstance(one["operator"], str)
        and isinstance(one["values"], list)
        and isinstance(one.get("member", ""), str)
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _snake(member: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", member).lower()
