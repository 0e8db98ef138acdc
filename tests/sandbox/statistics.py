"""The endpoint for statistics, `POST /api/reporting/stats`."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn
from zlib import crc32
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tests.sandbox.answers import Answer, Refusal, reject
from tests.sandbox.parameters import Query, read_limit, reject_unknown
from tests.sandbox.scopes import BROKEN_SCOPES, FILTERS, SCOPES, Fact, Scope, measure
from tests.sandbox.times import micros

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.sandbox.collection import Row
    from tests.sandbox.endpoints import Report
    from tests.sandbox.shop import Shop

_LONGEST = timedelta(days=366)
_PERIOD = {"periodStart": "afterDate", "periodEnd": "beforeDate"}
_TRUNCATE: dict[str, Callable[[datetime], datetime]] = {
    "hour": lambda timestamp: timestamp,
    "day": lambda timestamp: timestamp.replace(hour=0),
    "week": lambda timestamp: (
        timestamp.replace(hour=0) - timedelta(days=timestamp.weekday())
    ),
    "month": lambda timestamp: timestamp.replace(hour=0, day=1),
}
_OPERATORS: dict[str, Callable[[str, list[str]], bool]] = {
    "one-of": lambda value, others: value in others,
    "all-of": lambda value, others: [value] == others,
    "not-one-of": lambda value, others: value not in others,
    "contains": lambda value, others: any(other in value for other in others),
    "set": lambda value, _: value != "None",
}
_KEYS = {"scope", "filters", "timezone", "measures", "dimensions", "time_dimensions"}
_REQUIRED = ("scope", "filters", "timezone")
_CONDITIONS: dict[str, tuple[str, ...]] = {
    "customFields": ("custom_field_id",),
    "tags": (),
}
"""Members whose filter values contain operators, and further keys of those values."""
_LIST_OPERATORS: dict[str, Callable[[set[str], set[str]], bool]] = {
    "one-of": lambda held, requested: not held.isdisjoint(requested),
    "not-one-of": lambda held, requested: held.isdisjoint(requested),
    "all-of": lambda held, requested: held >= requested,
}


def statistics(shop: Shop, endpoint: Report, query: Query, body: bytes) -> Answer:
    """Answer a query for statistics."""
    reject_unknown(query, "cursor", "limit")
    limit = read_limit(endpoint, query)
    offset = _offset(query.get("cursor", [""])[-1])
    try:
        whole = json.loads(body)
        _check_keys(whole, {"query"})
        requested = whole["query"]
        _check_keys(requested, _KEYS, _REQUIRED)
        name = requested["scope"]
        rows = _rows(shop, _scope(name), requested, offset)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        problem = f"{type(error).__name__}: {error}"
        raise Refusal(400, "Invalid query.", {"query": [problem]}) from error
    meta = {
        "scope": name,
        "prev_cursor": _cursor(max(offset - limit, 0)) if offset else None,
        "next_cursor": _cursor(offset + limit) if offset + limit < len(rows) else None,
        "total": len(rows),
        "offset": offset,
        "limit": limit,
    }
    data = rows[offset : offset + limit]
    uri = "/api/reporting/stats"
    return Answer(200, {"object": "list", "uri": uri, "data": data, "meta": meta})


def _cursor(offset: int) -> str:
    """Encode the offset of a page."""
    return b64encode(f"offset {offset}".encode()).decode()


def _offset(cursor: str) -> int:
    """Decode the offset of a page."""
    if not cursor:
        return 0
    try:
        return int(b64decode(cursor, validate=True).decode().removeprefix("offset "))
    except ValueError:
        reject("cursor", "Invalid cursor.")


def _refuse(what: str, given: object, valid: Iterable[str]) -> NoReturn:
    """Refuse an invalid part of a query and name the valid values."""
    problem = f"'{given}' is not valid. Must be one of: {', '.join(valid)}."
    raise Refusal(400, "Invalid query.", {what: [problem]})


def _scope(name: str) -> Scope:
    """Look up a scope."""
    if name in BROKEN_SCOPES:
        raise Refusal(500, "Internal server error.")
    if name not in SCOPES:
        _refuse("scope", name, (*SCOPES, *BROKEN_SCOPES))
    return SCOPES[name]


def _check_keys(given: Row, known: set[str], required: Iterable[str] = ()) -> None:
    """Check that an object has all required keys and no unknown ones."""
    for name in sorted(given.keys() - known):
        raise Refusal(400, "Invalid query.", {name: ["Unknown field."]})
    for name in required:
        if name not in given:
            problem = "Missing data for required field."
            raise Refusal(400, "Invalid query.", {name: [problem]})


def _rows(shop: Shop, scope: Scope, query: Row, offset: int) -> list[Row]:
    """Compute all rows of a query."""
    try:
        zone = ZoneInfo(query.get("timezone") or "UTC")
    except ZoneInfoNotFoundError:
        _refuse("timezone", query["timezone"], ("an IANA name",))
    measures = _members("measures", query.get("measures") or [], scope.measures)
    if not measures:
        _refuse("measures", "", scope.measures)
    dimensions = _members("dimensions", query.get("dimensions") or [], scope.dimensions)
    periods = _granularities(scope, query.get("time_dimensions") or [])
    start, end = _period(scope, query.get("filters") or [], zone)
    groups: dict[tuple[Any, ...], list[Fact]] = defaultdict(list)
    if not dimensions and not periods:
        groups[()] = []  # the total, even if it is zero
    for fact in scope.source(shop, start, end):
        if not _keeps(query["filters"], fact):
            continue
        key: list[Any] = [_timestamp(fact.timestamp, zone, one) for one in periods]
        key += [fact.dimensions.get(name) for name in dimensions]
        groups[tuple(key)].append(fact)
    names = [scope.time or ""] * len(periods) + dimensions
    rows = [
        dict(zip(names, key, strict=True))
        | {name: measure(name, facts) for name in measures}
        for key, facts in groups.items()
    ]
    # Without an order, pages overlap.
    return sorted(rows, key=lambda row: crc32(f"{offset} {json.dumps(row)}".encode()))


def _members(what: str, names: list[str], valid: tuple[str, ...]) -> list[str]:
    """Check that all names are valid."""
    for name in names:
        if name not in valid:
            _refuse(what, name, valid)
    return names


def _granularities(scope: Scope, dimensions: list[Row]) -> list[str]:
    """Parse the granularity, if there is a time dimension."""
    if len(dimensions) > 1:
        problem = "Longer than maximum length 1."
        raise Refusal(400, "Invalid query.", {"time_dimensions": [problem]})
    for one in dimensions:
        _check_keys(one, {"dimension", "granularity"}, ("dimension", "granularity"))
    valid = (scope.time,) if scope.time else ()
    _members("time_dimensions", [one["dimension"] for one in dimensions], valid)
    names = [one["granularity"] for one in dimensions]
    return _members("granularity", names, tuple(_TRUNCATE))


def _period(scope: Scope, filters: list[Row], zone: ZoneInfo) -> tuple[int, int]:
    """Parse the required period and check the other filters."""
    given = {one["member"]: one for one in filters}
    others = (scope.required,) if scope.required else ()
    _members("filters", list(given), (*_PERIOD, *FILTERS, *scope.dimensions, *others))
    for name in (*_PERIOD, *others):
        if name not in given:
            problem = f"Missing required filter '{name}'."
            raise Refusal(400, "Invalid query.", {"filters": [problem]})
    for one in filters:
        _check_filter(one)
    timestamps = []
    for name in _PERIOD:
        timestamp = datetime.fromisoformat(
            given[name]["values"][0].replace("Z", "+00:00")
        )
        timestamps.append(
            timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=zone)
        )
    start, end = timestamps
    if not timedelta() <= end - start <= _LONGEST:
        problem = "The period must be from 0 to 366 days."
        raise Refusal(400, "Invalid query.", {"filters": [problem]})
    return micros(start.isoformat()), micros(end.isoformat())


def _check_filter(one: Row) -> None:
    """Refuse a filter whose format is not documented."""
    name = one["member"]
    if name in _CONDITIONS:
        _check_keys(one, {"member", "values"}, ("values",))
        for condition in one["values"]:
            keys = {"operator", "values", *_CONDITIONS[name]}
            _check_keys(condition, keys, keys)
            _members("operator", [condition["operator"]], tuple(_LIST_OPERATORS))
        return
    _check_keys(one, {"member", "operator", "values"}, ("operator", "values"))
    operators = (_PERIOD[name],) if name in _PERIOD else tuple(_OPERATORS)
    _members("operator", [one["operator"]], operators)


def _keeps(filters: list[Row], fact: Fact) -> bool:
    """Return whether a fact matches all filters on its dimensions."""
    return all(
        _keeps_lists(one, fact)
        if one["member"] in _CONDITIONS
        else _OPERATORS[one["operator"]](
            str(fact.dimensions[one["member"]]), list(map(str, one["values"]))
        )
        for one in filters
        if one["member"] in fact.dimensions
    )


def _keeps_lists(filter_: Row, fact: Fact) -> bool:
    """Return whether a fact matches a filter on tags or on a custom field."""
    held = fact.dimensions[filter_["member"]]
    for condition in filter_["values"]:
        values = held
        if "custom_field_id" in condition:
            values = [held.get(condition["custom_field_id"])]
        found, requested = set(map(str, values)), set(map(str, condition["values"]))
        if not _LIST_OPERATORS[condition["operator"]](found, requested):
            return False
    return True


def _timestamp(timestamp: int, zone: ZoneInfo, granularity: str) -> str:
    """Format the start of the period that contains a timestamp."""
    local = datetime.fromtimestamp(timestamp // 1_000_000, zone)
    hour = local.replace(minute=0, second=0, microsecond=0, tzinfo=None)
    return _TRUNCATE[granularity](hour).isoformat(timespec="milliseconds")
