"""Compares an answer with what was asked for and with what is documented."""

from __future__ import annotations

import itertools
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tap_gorgias import timestamps
from tap_gorgias.connection_test.differences import Surprise, named_in, quoted
from tap_gorgias.replication import ordering
from tap_gorgias.replication.walks import LOG_OVERLAP
from tap_gorgias.stream_types.replication import CursorStream, FeedStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_gorgias.connection_test.recorder import Observation
    from tap_gorgias.replication.pages import Row
    from tap_gorgias.stream_types.base import GorgiasStream

_SAME = {"ticket_id": "ticket_id", "types": "type", "object_type": "object_type"}
"""Filters, and the field whose values they choose."""


def surprises_of(
    stream: GorgiasStream, observations: Sequence[Observation]
) -> Iterator[Surprise]:
    """Compare what a stream was answered with what it expects.

    Args:
        stream: The stream that asked.
        observations: Its requests and what came of them.

    Yields:
        What is otherwise.
    """
    ids_before: set[str] = set()
    for seen in observations:
        if seen.refusal is not None:
            yield from _refused(seen)
            continue
        if "limit" not in seen.params:
            continue
        yield from _envelope(seen)
        rows = _rows(seen.value)
        yield from _echo(seen)
        yield from _limit(seen, rows)
        yield from _order(stream, seen, rows)
        yield from _filters(seen, rows)
        yield from _members(seen, rows)
        ids = {repr(row.get("id", row)) for row in rows}
        if "cursor" in seen.params and ids and ids <= ids_before:
            yield Surprise("`cursor` is ignored: the second page repeats the first.")
        ids_before = ids


def _refused(seen: Observation) -> Iterator[Surprise]:
    if seen.refusal is None or seen.refusal.status != HTTPStatus.BAD_REQUEST:
        return
    sent = {*seen.params, *seen.query, *_members_of(seen)}
    if names := named_in(str(seen.refusal), sent):
        yield Surprise(f"refused with 400: {quoted(names)}.")
    else:
        yield Surprise(f"refused with 400, which names none of {quoted(sent)}.")


def _envelope(seen: Observation) -> Iterator[Surprise]:
    value = seen.value
    if isinstance(value, list):
        yield Surprise("a bare array, without `data` and `meta` around it.")
        return
    if not isinstance(value, dict):
        return  # The stream fails, and says so.
    for name in ("data", "meta"):
        if value.get(name) is None:
            state = "is null" if name in value else "is missing"
            yield Surprise(f"`{name}` {state} in the answer.")
    meta = value.get("meta")
    leads_on = _leads_on(seen)
    if isinstance(meta, dict) and leads_on not in meta:
        yield Surprise(f"`{leads_on}` is missing in `meta`.")


def _leads_on(seen: Observation) -> str:
    """Name what leads to the next page; items of views are paged in their own way."""
    return "next_items" if seen.path.endswith("/items") else "next_cursor"


def _echo(seen: Observation) -> Iterator[Surprise]:
    uri = seen.value.get("uri") if isinstance(seen.value, dict) else None
    if not isinstance(uri, str) or "?" not in uri:
        return
    try:
        echoed = {
            name.removesuffix("[]"): values
            for name, values in parse_qs(urlsplit(uri).query).items()
        }
    except ValueError:
        return
    sent = {name: value for name, value in seen.params.items() if name != "cursor"}
    if missing := sent.keys() - echoed.keys():
        told = quoted(missing)
        yield Surprise(f"missing in the `uri` that the answer echoes: {told}.")
    # Timestamps and lists may be written in another form.
    plain = {
        name: values
        for name, values in sent.items()
        if len(values) == 1 and "[" not in name
    }
    if other := {
        name for name, values in plain.items() if echoed.get(name, values) != values
    }:
        told = quoted(other)
        yield Surprise(f"of another value in the `uri` that the answer echoes: {told}.")


def _limit(seen: Observation, rows: list[Row]) -> Iterator[Surprise]:
    limit = int(seen.params["limit"][0])
    if len(rows) > limit:
        yield Surprise("`limit` is ignored: more rows come.")
    meta = seen.value.get("meta") if isinstance(seen.value, dict) else None
    goes_on = isinstance(meta, dict) and meta.get(_leads_on(seen))
    if len(rows) < limit and goes_on and not seen.query:
        yield Surprise("fewer rows than `limit` allows, although more follow.")


def _order(
    stream: GorgiasStream, seen: Observation, rows: list[Row]
) -> Iterator[Surprise]:
    (asked,) = seen.params.get("order_by", [None])
    wanted = asked
    if seen.query:
        wanted = next((":".join(one) for one in seen.query.get("order", ())), None)
    elif isinstance(stream, (CursorStream, FeedStream)) and seen.path == stream.path:
        wanted = asked or f"{stream.replication_key}:{_direction(stream)}"
    if not isinstance(wanted, str):
        return
    field, _, direction = wanted.partition(":")
    values = [row.get(field) for row in rows]
    if direction == "desc":
        values.reverse()
    # As in `reading.by_cursor`.
    overlap = LOG_OVERLAP if isinstance(stream, CursorStream) else timedelta(0)
    if not _rises(values, overlap):
        how = "asked for" if asked or seen.query else "expected"
        yield Surprise(f"not in the order {how}, `{wanted}`.")


def _direction(stream: GorgiasStream) -> str:
    return "asc" if isinstance(stream, CursorStream) else "desc"


def _rises(values: list[Any], overlap: timedelta) -> bool:
    numbers = [value for value in values if isinstance(value, (int, float))]
    moments = [moment for value in values if (moment := ordering.moment_of(value))]
    newest = itertools.accumulate(moments, max)
    return numbers == sorted(numbers) and all(
        moment >= timestamps.earlier(before, overlap)
        for before, moment in zip(newest, moments, strict=True)
    )


def _filters(seen: Observation, rows: list[Row]) -> Iterator[Surprise]:
    for name, values in seen.params.items():
        field = name.removesuffix("[gte]")
        if field != name:
            least = ordering.moment_of(values[0])
            kept = not any(ordering.is_before(row.get(field), least) for row in rows)
        elif name in _SAME:
            kept = all(str(row.get(_SAME[name], values[0])) in values for row in rows)
        else:
            continue
        if not kept:
            yield Surprise(f"`{name}` is ignored: other rows come, too.")


def _members(seen: Observation, rows: list[Row]) -> Iterator[Surprise]:
    """Compare the rows of a report with the members that were asked for."""
    wanted = set(_members_of(seen))
    if not rows or not wanted:
        return
    found = {name for row in rows for name in row}
    if missing := wanted - found:
        yield Surprise(f"missing in the rows: {quoted(missing)}.")
    if unknown := found - wanted:
        yield Surprise(
            f"not asked for, but in the rows: {quoted(unknown)}.", is_harmless=True
        )


def _members_of(seen: Observation) -> list[str]:
    periods = [one["dimension"] for one in seen.query.get("time_dimensions", ())]
    query = seen.query
    return [*periods, *query.get("dimensions", ()), *query.get("measures", ())]


def _rows(value: Any) -> list[Row]:  # noqa: ANN401
    rows = value.get("data") if isinstance(value, dict) else value
    listed = rows if isinstance(rows, list) else []
    return [row for row in listed if isinstance(row, dict)]
