"""One kind of object: rows made when asked for, and changes kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.sandbox.index import Index, dig, sort_key
from tests.sandbox.times import iso

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Iterator, Mapping

    from tests.sandbox.shop import Shop

Row = dict[str, Any]

_STEP = 7  # ids have gaps, as after deletes
_REMEMBERED = 2_000  # made rows kept at a time
_MERGED = 3  # the id so much above a generated row was merged into it


class Collection:
    """Rows by id, with an index for every field they are sorted by.

    Generated rows are not stored: `make` builds one from its position. Only
    rows that were created or changed are kept.
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
        fresh: Callable[[int, int], Row],
        moments: Mapping[str, Callable[[], array[int]]],
    ) -> None:
        """Describe the collection.

        Args:
            shop: The shop it belongs to.
            object_type: The name of the kind in events, such as "Ticket".
            first_id: The id of the first generated row.
            count: How many rows are generated.
            make: Builds a generated row from (position, id).
            fresh: Builds a new row from (id, moment).
            moments: The generated rows' date-times by field, by position.
        """
        self.object_type = object_type
        self._shop = shop
        self._first_id = first_id
        self._count = count
        self._make = make
        self._fresh = fresh
        self._moments = moments
        self._next_id = first_id + count * _STEP
        self._kept: dict[int, Row] = {}
        self._gone: dict[int, int | None] = {}
        self._indexes: dict[str, Index] = {}
        self._made: dict[int, Row] = {}
        self._made_at = shop.moment

    def id_at(self, position: int) -> int:
        """Return the id of a generated row."""
        return self._first_id + position * _STEP

    def position_of(self, row_id: int) -> int | None:
        """Return the position of a generated row, if the id is that of one."""
        position, rest = divmod(row_id - self._first_id, _STEP)
        return position if rest == 0 and 0 <= position < self._count else None

    def __len__(self) -> int:
        """Return how many rows there are now."""
        return len(self.index("created_datetime"))

    def __contains__(self, row_id: object) -> bool:
        """Tell whether a row exists now."""
        if not isinstance(row_id, int) or row_id in self._gone:
            return False
        return row_id in self._kept or self.position_of(row_id) is not None

    def ids(self) -> list[int]:
        """Return the ids of all rows, ascending."""
        return sorted(self.index("created_datetime").ids)

    def rows(self) -> Iterator[Row]:
        """Yield all rows as the API lists them, by id."""
        return map(self.row, self.ids())

    def row(self, row_id: int) -> Row:
        """Return a row as the API lists it.

        Raises:
            KeyError: There is no such row (any more).
        """
        if row_id in self._kept:
            return dict(self._kept[row_id])
        position = self.position_of(row_id)
        if position is None or row_id in self._gone:
            raise KeyError(row_id)
        return dict(self._remembered(position, row_id))

    def _remembered(self, position: int, row_id: int) -> Row:
        """Make a generated row, unless it was made since the last change.

        Rows show parts of rows of other collections, so any change counts.
        """
        if self._made_at != self._shop.moment or len(self._made) >= _REMEMBERED:
            self._made.clear()
            self._made_at = self._shop.moment
        row = self._made.get(row_id) or self._make(position, row_id)
        self._made[row_id] = row
        return row

    def kept(self) -> list[Row]:
        """Return the rows that were created or changed."""
        return list(self._kept.values())

    def survivor(self, row_id: int) -> int:
        """Follow merges from an id to the row that is left."""
        while (target := self.merged_into(row_id)) is not None:
            row_id = target
        return row_id

    def merged_into(self, row_id: int) -> int | None:
        """Return what a vanished id was merged into, if it was."""
        if row_id in self._gone:
            return self._gone[row_id]
        target = row_id - _MERGED
        known = self.mergeable and self.position_of(target) is not None
        return target if known else None

    def source_of(self, row_id: int) -> int:
        """Return an id that was merged into a generated row long ago."""
        return row_id + _MERGED

    def index(self, field: str) -> Index:
        """Return the rows in the order of a field."""
        if field not in self._indexes:
            self._indexes[field] = self._make_index(field)
        return self._indexes[field]

    def _make_index(self, field: str) -> Index:
        """Index the generated rows, quickly where their moments are known.

        That is before any change, see `_prepare`; other fields are indexed late.
        """
        ids = range(self._first_id, self._first_id + self._count * _STEP, _STEP)
        if field == "created_datetime":
            return Index.of_sorted(self._moments[field](), ids)
        if field in self._moments:
            return Index.of_moments(self._moments[field](), ids)
        return Index.of_rows(field, self.rows())

    def update(self, row_id: int, *, touch: bool = True, **fields: Any) -> None:
        """Change fields of a row.

        Args:
            row_id: The row.
            touch: Whether updated_datetime moves to the shop's present.
            fields: The new values.
        """
        with self._shop.lock:
            moment = self._shop.tick()
            row = self.row(row_id)
            if touch and "updated_datetime" in row:
                row["updated_datetime"] = iso(moment)
            self._replace(row_id, row | fields)

    def create(self, **fields: Any) -> int:
        """Add a row, with the given values in place of generated ones."""
        with self._shop.lock:
            row_id, self._next_id = self._next_id, self._next_id + _STEP
            row = self._fresh(row_id, self._shop.tick()) | fields
            self._prepare()
            self._kept[row_id] = row
            for field, index in self._indexes.items():
                index.add(sort_key(field, dig(row, field)), row_id)
            return row_id

    def delete(self, row_id: int) -> None:
        """Let a row vanish; only an event tells."""
        with self._shop.lock:
            self._remove(row_id, None)
            self._shop.record_event(self.object_type, "deleted", row_id)

    def _prepare(self) -> None:
        """Index every sortable field before the first change."""
        for field in {"created_datetime", *self._moments}:
            self.index(field)

    def _replace(self, row_id: int, row: Row) -> None:
        """Put a changed row in the place of the old one."""
        self._prepare()
        old = self.row(row_id)
        for field, index in self._indexes.items():
            before = sort_key(field, dig(old, field))
            after = sort_key(field, dig(row, field))
            if before != after:
                index.remove(before, row_id)
                index.add(after, row_id)
        self._kept[row_id] = row

    def _remove(self, row_id: int, target: int | None) -> None:
        """Take a row out, leaving a note of what it was merged into."""
        self._prepare()
        row = self.row(row_id)
        for field, index in self._indexes.items():
            index.remove(sort_key(field, dig(row, field)), row_id)
        self._kept.pop(row_id, None)
        self._gone[row_id] = target
