"""A collection of generated rows that records changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.sandbox.index import Index, dig, sort_key
from tests.sandbox.times import iso

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Iterator, Mapping

    from tests.sandbox.shop import Shop

Row = dict[str, Any]

_STEP = 7  # ids have gaps, as after deletions
_CACHE_SIZE = 2_000  # maximum number of cached rows
_MERGED = 3  # offset of the id that was merged into a generated row


class Collection:
    """Rows by id, with an index for every field that they are sorted by.

    Generated rows are not stored: `make` builds each from its position. Only
    created or changed rows are stored.

    Args:
        shop: The shop that it belongs to.
        object_type: The object type that events name, such as "Ticket".
        first_id: The id of the first generated row.
        count: How many rows are generated.
        make: Builds a generated row from (position, id).
        make_new: Builds a new row from (id, timestamp).
        timestamps: The timestamps of generated rows by field and position.
    """

    mergeable = False

    def __init__(
        self,
        shop: Shop,
        object_type: str,
        *,
        first_id: int,
        count: int,
        make: Callable[[int, int], Row],
        make_new: Callable[[int, int], Row],
        timestamps: Mapping[str, Callable[[], array[int]]],
    ) -> None:
        self.object_type = object_type
        self._shop = shop
        self._first_id = first_id
        self._count = count
        self._make = make
        self._make_new = make_new
        self._timestamps = timestamps
        self._next_id = first_id + count * _STEP
        self._stored: dict[int, Row] = {}
        self._removed: dict[int, int | None] = {}
        self._indexes: dict[str, Index] = {}
        self._made: dict[int, Row] = {}
        self._made_at = shop.timestamp

    def id_at(self, position: int) -> int:
        """Return the id of a generated row."""
        return self._first_id + position * _STEP

    def position_of(self, row_id: int) -> int | None:
        """Return the position of a generated row, or None for other ids."""
        position, rest = divmod(row_id - self._first_id, _STEP)
        return position if rest == 0 and 0 <= position < self._count else None

    def __len__(self) -> int:
        """Return the number of existing rows."""
        return len(self.index("created_datetime"))

    def __contains__(self, row_id: object) -> bool:
        """Return whether a row exists."""
        if not isinstance(row_id, int) or row_id in self._removed:
            return False
        return row_id in self._stored or self.position_of(row_id) is not None

    def ids(self) -> list[int]:
        """Return the ids of all rows in ascending order."""
        return sorted(self.index("created_datetime").ids)

    def rows(self) -> Iterator[Row]:
        """Yield all rows by id, as the API lists them."""
        return map(self.row, self.ids())

    def row(self, row_id: int) -> Row:
        """Return a row as the API lists it."""
        if row_id in self._stored:
            return dict(self._stored[row_id])
        position = self.position_of(row_id)
        if position is None or row_id in self._removed:
            raise KeyError(row_id)
        return dict(self._generated_row(position, row_id))

    def _generated_row(self, position: int, row_id: int) -> Row:
        """Build a generated row, or take it from the cache.

        Rows contain parts of other collections' rows, so any change clears the cache.
        """
        if self._made_at != self._shop.timestamp or len(self._made) >= _CACHE_SIZE:
            self._made.clear()
            self._made_at = self._shop.timestamp
        row = self._made.get(row_id) or self._make(position, row_id)
        self._made[row_id] = row
        return row

    def stored_rows(self) -> list[Row]:
        """Return the rows that were created or changed."""
        return list(self._stored.values())

    def survivor(self, row_id: int) -> int:
        """Follow merges from an id to the remaining row."""
        while (target := self.merged_into(row_id)) is not None:
            row_id = target
        return row_id

    def merged_into(self, row_id: int) -> int | None:
        """Return the id that a row was merged into, if any."""
        if row_id in self._removed:
            return self._removed[row_id]
        target = row_id - _MERGED
        known = self.mergeable and self.position_of(target) is not None
        return target if known else None

    def source_of(self, row_id: int) -> int:
        """Return an id that was merged into a generated row long ago."""
        return row_id + _MERGED

    def index(self, field: str) -> Index:
        """Return the index of a field."""
        if field not in self._indexes:
            self._indexes[field] = self._make_index(field)
        return self._indexes[field]

    def _make_index(self, field: str) -> Index:
        """Index the generated rows, using known timestamps where possible.

        `_prepare` does this before the first change; other fields are indexed on use.
        """
        ids = range(self._first_id, self._first_id + self._count * _STEP, _STEP)
        if field == "created_datetime":
            return Index.of_sorted(self._timestamps[field](), ids)
        if field in self._timestamps:
            return Index.of_timestamps(self._timestamps[field](), ids)
        return Index.of_rows(field, self.rows())

    def update(self, row_id: int, *, touch: bool = True, **fields: Any) -> None:
        """Change fields of a row."""
        with self._shop.lock:
            timestamp = self._shop.tick()
            row = self.row(row_id)
            if touch and "updated_datetime" in row:
                row["updated_datetime"] = iso(timestamp)
            self._replace(row_id, row | fields)

    def create(self, **fields: Any) -> int:
        """Add a row; the given fields replace generated values."""
        with self._shop.lock:
            row_id, self._next_id = self._next_id, self._next_id + _STEP
            row = self._make_new(row_id, self._shop.tick()) | fields
            self._prepare()
            self._stored[row_id] = row
            for field, index in self._indexes.items():
                index.add(sort_key(field, dig(row, field)), row_id)
            return row_id

    def delete(self, row_id: int) -> None:
        """Delete a row and record an event."""
        with self._shop.lock:
            self._remove(row_id, None)
            self._shop.record_event(self.object_type, "deleted", row_id)

    def _prepare(self) -> None:
        """Index every sortable field before the first change."""
        for field in {"created_datetime", *self._timestamps}:
            self.index(field)

    def _replace(self, row_id: int, row: Row) -> None:
        """Replace a row and update the indexes."""
        self._prepare()
        old = self.row(row_id)
        for field, index in self._indexes.items():
            before = sort_key(field, dig(old, field))
            after = sort_key(field, dig(row, field))
            if before != after:
                index.remove(before, row_id)
                index.add(after, row_id)
        self._stored[row_id] = row

    def _remove(self, row_id: int, target: int | None) -> None:
        """Remove a row and remember what it was merged into."""
        self._prepare()
        row = self.row(row_id)
        for field, index in self._indexes.items():
            index.remove(sort_key(field, dig(row, field)), row_id)
        self._stored.pop(row_id, None)
        self._removed[row_id] = target
