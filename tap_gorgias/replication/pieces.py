"""Read a list page by page, and in smaller pieces where a page fails.

A page that keeps failing is requested in smaller pieces, down to the row that makes it
fail. That row is passed over. It has no cursor, so one is made: cursors of Gorgias name
the value of the order and the id of the row before (observed in recordings), as base64
of `["next", "2026-08-26T12:46:06.324070", 17]`.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tap_gorgias import timestamps
from tap_gorgias.errors import ApiError, TransientApiError
from tap_gorgias.replication.pages import MissingRow, Page, PageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from tap_gorgias.replication.pages import Row

NO_RETRIES = 0.0
SECONDS_FOR_PIECES = 30.0
"""How long a saved cursor, or a single row, is tried: what stands above can be read."""
FAR = timedelta(days=200)
BEFORE_FIRST_ROW = timedelta(days=1)
"""How far ahead of the clock the newest row is looked for, if it is unreadable."""
MAX_STEP = timedelta(days=40 * 365)
"""Further than any row is old."""
MICROSECOND = timedelta(microseconds=1)
IDS = 2**53
"""Ids are lower."""
EARLIEST = "2000-01-01T00:00:00.000000Z"
"""No row is older than this."""

MAX_EMPTY_PAGES = 100
"""Pages in a row without rows that make a list without an end."""

_NO_END = "pages or cursors are returned again and again: the list would never end."


@dataclass(frozen=True)
class Order:
    """The order of a list by date, and where it begins and goes on."""

    key: str
    """The property that is the stream's replication key, if it has one."""
    start: str
    """A timestamp in front of the first row."""
    far: str
    """A timestamp at which another page is readable, unless all are not."""
    is_ascending: bool = True

    @classmethod
    def of(
        cls, order_by: str | None, key: str, since: str | None, now: datetime
    ) -> Order | None:
        """Return the order of a request; `since` is the earliest timestamp in it."""
        name, _, direction = (order_by or "").partition(":")
        if not name.endswith("_datetime"):
            return None
        if direction == "asc":
            return cls(key, since or EARLIEST, timestamps.render(now))
        first = now + BEFORE_FIRST_ROW
        start, far = timestamps.render(first), timestamps.render(first - FAR)
        return cls(key, start, far, is_ascending=False)


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
    may_probe: Callable[[], bool] = lambda: True
    """Whether rows may be looked for: in an outage, one stream does so for all."""
    report_incomplete: Callable[[str], None] = lambda _: None
    """Called with a sentence about a row that is passed over."""

    def pages(self, cursor: str | None, patience: float | None) -> Iterator[Page]:
        """Read from a cursor on; None is the first page.

        Raises `PageError` if a response is not a page, or if the list has no end.
        """
        whole = size = self.page_size
        seconds = patience if cursor is None else SECONDS_FOR_PIECES
        progress = _Progress({cursor})
        while True:
            try:
                page = self._request(cursor, size, seconds)
            except ApiError as error:
                if not size or not self._can_divide(error):
                    raise
                if size == whole and not self._list_works(error):
                    raise
                if size == 1:
                    page = self._missing(cursor, error)
                    yield page
                    cursor = page.next_cursor
                size = max(size // 2, 1)
                seconds = SECONDS_FOR_PIECES if size == 1 else NO_RETRIES
                continue
            if size == whole:
                progress.check_rows(page)
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return
            progress.check_cursor(cursor)
            seconds = patience if size == whole else NO_RETRIES
            size = min(2 * size, whole) if size and whole else size

    def _request(
        self, cursor: str | None, size: int | None, seconds: float | None
    ) -> Page:
        try:
            return self.request(cursor, size, seconds)
        except TransientApiError as error:
            # Of a single row, only a 5xx says something.
            is_server_error = (error.status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR
            may_divide = self._can_divide(error) and (size != 1 or is_server_error)
            if seconds != NO_RETRIES or may_divide:
                raise
        return self.request(cursor, size, SECONDS_FOR_PIECES)

    def _can_divide(self, error: ApiError) -> bool:
        """Return whether a smaller page may succeed, as if one of its rows fails."""
        return self.is_divisible and error.may_be_due_to_page_size

    def _list_works(self, error: ApiError) -> bool:
        """Return whether a page fails while others can be read."""
        if not self.may_probe():
            return False
        places: list[str | None] = [None]
        if self.order is not None:
            places.append(cursor_at(self.order.far))
        return any(self._probe(error, place) is not None for place in places)

    def _probe(self, error: ApiError, cursor: str | None) -> Page | None:
        """Request a single row; None if it is the one that fails.

        Raises `error` if the request fails for another reason.
        """
        try:
            return self._request(cursor, 1, NO_RETRIES)
        except ApiError as failure:
            if self._can_divide(failure):
                return None
            raise error from None

    def _missing(self, cursor: str | None, error: ApiError) -> Page:
        """Return a page in place of a row, or raise `error` if it cannot be passed."""
        order = self.order
        if order is None:
            raise error
        beyond = cursor_beyond(
            cursor or cursor_at(order.start),
            partial(self._probe, error),
            is_ascending=order.is_ascending,
        )
        if beyond is None:
            raise error
        following, time, row = beyond
        problem = f"{error} Row {row} of {time[:19]}Z is missing."
        if row is None:
            problem = f"{error} A row of {time[:19]}Z is missing, or several."
        self.report_incomplete(problem)
        return Page([MissingRow({order.key: time})], following, key=order.key)


@dataclass
class _Progress:
    """Raises `PageError` if a list goes on without an end."""

    cursors: set[str | None]
    """Those that have been returned."""
    rows: list[Row] = field(default_factory=list)
    """Those of the last page."""
    empty_pages: int = 0
    """Those in a row."""

    def check_rows(self, page: Page) -> None:
        """Check that a page is not the one before, nor one of too many without rows."""
        is_same = any(page.rows) and page.rows == self.rows
        self.rows = page.rows
        self.empty_pages = 0 if page.rows else self.empty_pages + 1
        if is_same or self.empty_pages > MAX_EMPTY_PAGES:
            raise PageError(_NO_END)

    def check_cursor(self, cursor: str) -> None:
        """Check that a cursor is new."""
        if cursor in self.cursors:
            raise PageError(_NO_END)
        self.cursors.add(cursor)


def cursor_at(timestamp: str) -> str:
    """Return the cursor of a place in a list, from a rendered timestamp."""
    return b64encode(json.dumps(["next", timestamp[:-1], 0]).encode()).decode()


def cursor_beyond(
    cursor: str, probe: Callable[[str], Page | None], *, is_ascending: bool
) -> tuple[str, str, int | None] | None:
    """Return a cursor that leads past an unreadable row, the row's timestamp and id.

    `cursor` leads to the row, and `probe` returns the row at a cursor, None if it is
    unreadable. The id is None if more than that row may be passed over. Returns None if
    cursors have another form, or if no row within `MAX_STEP` is readable.
    """
    try:
        return _Search(cursor, probe, is_ascending=is_ascending).found()
    except (TypeError, ValueError):
        return None


class _Search:
    """Looks for the place of an unreadable row: a number in the order of the list.

    It is the microseconds from the cursor, times the number of ids, plus the place of
    its id among them. Raises `ValueError` or `TypeError` if a cursor has another form.
    """

    def __init__(
        self, cursor: str, probe: Callable[[str], Page | None], *, is_ascending: bool
    ) -> None:
        _, value, row, *self.others = _decoded(cursor)
        self.start = timestamps.parse(value)
        self.probe = probe
        self.sign = 1 if is_ascending else -1
        self.first = self.place_of(value, row)

    def found(self) -> tuple[str, str, int | None] | None:
        distance = 1
        while not self.is_readable((distance + 1) * IDS - 1):
            distance *= 2
            if distance * MICROSECOND > MAX_STEP:
                return None
        place = self.unreadable_before((distance + 1) * IDS - 1)
        # Other unreadable rows were found before those that follow the first one.
        while (before := self.row_before(place)) is not None and before > self.first:
            place = self.unreadable_before(before - 1)
        time, row = self.time_and_row(place)
        if before is None or place % IDS == 0:  # Gorgias may order ids differently.
            return self.cursor_at(place - place % IDS + IDS - 1), time, None
        return self.cursor_at(place), time, row

    def place_of(self, value: str, row: int) -> int:
        distance = self.sign * ((timestamps.parse(value) - self.start) // MICROSECOND)
        return distance * IDS + (row if self.sign > 0 else IDS - 1 - row)

    def time_and_row(self, place: int) -> tuple[str, int]:
        distance, rank = divmod(place, IDS)
        time = timestamps.render(self.start + self.sign * distance * MICROSECOND)
        return time, rank if self.sign > 0 else IDS - 1 - rank

    def cursor_at(self, place: int, direction: str = "next") -> str:
        time, row = self.time_and_row(place)
        parts: list[Any] = [direction, time[:-1], row, *self.others]
        return b64encode(json.dumps(parts).encode()).decode()

    def is_readable(self, place: int) -> bool:
        """Return whether the row after a place is."""
        return self.probe(self.cursor_at(place)) is not None

    def unreadable_before(self, after: int) -> int:
        """Return the place of an unreadable row before a place that is readable."""
        before = self.first
        while after - before > 1:
            between = (before + after) // 2
            if self.is_readable(between):
                after = between
            else:
                before = between
        return after

    def row_before(self, place: int) -> int | None:
        """Return the place of the row before an unreadable one.

        None if it is unreadable, too, or if the cursor leads elsewhere.
        """
        try:
            page = self.probe(self.cursor_at(place, "prev"))
        except ApiError:
            return self.first
        if page is None:
            return None
        if not page.rows or page.next_cursor is None:
            return self.first
        _, value, row, *_ = _decoded(page.next_cursor)
        before = self.place_of(value, row)
        return before if before < place else None


def _decoded(cursor: str) -> list[Any]:
    parts = json.loads(b64decode(cursor, validate=True))
    if not isinstance(parts, list):
        raise TypeError
    return parts
