"""Indexes, which sort the rows of a collection by a field."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any, Final

from tests.sandbox.times import micros

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableSequence, Sequence

TEXT_FIELDS: Final = frozenset({"name", "email", "role.name", "language"})

_PRIORITIES: Final = {"low": 1, "normal": 2, "high": 3, "critical": 4}

# PostgreSQL sorts nulls above everything else.
_NULL_NUMBER: Final = 2**63 - 1
_NULL_TEXT: Final = "\U0010ffff"

Key = Any  # int for date-times and numbers, str for strings


def dig(row: dict[str, Any], field: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return a field of a row; a dot separates nested names."""
    value: Any = row
    for name in field.split("."):
        value = value[name]
    return value


def sort_key(field: str, value: Any) -> Key:  # noqa: ANN401 - any JSON value
    """Convert a field's value to a key that sorts as in the API."""
    if field in TEXT_FIELDS:
        if not isinstance(value, str | None):
            raise ValueError(field)
        return _NULL_TEXT if value is None else value
    if value is None:
        return _NULL_NUMBER
    if field == "priority" and value in _PRIORITIES:
        return _PRIORITIES[value]
    if field.endswith("_datetime") == isinstance(value, int):
        raise ValueError(field)
    return micros(value) if isinstance(value, str) else int(value)


class Index:
    """Parallel arrays of sort keys and ids, ascending by key, then by id."""

    def __init__(self, keys: MutableSequence[Key], ids: MutableSequence[int]) -> None:
        """Use two sequences that are already sorted."""
        self.keys = keys
        self.ids = ids

    @classmethod
    def of_sorted(cls, timestamps: Sequence[int], ids: Iterable[int]) -> Index:
        """Index ascending timestamps."""
        return cls(array("q", timestamps), array("q", ids))

    @classmethod
    def of_timestamps(cls, timestamps: Sequence[int], ids: Sequence[int]) -> Index:
        """Index timestamps in any order by ascending ids."""
        order = sorted(range(len(timestamps)), key=timestamps.__getitem__)
        return cls(
            array("q", map(timestamps.__getitem__, order)),
            array("q", map(ids.__getitem__, order)),
        )

    @classmethod
    def of_rows(cls, field: str, rows: Iterable[dict[str, Any]]) -> Index:
        """Index a small number of rows by any field."""
        pairs = sorted((sort_key(field, dig(row, field)), row["id"]) for row in rows)
        return cls([key for key, _ in pairs], [row_id for _, row_id in pairs])

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.ids)

    def start(self, key: Key, row_id: int = -1) -> int:
        """Return the first position at or after (key, id)."""
        low = bisect_left(self.keys, key)
        return bisect_left(self.ids, row_id, low, bisect_right(self.keys, key, low))

    def end(self, key: Key, row_id: int | None = None) -> int:
        """Return the first position after (key, id), or after all rows with the key."""
        high = bisect_right(self.keys, key)
        if row_id is None:
            return high
        return bisect_right(self.ids, row_id, bisect_left(self.keys, key), high)

    def add(self, key: Key, row_id: int) -> None:
        """Insert a row."""
        position = self.start(key, row_id)
        self.keys.insert(position, key)
        self.ids.insert(position, row_id)

    def remove(self, key: Key, row_id: int) -> None:
        """Remove a row."""
        position = self.start(key, row_id)
        del self.keys[position]
        del self.ids[position]
