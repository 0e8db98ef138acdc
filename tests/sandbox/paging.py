"""Pages of a collection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.sandbox.cursors import Cursor
from tests.sandbox.index import Index, dig, sort_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.sandbox.collection import Collection, Row


@dataclass(frozen=True)
class Selection:
    """The requested rows and their order."""

    order: str  # such as "created_datetime:desc"
    ids: Iterable[int] | None = None  # restricts the rows, if known in advance
    after: int | None = None  # created_datetime, inclusive
    before: int | None = None  # created_datetime, inclusive
    keep: Callable[[Row], bool] | None = None

    @property
    def field(self) -> str:
        """The field that the rows are sorted by."""
        return self.order.split(":")[0]

    @property
    def ascending(self) -> bool:
        """Whether the lowest value comes first."""
        return self.order.endswith(":asc")


@dataclass(frozen=True)
class Page:
    """Rows, and the cursors of the adjacent pages."""

    rows: list[Row]
    next: Cursor | None
    prev: Cursor | None


def read_page(
    collection: Collection, selection: Selection, cursor: Cursor | None, limit: int
) -> Page:
    """Return the page after or before a cursor; without one, the first page."""
    field, ascending = selection.field, selection.ascending
    if selection.ids is None:
        index = collection.index(field)
    else:
        known = (row_id for row_id in selection.ids if row_id in collection)
        index = Index.of_rows(field, map(collection.row, known))

    low = 0 if selection.after is None else index.start(selection.after)
    high = len(index) if selection.before is None else index.end(selection.before)
    onwards = cursor is None or cursor.direction == "next"
    upwards = ascending == onwards
    start = low if upwards else high
    if cursor:
        key = sort_key(field, cursor.value)
        place = index.end if upwards else index.start
        start = min(max(place(key, cursor.row_id), low), high)

    positions = range(start, high) if upwards else range(start - 1, low - 1, -1)
    rows: list[Row] = []
    for position in positions:
        row = collection.row(index.ids[position])
        if selection.keep is None or selection.keep(row):
            rows.append(row)
            if len(rows) > limit:
                break
    more = len(rows) > limit
    came_from = cursor is not None and start != (low if upwards else high)
    rows = rows[:limit] if onwards else rows[:limit][::-1]
    has_next, has_prev = (more, came_from) if onwards else (came_from, more)
    return Page(
        rows,
        Cursor("next", dig(rows[-1], field), rows[-1]["id"])
        if rows and has_next
        else None,
        Cursor("prev", dig(rows[0], field), rows[0]["id"])
        if rows and has_prev
        else None,
    )
