"""Answers to the requests of the API, from the table of endpoints."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.sandbox.answers import Answer, Refusal, not_found, reject
from tests.sandbox.cursors import Cursor
from tests.sandbox.endpoints import ENDPOINTS, Document, Listing
from tests.sandbox.paging import Selection, read_page
from tests.sandbox.times import micros

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.sandbox.collection import Row
    from tests.sandbox.filters import Filter, Values
    from tests.sandbox.shop import Shop

Query = dict[str, list[str]]

# Microseconds added to the value.
_FIRST_MOMENT = {"created_datetime[gt]": 1, "created_datetime[gte]": 0}
_LAST_MOMENT = {"created_datetime[lt]": -1, "created_datetime[lte]": 0}
_BOUNDS = {*_FIRST_MOMENT, *_LAST_MOMENT}


def find(path: str) -> tuple[str, Listing | Document, int | None]:
    """Return the endpoint of a path: its name, its entry and the id asked for.

    Raises:
        Refusal: There is no such path.
    """
    _, root, name = path.rstrip("/").partition("/api/")
    if root and name in ENDPOINTS:
        return name, ENDPOINTS[name], None
    parent, _, last = name.rpartition("/")
    endpoint = ENDPOINTS.get(parent)
    if isinstance(endpoint, Listing) and last.isdecimal():
        return parent, endpoint, int(last)
    raise not_found()


def respond(shop: Shop, path: str, query: Query, echo: str, generation: int) -> Answer:
    """Answer a GET request.

    Args:
        shop: The shop.
        path: The path asked for.
        query: The query parameters.
        echo: The query as written in the request.
        generation: Cursors of an earlier generation have expired.

    Raises:
        Refusal: The request is not valid.
    """
    _, endpoint, row_id = find(path)
    query = {name.removesuffix("[]"): values for name, values in query.items()}
    if isinstance(endpoint, Document):
        return _document(shop, endpoint, query)
    if row_id is not None:
        return _detail(shop, endpoint, row_id, query, path)
    return _page(shop, endpoint, query, f"{path.rstrip('/')}?{echo}", generation)


def _reject_unknown(query: Query, *known: str) -> None:
    """Refuse parameters the endpoint does not have, all at once."""
    unknown = {name: ["Unknown field."] for name in query if name not in known}
    if unknown:
        message = "Invalid query parameters."
        raise Refusal(400, message, unknown)


def _document(shop: Shop, endpoint: Document, query: Query) -> Answer:
    """Answer with a document; a filter chooses among its data."""
    _reject_unknown(query, *endpoint.filters)
    payload = endpoint.show(shop)
    keep = _predicate(_read_filters(endpoint.filters, query), endpoint.filters)
    if keep:
        payload = payload | {"data": list(filter(keep, payload["data"]))}
    return Answer(200, payload)


def _detail(
    shop: Shop, endpoint: Listing, row_id: int, query: Query, path: str
) -> Answer:
    """Answer with one row, or say where it went."""
    _reject_unknown(query, *(["relationships"] if endpoint.relationships else []))
    collection = getattr(shop, endpoint.collection)
    if row_id == 0 and endpoint.collection == "users":
        row_id = collection.id_at(1)  # the caller
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
    _reject_unknown(query, "limit", "cursor", "order_by", *endpoint.filters, *bounds)
    selection = _selection(shop, endpoint, query)
    order = f"{endpoint.collection} {selection.order}"
    text = query.get("cursor", [""])[-1]
    cursor = Cursor.decode(text, order, selection.field, generation) if text else None
    collection = getattr(shop, endpoint.collection)
    page = read_page(collection, selection, cursor, _limit(endpoint, query))

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


def _limit(endpoint: Listing, query: Query) -> int:
    """Read how many rows a page may have."""
    text = query.get("limit", [str(endpoint.default_limit)])[-1]
    if not text.isdecimal() or not 1 <= int(text) <= endpoint.most:
        reject("limit", f"Must be an integer from 1 to {endpoint.most}.")
    return int(text)


def _selection(shop: Shop, endpoint: Listing, query: Query) -> Selection:
    """Read which rows are wanted."""
    order = query.get("order_by", [endpoint.orders[0]])[-1]
    if order not in endpoint.orders:
        reject("order_by", f"Must be one of: {', '.join(endpoint.orders)}.")
    values = _read_filters(endpoint.filters, query)
    ids = None
    for name in values:
        source = endpoint.filters[name].ids
        ids = source(shop, values[name]) if source else ids
    return Selection(
        order,
        ids,
        max(_bounds(query, _FIRST_MOMENT), default=None),
        min(_bounds(query, _LAST_MOMENT), default=None),
        _predicate(values, endpoint.filters),
    )


def _bounds(query: Query, shifts: Mapping[str, int]) -> list[int]:
    """Read the bounds of created_datetime on one side."""
    return [
        _moment(name, text) + shift
        for name, shift in shifts.items()
        for text in query.get(name, [])
    ]


def _moment(name: str, text: str) -> int:
    """Read a date-time."""
    try:
        return micros(text)
    except ValueError:
        reject(name, "Not a valid datetime.")


def _read_filters(filters: Mapping[str, Filter], query: Query) -> dict[str, Values]:
    """Read the values of all filters given."""
    for name, rule in filters.items():
        if rule.required and name not in query:
            reject(name, "Missing data for required field.")
        if name in query and rule.needs and rule.needs not in query:
            reject(rule.needs, f"Required when {name} is given.")
    given = {name: [rule.default] for name, rule in filters.items() if rule.default}
    given |= {name: query[name] for name in filters if name in query}
    return {name: filters[name].read(name, texts) for name, texts in given.items()}


def _predicate(
    values: Mapping[str, Values], filters: Mapping[str, Filter]
) -> Callable[[Row], bool] | None:
    """Join the filters given, if any."""
    if not values:
        return None
    return lambda row: all(filters[name].keep(row, values[name]) for name in values)
