"""Read a list page by page, and in smaller pieces where a page fails.

A page that keeps failing is requested in smaller pieces, down to the row that makes it
fail. That row is passed over. It has no cursor, so one is made: cursors of Gorgias name
the value of the order and the id of the row before (observed in recordings), as base64
of `["next", "2026-08-26T12:46:06.324070", 17]`.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tap_gorgias import timestamps
from tap_gorgias.errors import ApiError
from tap_gorgias.replication.pages import MissingRow, Page, PageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

NO_RETRIES = 0.0
SECONDS_FOR_PIECES = 30.0
"""How long a saved cursor, or a single row, is tried: what stands above can be read."""
FAR = timedelta(days=200)
BEFORE_FIRST_ROW = timedelta(days=1)
"""How far ahead of the clock the newest row is looked for, if it is unreadable."""
MAX_STEP = timedelta(days=400)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Order:
    """The order of a list by date, and where it begins and goes on."""

    key: str | None
    """The property that is the stream's replication key."""
    is_ascending: bool
    start: str | None
    """A timestamp in front of the first row; None if it is not known."""
    far: str | None
    """A timestamp at which another page is readable, unless all are not."""

    @classmethod
    def of(
        cls, order_by: str | None, key: str | None, since: str | None, now: datetime
    ) -> Order | None:
        """Return the order of a request; `since` is the earliest timestamp in it."""
        if order_by is None:
            return None
        is_ascending = order_by.endswith(":asc")
        if is_ascending:
            return cls(
                key, is_ascending, since, since and timestamps.earlier(since, -FAR)
            )
        first = now + BEFORE_FIRST_ROW
        start, far = timestamps.render(first), timestamps.render(first - FAR)
        return cls(key, is_ascending, start, far)


@dataclass(frozen=True)
class ListReader:
    """Reads a list of an endpoint, or the part of it that belongs to a parent."""

    request: Callable[[str | None, int | None, float | None], Page]
    """Requests the page at a cursor with so many rows, and retries for some seconds;
    None is for as long as requests of a run are retried."""
    page_size: int | None = None
    order: Order | None = None
    is_divisible: bool = False
    """Whether smaller pages can be requested."""
    has_outage: Callable[[], bool] = lambda: False
    """Whether no request of any stream succeeds at present."""
    report_incomplete: Callable[[str], None] = lambda _: None
    """Called with a sentence about a row that is passed over."""

    def pages(self, cursor: str | None, patience: float | None) -> Iterator[Page]:
        """Read from a cursor on; None is the first page.

        Raises `PageError` if a response is not a page, or if the list has no end.
        """
        whole = size = self.page_size
        seconds = patience if cursor is None else SECONDS_FOR_PIECES
        seen = {cursor}
        while True:
            try:
                page = self.request(cursor, size, seconds)
            except ApiError as error:
                if not size or not self._can_divide(error):
                    raise
                if size == whole and not self._list_works(cursor, error):
                    raise
                if size == 1:
                    page = self._missing(cursor, error)
                    yield page
                    cursor = page.next_cursor
                size = max(size // 2, 1)
                seconds = SECONDS_FOR_PIECES if size == 1 else NO_RETRIES
                continue
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return
            if cursor in seen:
                message = (
                    "the same cursor was returned twice, so the list would never end."
                )
                raise PageError(message)
            seen.add(cursor)
            seconds = patience if size == whole else NO_RETRIES
            size = min(2 * size, whole) if size and whole else size

    def _can_divide(self, error: ApiError) -> bool:
        """Return whether a smaller page may succeed, as if one of its rows fails."""
        return self.is_divisible and error.may_be_due_to_page_size

    def _list_works(self, cursor: str | None, error: ApiError) -> bool:
        """Return whether a page fails while others can be read."""
        if cursor is not None:
            return self._is_readable(None, error)
        if not self.has_outage():
            return True
        far = None if self.order is None else self.order.far
        return self._is_readable(None, error) or (
            far is not None and self._is_readable(cursor_at(far), error)
        )

    def _is_readable(self, cursor: str | None, error: ApiError) -> bool:
        """Request a single row, to find which one fails.

        Raises `error` if the row fails for another reason.
        """
        try:
            self.request(cursor, 1, NO_RETRIES)
        except ApiError as failure:
            if self._can_divide(failure):
                return False
            raise error from None
        return True

    def _missing(self, cursor: str | None, error: ApiError) -> Page:
        """Return a page in place of a row, or raise `error` if it cannot be passed."""
        order = self.order
        if order is not None and cursor is None:
            cursor = order.start and cursor_at(order.start)
        if order is None or cursor is None:
            raise error
        beyond = cursor_beyond(
            cursor,
            lambda cursor: self._is_readable(cursor, error),
            is_ascending=order.is_ascending,
        )
        if beyond is None:
            raise error
        following, row = beyond
        self.report_incomplete(f"{error} The row of {row[:19]}Z is missing.")
        return Page([MissingRow({order.key: row} if order.key else {})], following)


def cursor_at(timestamp: str) -> str:
    """Return the cursor of a place in a list, from a rendered timestamp."""
    return b64encode(json.dumps(["next", timestamp[:-1], 0]).encode()).decode()


def cursor_beyond(
    cursor: str, is_readable: Callable[[str], bool], *, is_ascending: bool
) -> tuple[str, str] | None:
    """Return a cursor that leads past an unreadable row, and the row's timestamp.

    `cursor` leads to the row. None if the form of cursors is another one, or no row
    within `MAX_STEP` is readable.
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
