"""The items of a view, which have their own kind of paging.

A cursor alone returns the page that it was issued with. Only together with
`ignored_item`, the last item of that page, does it return the next page.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from tests.sandbox.answers import Answer, not_found, reject
from tests.sandbox.cursors import Cursor
from tests.sandbox.paging import Selection, read_page
from tests.sandbox.parameters import Query, read_limit, read_order, reject_unknown
from tests.sandbox.views import as_item, collection_of, row_filter

if TYPE_CHECKING:
    from tests.sandbox.collection import Row
    from tests.sandbox.endpoints import Items
    from tests.sandbox.shop import Shop


@dataclass(frozen=True)
class ItemsCursor:
    """The boundaries of a page of items."""

    view_id: int
    order: str
    generation: int
    start: tuple[Any, int] | None  # the item before the page
    end: Any  # the sort value of the last item

    def encode(self) -> str:
        """Encode the cursor."""
        parts = [self.view_id, self.order, self.generation, self.start, self.end]
        return b64encode(json.dumps(parts).encode()).decode()

    @classmethod
    def decode(cls, text: str, view_id: int, generation: int) -> ItemsCursor:
        """Decode a cursor of a view."""
        try:
            cursor = cls(*json.loads(b64decode(text, validate=True)))
        except (ValueError, TypeError):
            reject("cursor", "Invalid cursor.")
        if cursor.view_id != view_id:
            reject("cursor", "Cursor of another view.")
        if cursor.generation < generation:
            reject("cursor", "Expired cursor.")
        return cursor


def view_items(
    shop: Shop, endpoint: Items, view_id: int, query: Query, path: str, generation: int
) -> Answer:
    """Answer with a page of a view's items."""
    known = ("cursor", "direction", "ignored_item", "limit", "order_by")
    reject_unknown(query, *known)
    if view_id not in shop.views:
        raise not_found()
    view = shop.views.row(view_id)
    if view["deactivated_datetime"]:
        raise not_found()
    limit = read_limit(endpoint, query)
    text = query.get("cursor", [""])[-1]
    cursor = ItemsCursor.decode(text, view_id, generation) if text else None
    order = read_order(
        endpoint.orders_of(view),
        query,
        cursor.order if cursor else _default_order(view),
    )
    if cursor and cursor.order != order:
        reject("cursor", "Cursor of another order.")
    keep, ids = row_filter(view)
    place = _place(cursor, query)
    selection = Selection(order, ids, keep=keep)
    page = read_page(collection_of(shop, view), selection, place, limit)
    following = None
    if page.next:
        start = (place.value, place.row_id) if place else None
        last = ItemsCursor(view_id, order, generation, start, page.next.value)
        following = _link(path, last.encode(), page.next.row_id)
    meta = {"next_items": following, "prev_items": None, "current_cursor": text or None}
    data: list[Row] = [as_item(view, row) for row in page.rows]
    return Answer(200, {"data": data, "meta": meta})


def _default_order(view: Row) -> str:
    """Return the order that is configured in a view."""
    return f"{view['order_by'] or 'updated_datetime'}:{view['order_dir'] or 'desc'}"


def _link(path: str, cursor: str, last_id: int) -> str:
    """Return the URL of the next page."""
    query = {"cursor": cursor, "direction": "next", "ignored_item": last_id}
    return f"{path.rstrip('/')}?{urlencode(query)}"


def _place(cursor: ItemsCursor | None, query: Query) -> Cursor | None:
    """Parse the position at which the page starts, which may be after an item."""
    direction = query.get("direction", ["next"])[-1]
    if direction not in {"next", "prev"}:
        reject("direction", "Must be one of: next, prev.")
    ignored = query.get("ignored_item", [""])[-1]
    if ignored and not ignored.isdecimal():
        reject("ignored_item", "Not a valid integer.")
    if cursor is None:
        return None
    if not ignored:
        return Cursor("next", *cursor.start) if cursor.start else None
    place = Cursor("next", cursor.end, int(ignored))
    return replace(place, direction="prev") if direction == "prev" else place
