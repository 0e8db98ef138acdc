"""Routing of API requests by the table of endpoints."""

from __future__ import annotations

from dataclasses import replace
from re import sub
from typing import TYPE_CHECKING, Any

from tests.sandbox.answers import Answer, not_found, reject
from tests.sandbox.cursors import Cursor
from tests.sandbox.endpoints import ENDPOINTS, Document, Items, Listing, Report
from tests.sandbox.items import view_items
from tests.sandbox.paging import Selection, read_page
from tests.sandbox.parameters import Query, read_limit, read_order, reject_unknown
from tests.sandbox.statistics import statistics
from tests.sandbox.times import micros

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.sandbox.collection import Row
    from tests.sandbox.filters import Filter, Values
    from tests.sandbox.shop import Shop

Endpoint = Listing | Document | Items | Report

# Microseconds to add to the value, which make the bound inclusive.
_FIRST_TIMESTAMP = {"created_datetime[gt]": 1, "created_datetime[gte]": 0}
_LAST_TIMESTAMP = {"created_datetime[lt]": -1, "created_datetime[lte]": 0}
_BOUNDS = {*_FIRST_TIMESTAMP, *_LAST_TIMESTAMP}


def find_endpoint(path: str) -> tuple[str, Endpoint, int | None]:
    """Return the name, the definition and the requested id of an endpoint."""
    _, root, name = path.rstrip("/").partition("/api/")
    if not root:
        raise not_found()
    numbers = [int(part) for part in name.split("/") if part.isdecimal()]
    pattern = sub(r"(?<=/)[0-9]+(?=/|$)", "{id}", name)
    parent = pattern.removesuffix("/{id}")
    if pattern in ENDPOINTS:
        return pattern, ENDPOINTS[pattern], numbers[0] if numbers else None
    endpoint = ENDPOINTS.get(parent)
    if numbers and isinstance(endpoint, Listing):
        return parent, endpoint, numbers[-1]
    raise not_found()


def respond(
    shop: Shop, path: str, query: Query, echo: str, generation: int, body: bytes = b""
) -> Answer:
    """Answer a request."""
    _, endpoint, row_id = find_endpoint(path)
    query = {name.removesuffix("[]"): values for name, values in query.items()}
    if isinstance(endpoint, Report):
        return statistics(shop, endpoint, query, body)
    if isinstance(endpoint, Items):
        return view_items(shop, endpoint, row_id or 0, query, path, generation)
    if isinstance(endpoint, Document):
        return _document(shop, endpoint, query)
    if row_id is not None:
        return _detail(shop, endpoint, row_id, query, path)
    return _page(shop, endpoint, query, f"{path.rstrip('/')}?{echo}", generation)


def _document(shop: Shop, endpoint: Document, query: Query) -> Answer:
    """Answer with a document whose data may be filtered."""
    reject_unknown(query, *endpoint.filters)
    payload = endpoint.show(shop)
    values = _read_filters(shop, endpoint.filters, query)
    keep = _predicate(values, endpoint.filters)
    if keep:
        payload = payload | {"data": list(filter(keep, payload["data"]))}
    return Answer(200, payload)


def _detail(
    shop: Shop, endpoint: Listing, row_id: int, query: Query, path: str
) -> Answer:
    """Answer with a single row, or redirect to the row that it was merged into."""
    reject_unknown(query, *(["relationships"] if endpoint.relationships else []))
    collection = getattr(shop, endpoint.collection)
    if row_id == 0 and endpoint.collection == "users":
        row_id = collection.id_at(1)  # the authenticated user
    if row_id in collection:
        return Answer(200, endpoint.detail(shop, collection.row(row_id)))
    if collection.merged_into(row_id) is None:
        raise not_found()
    parent = path.rstrip("/").rpartition("/")[0]
    location = f"{parent}/{collection.survivor(row_id)}/"
    return Answer(301, headers={"Location": location})


def _page(
    shop: Shop, endpoint: Listing, query: Query, uri: str, generation: int
) -> Answer:
    """Answer with a page of rows."""
    bounds = _BOUNDS if endpoint.created_range else ()
    order_by = ("order_by",) if endpoint.orders else ()
    reject_unknown(query, "limit", "cursor", *order_by, *endpoint.filters, *bounds)
    selection = _selection(shop, endpoint, query)
    order = f"{endpoint.collection} {selection.order}"
    text = query.get("cursor", [""])[-1]
    cursor = Cursor.decode(text, order, selection.field, generation) if text else None
    collection = getattr(shop, endpoint.collection)
    page = read_page(collection, selection, cursor, read_limit(endpoint, query))

    def encode(place: Cursor | None) -> str | None:
        if place is None:
            return None
        return replace(place, generation=generation, order=order).encode()

    meta: dict[str, Any] = {
        "prev_cursor": encode(page.prev),
        "next_cursor": encode(page.next),
    }
    if endpoint.total_resources:
        meta["total_resources"] = None
    payload = {"object": "list", "uri": uri, "data": page.rows, "meta": meta}
    return Answer(200, payload)


def _selection(shop: Shop, endpoint: Listing, query: Query) -> Selection:
    """Parse which rows are requested."""
    default = endpoint.order or endpoint.orders[0]
    order = read_order(endpoint.orders, query, default)
    values = _read_filters(shop, endpoint.filters, query)
    ids = None
    for name in values:
        source = endpoint.filters[name].ids
        ids = source(shop, values[name]) if source else ids
    return Selection(
        order,
        ids,
        max(_bounds(query, _FIRST_TIMESTAMP), default=None),
        min(_bounds(query, _LAST_TIMESTAMP), default=None),
        _predicate(values, endpoint.filters),
    )


def _bounds(query: Query, shifts: Mapping[str, int]) -> list[int]:
    """Parse the lower or upper bounds of created_datetime."""
    return [
        _timestamp(name, text) + shift
        for name, shift in shifts.items()
        for text in query.get(name, [])
    ]


def _timestamp(name: str, text: str) -> int:
    """Parse a date-time."""
    try:
        return micros(text)
    except ValueError:
        reject(name, "Not a valid datetime.")


def _read_filters(
    shop: Shop, filters: Mapping[str, Filter], query: Query
) -> dict[str, Values]:
    """Parse the values of all filters in the query."""
    for name, rule in filters.items():
        if rule.required and name not in query:
            reject(name, "Missing data for required field.")
        if name in query and rule.requires and rule.requires not in query:
            reject(rule.requires, f"Required when {name} is given.")
    defaults = {name: rule.default(shop) for name, rule in filters.items()}
    given = {name: [text] for name, text in defaults.items() if text is not None}
    given |= {name: query[name] for name in filters if name in query}
    return {name: filters[name].read(name, texts) for name, texts in given.items()}


def _predicate(
    values: Mapping[str, Values], filters: Mapping[str, Filter]
) -> Callable[[Row], bool] | None:
    """Combine the filters in the query, if there are any."""
    if not values:
        return None
    return lambda row: all(filters[name].keep(row, values[name]) for name in values)
