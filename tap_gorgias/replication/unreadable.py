"""Pass over a row that makes every page with it fail.

A list is asked for in smaller pieces until the row stands alone. It has no cursor then,
so one is made: cursors of Gorgias name the order's value and the id of the row before
(observed in recordings), as base64 of `["next", "2026-08-26T12:46:06.324070", 17]`.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tap_gorgias import timestamps

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_STEP = timedelta(days=400)
MICROSECOND = timedelta(microseconds=1)


def cursor_at(timestamp: str) -> str:
    """Return the cursor of a place in a list, from a rendered timestamp."""
    return b64encode(json.dumps(["next", timestamp[:-1], 0]).encode()).decode()


def cursor_beyond(
    cursor: str, is_readable: Callable[[str], bool], *, is_ascending: bool
) -> tuple[str, str] | None:
    """Return a cursor that leads to the first row after an unreadable one.

    Args:
        cursor: The cursor that leads to the unreadable row.
        is_readable: Requests the row after a cursor.
        is_ascending: Whether the list begins with its oldest row.

    Returns:
        The cursor, and the timestamp of the unreadable row; None if the form of cursors
        is another one, or no row within `MAX_STEP` is readable.
    """
    try:
        direction, value, row_id, *others = json.loads(b64decode(cursor, validate=True))
        start = timestamps.parse(value)
    except (TypeError, ValueError):
        return None

    def place(distance: timedelta) -> str:
        return timestamps.render(start + distance if is_ascending else start - distance)

    def at(distance: timedelta) -> str:
        parts: list[Any] = [direction, place(distance)[:-1], row_id, *others]
        return b64encode(json.dumps(parts).encode()).decode()

    unreadable, readable = timedelta(0), MICROSECOND
    while not is_readable(at(readable)):
        unreadable, readable = readable, 2 * readable
        if readable > MAX_STEP:
            return None
    while readable - unreadable > MICROSECOND:
        middle = unreadable + (readable - unreadable) // 2
        if is_readable(at(middle)):
            readable = middle
        else:
            unreadable = middle
    return at(readable), place(readable)
