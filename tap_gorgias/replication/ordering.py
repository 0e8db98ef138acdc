"""Rows and their timestamps: reading and comparing them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_gorgias import timestamps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from tap_gorgias.replication.pages import Page, Row


def timestamp_of(value: Any) -> str | None:  # noqa: ANN401
    """Normalize a value of a row.

    Args:
        value: As Gorgias sent it.

    Returns:
        The rendered timestamp; None if the value is null or not a date-time.
    """
    try:
        return timestamps.normalized(value)
    except ValueError:
        return None


def is_before(value: Any, timestamp: str | None) -> bool:  # noqa: ANN401
    """Compare a value of a row with a timestamp.

    Args:
        value: As Gorgias sent it.
        timestamp: A rendered timestamp.

    Returns:
        Whether the value is earlier; false if either is missing or invalid.
    """
    own = timestamp_of(value)
    return own is not None and timestamp is not None and own < timestamp


def with_timestamps(rows: list[Row], key: str) -> list[tuple[Row, str | None]]:
    """Pair rows with their rendered timestamps.

    Args:
        rows: Rows as Gorgias sent them.
        key: The property with the timestamp.
    """
    return [(row, timestamp_of(row.get(key))) for row in rows]


def past_timestamps(page: Page, dated_rows: list[tuple[Row, str | None]]) -> list[str]:
    """Return the timestamps of a page that can become a bookmark.

    An import can date a row into the future. As a bookmark, such a timestamp would hide
    every change until then.

    Args:
        page: The page, which says what the present is.
        dated_rows: Its rows, from `with_timestamps`.
    """
    return [
        timestamp
        for _, timestamp in dated_rows
        if timestamp and (page.now is None or timestamp <= page.now)
    ]


def newest_of(page: Page, key: str) -> str | None:
    """Return the newest timestamp of a page that is not in the future.

    Args:
        page: Any page.
        key: The property with the timestamp.
    """
    return max(past_timestamps(page, with_timestamps(page.rows, key)), default=None)


def up_to_the_present(pages: Iterator[Page], key: str) -> list[Page]:
    """Read on until a page shows what is past: one of future rows decides nothing.

    Args:
        pages: Pages in descending order.
        key: The property with the timestamp.

    Returns:
        The pages read, of which the last has a row of the past, if any has.
    """
    read = [next(pages)]
    while read[-1].next_cursor and newest_of(read[-1], key) is None:
        read.append(next(pages))
    return read


def lower(first: str | None, second: str | None) -> str | None:
    """Return the lower of two floors; None is the lowest."""
    return None if first is None or second is None else min(first, second)


def later(first: str | None, second: str | None) -> str | None:
    """Return the later of two timestamps; None if both are None."""
    return max(filter(None, (first, second)), default=None)


def sooner(first: str | None, second: str | None) -> str | None:
    """Return the earlier of two timestamps; None if both are None."""
    return min(filter(None, (first, second)), default=None)


def is_near(timestamp: str | None, now: str | None, overlap: timedelta) -> bool:
    """Return whether rows of about this time may still become visible."""
    if timestamp is None or now is None:
        return False
    return timestamp >= timestamps.earlier(now, overlap)


def is_inverted(
    values: list[str | None],
    overlap: timedelta,
    *,
    floor: str | None = None,
    ascending: bool = False,
) -> bool:
    """Return whether timestamps are so far out of order that rows may be missed.

    Args:
        values: Timestamps in the order of their rows; those that are None are ignored.
        overlap: How much is read again anyway: a smaller inversion is none.
        floor: The earliest timestamp that is read: below it, the order does not matter.
        ascending: Whether the oldest row comes first.
    """
    present = [value for value in values if value]
    extreme: str | None = None
    for value in present:
        if extreme is not None:
            low, high = (value, extreme) if ascending else (extreme, value)
            is_below = floor is not None and value < floor
            if low < high and not is_below and low < timestamps.earlier(high, overlap):
                return True
        is_further = extreme is None or (value > extreme) == ascending
        extreme = value if is_further else extreme
    return False
