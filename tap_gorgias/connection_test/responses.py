"""Compares the responses of list endpoints with the requests and the API reference."""

from __future__ import annotations

import itertools
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tap_gorgias import timestamps
from tap_gorgias.connection_test.differences import Difference, mentioned_in, quoted
from tap_gorgias.replication import ordering
from tap_gorgias.replication.walks import OVERLAP
from tap_gorgias.stream_types.replication import CursorStream, FeedStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_gorgias.connection_test.recorder import Exchange
    from tap_gorgias.errors import ApiError
    from tap_gorgias.stream_types.base import GorgiasStream

_FILTERED_FIELDS = {
    "ticket_id": "ticket_id",
    "types": "type",
    "object_type": "object_type",
}
"""Filters, and the fields that they filter by."""
_EARLIEST = "[gte]"
"""How the names of filters by the earliest timestamp end."""


def response_differences(
    stream: GorgiasStream, exchanges: Sequence[Exchange]
) -> Iterator[Difference]:
    """Find the differences between responses and what a stream expects.

    Args:
        stream: The stream that sent the requests.
        exchanges: Its requests and their responses. Responses without pages are not
            compared.

    Yields:
        Each difference. The same one may occur several times.
    """
    previous_ids: set[str] = set()
    for exchange in exchanges:
        if exchange.error is not None:
            yield from _rejected_parameters(exchange, exchange.error)
            continue
        if "limit" not in exchange.params:
            continue
        yield from _envelope(exchange)
        yield from _echoed_parameters(exchange)
        yield from _limit(exchange)
        yield from _order(stream, exchange)
        yield from _filters(exchange)
        yield from _columns(exchange)
        ids = {repr(row.get("id", row)) for row in exchange.rows}
        if "cursor" in exchange.params and ids and ids <= previous_ids:
            yield Difference("`cursor` is ignored: the second page repeats the first.")
        previous_ids = ids


def _rejected_parameters(exchange: Exchange, error: ApiError) -> Iterator[Difference]:
    if error.status != HTTPStatus.BAD_REQUEST:
        return
    sent = {*exchange.params, *exchange.query, *exchange.columns}
    if names := mentioned_in(str(error), sent):
        yield Difference(f"refused with 400: {quoted(names)}.")
    else:
        yield Difference(f"refused with 400; the message names none of {quoted(sent)}.")


def _envelope(exchange: Exchange) -> Iterator[Difference]:
    body = exchange.body
    if isinstance(body, list):
        yield Difference("a bare array, without `data` and `meta`.")
        return
    if not isinstance(body, dict):
        return  # The stream raises an error.
    for name in ("data", "meta"):
        if body.get(name) is None:
            state = "is null" if name in body else "is missing"
            yield Difference(f"`{name}` {state}.")
    if exchange.meta is not None and exchange.next_page_key not in exchange.meta:
        yield Difference(f"`{exchange.next_page_key}` is missing from `meta`.")


def _echoed_parameters(exchange: Exchange) -> Iterator[Difference]:
    """Compare the parameters with `uri`, in which some lists repeat the request."""
    uri = exchange.body.get("uri") if isinstance(exchange.body, dict) else None
    if not isinstance(uri, str) or "?" not in uri:
        return
    try:
        params = parse_qs(urlsplit(uri).query)
    except ValueError:
        return
    echoed = {name.removesuffix("[]"): values for name, values in params.items()}
    sent = {name: value for name, value in exchange.params.items() if name != "cursor"}
    if missing := sent.keys() - echoed.keys():
        names = quoted(missing)
        yield Difference(f"missing from the `uri` in the response: {names}.")
    changed = {
        name
        for name, values in sent.items()
        # Timestamps and lists may be formatted differently.
        if len(values) == 1 and "[" not in name and echoed.get(name, values) != values
    }
    if changed:
        names = quoted(changed)
        yield Difference(f"changed in the `uri` in the response: {names}.")


def _limit(exchange: Exchange) -> Iterator[Difference]:
    limit = int(exchange.params["limit"][0])
    count = len(exchange.rows)
    if count > limit:
        yield Difference("`limit` is ignored: the page has more rows.")
    has_next_page = exchange.meta and exchange.meta.get(exchange.next_page_key)
    if count < limit and has_next_page and not exchange.query:
        yield Difference("fewer rows than `limit`, although more follow.")


def _order(stream: GorgiasStream, exchange: Exchange) -> Iterator[Difference]:
    requested = exchange.order
    expected = requested or _default_order(stream, exchange)
    if expected is None:
        return
    field, _, direction = expected.partition(":")
    values = [row.get(field) for row in exchange.rows]
    if direction == "desc":
        values.reverse()
    # The overlap that `walks.by_cursor` allows for.
    overlap = OVERLAP if isinstance(stream, CursorStream) else timedelta(0)
    if not _are_ascending(values, overlap):
        source = "requested" if requested else "expected"
        yield Difference(f"not in the {source} order, `{expected}`.")


def _default_order(stream: GorgiasStream, exchange: Exchange) -> str | None:
    """Return the order in which a stream expects rows without requesting it."""
    if exchange.path != stream.path:
        return None
    if isinstance(stream, CursorStream):
        return f"{stream.replication_key}:asc"
    if isinstance(stream, FeedStream):
        return f"{stream.replication_key}:desc"
    return None


def _are_ascending(values: list[Any], overlap: timedelta) -> bool:
    numbers = [value for value in values if isinstance(value, (int, float))]
    times = [time for value in values if (time := ordering.timestamp_of(value))]
    newest = itertools.accumulate(times, max)
    return numbers == sorted(numbers) and all(
        time >= timestamps.earlier(latest, overlap)
        for latest, time in zip(newest, times, strict=True)
    )


def _filters(exchange: Exchange) -> Iterator[Difference]:
    for name, values in exchange.params.items():
        if name.endswith(_EARLIEST):
            field = name.removesuffix(_EARLIEST)
            earliest = ordering.timestamp_of(values[0])
            is_applied = not any(
                ordering.is_before(row.get(field), earliest) for row in exchange.rows
            )
        elif name in _FILTERED_FIELDS:
            field = _FILTERED_FIELDS[name]
            is_applied = all(
                str(row.get(field, values[0])) in values for row in exchange.rows
            )
        else:
            continue
        if not is_applied:
            yield Difference(f"`{name}` is ignored: the page has other rows too.")


def _columns(exchange: Exchange) -> Iterator[Difference]:
    requested = exchange.columns
    if not exchange.rows or not requested:
        return
    found = {name for row in exchange.rows for name in row}
    if missing := requested - found:
        yield Difference(f"missing from the rows: {quoted(missing)}.")
    if unknown := found - requested:
        yield Difference(
            f"in the rows, but not requested: {quoted(unknown)}.", is_harmless=True
        )
