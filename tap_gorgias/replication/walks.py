"""The ways to read a list: pure generators over pages, without HTTP and the SDK.

Each yields steps. A step is rows to emit, and the position to save once they are out,
and never before.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple, Protocol

from tap_gorgias import timestamps
from tap_gorgias.errors import ApiError
from tap_gorgias.replication import ordering
from tap_gorgias.replication.bookmarks import Position, Walk
from tap_gorgias.replication.pages import PageError, started

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from tap_gorgias.replication.pages import Page, PagesFrom, Row

LOG_OVERLAP = timedelta(minutes=5)
FEED_OVERLAP = timedelta(minutes=2)


class Step(NamedTuple):
    """Rows to emit, then a position to save."""

    rows: list[Row]
    position: Position | None = None
    has_next_page: bool = False
    """Whether another page is certain to be read, so that it can be prefetched."""
    page_position: Position | None = None
    """The position before this page; None if the rows are in no order."""


class WalkPlan(NamedTuple):
    """Where a walk over a feed starts and ends, and which rows it emits."""

    position: Position
    floor: Callable[[str | None], str | None]
    """From a bookmark to the earliest timestamp to read (None: all)."""
    is_due: Callable[[Page, str | None], bool] | None = None
    """From the newest page and the bookmark to whether a new walk begins; None if one
    always begins."""
    should_fetch: Callable[[Row], bool] | None = None
    """Whether a row is emitted; None if all are."""


class WalkLog(Protocol):
    """Where a walk writes its warnings."""

    def warn_of_order(self, order: str) -> None:
        """Warn that a list is not in the order requested.

        Args:
            order: The order in words.
        """

    def warn_of_restart(self, reason: str) -> None:
        """Warn that an unfinished walk starts again.

        Args:
            reason: Why it cannot be resumed.
        """


def floor_of(bookmark: str | None, start: str | None, overlap: timedelta) -> str | None:
    """Return how far back to read.

    Args:
        bookmark: Everything up to here has been emitted; None if nothing has.
        start: Earliest timestamp to read. It limits a look-back, but never the last
            minutes before the bookmark.
        overlap: How far behind the bookmark to read again.

    Returns:
        The earliest timestamp to read; None for all.
    """
    if bookmark is None:
        return start
    floor = timestamps.earlier(bookmark, overlap)
    if start is None:
        return floor
    return max(floor, min(start, timestamps.earlier(bookmark, LOG_OVERLAP)))


def snapshot(pages: Iterable[Page], keys: tuple[str, ...]) -> Iterator[Step]:
    """Read a small table completely.

    Args:
        pages: All pages of the table.
        keys: Names of the properties that identify a row.

    Yields:
        The rows of each page, without those that came before.
    """
    seen: set[str] = set()
    for page in pages:
        rows = []
        for row in page.rows:
            key = repr([row.get(name) for name in keys])
            if key not in seen:
                seen.add(key)
                rows.append(row)
        yield Step(rows, has_next_page=page.next_cursor is not None)


def log(
    pages_since: Callable[[str | None], Iterator[Page]],
    *,
    key: str,
    bookmark: str | None,
    start: str | None,
    walk_log: WalkLog,
) -> Iterator[Step]:
    """Read immutable rows, oldest first, from the bookmark on.

    Rows may become visible a little late, so the last minutes before the bookmark are
    read again.

    Args:
        pages_since: From the earliest timestamp to read (None: all) to pages in
            ascending order.
        key: The property that orders the rows.
        bookmark: Every row up to here has been emitted; None if none has.
        start: Earliest timestamp to read if there is no bookmark.
        walk_log: Gets a warning if a page is not in order.

    Yields:
        The rows of each page. The position moves with every page; if the order is
        broken, it returns to the bookmark until the list has been read to its end.
    """
    since = floor_of(bookmark, start, LOG_OVERLAP)
    reached = bookmark
    last: str | None = None
    first_page_newest: str | None = None
    in_order = True
    for page in pages_since(since):
        dated_rows = ordering.with_timestamps(page.rows, key)
        past = ordering.past_timestamps(page, dated_rows)
        first_page_newest = first_page_newest or max(past, default=None)
        if in_order and not ordering.is_ascending([last, *past]):
            in_order = False
            reached = bookmark
            walk_log.warn_of_order("oldest first")
        if in_order and past:
            last = past[-1]
            reached = ordering.later(reached, last)
        if not in_order and page.next_cursor is None:
            # Rows that were created after the first page was read may be missing.
            reached = ordering.later(bookmark, first_page_newest)
        has_next_page = page.next_cursor is not None
        yield Step(page.rows, Position(reached), has_next_page)


def feed(
    pages_from: PagesFrom, plan: WalkPlan, *, key: str, walk_log: WalkLog
) -> Iterator[Step]:
    """Read changing rows, newest first, down to where the last run began.

    A walk that was interrupted is finished first, from its cursor down to its floor.
    Then a new walk reads the rows that changed since that one began. So there is never
    more than one gap, and an older version of a row is emitted before a newer one.

    Args:
        pages_from: Returns pages in descending order.
        plan: Where the last run stopped, and what to read now.
        key: The property that orders the rows.
        walk_log: Gets a warning if a walk is not in order, or cannot be resumed.

    Yields:
        The rows of each page that the plan includes and that are not older than the
        floor, or have no timestamp. If the order is broken, all rows of the list that
        the plan includes. The bookmark is the newest timestamp of a walk's first page:
        rows that change later come before it, in the next walk. A timestamp in the
        future never becomes a bookmark.
    """
    included = plan.should_fetch
    for step in _walks(pages_from, plan, key, walk_log):
        yield step._replace(rows=[*filter(included, step.rows)]) if included else step


def _walks(
    pages_from: PagesFrom, plan: WalkPlan, key: str, walk_log: WalkLog
) -> Iterator[Step]:
    position = plan.position
    unfinished = position.walk
    if unfinished is not None:
        finished = yield from _finish(
            pages_from, key, position.bookmark, unfinished, walk_log
        )
        if finished is not None:
            position, unfinished = finished, None
    head = pages_from(None)
    first = next(head)
    is_due = plan.is_due
    if is_due and unfinished is None and not is_due(first, position.bookmark):
        return
    lowest = plan.floor(position.bookmark)
    if unfinished is not None:
        lowest = ordering.lower(lowest, unfinished.floor)
    yield from _walk_down(
        itertools.chain([first], head),
        key=key,
        bookmark=position.bookmark,
        walk=Walk(None, None, lowest),
        walk_log=walk_log,
    )


def by_cursor(
    pages_from: PagesFrom,
    *,
    key: str,
    position: Position,
    floor: str | None,
    walk_log: WalkLog,
) -> Iterator[Step]:
    """Read a list that grows at its end, without an order or a filter to ask for.

    Args:
        pages_from: Returns pages, oldest rows first.
        key: The property with the timestamps of rows.
        position: Where the last run stopped.
        floor: The earliest timestamp to read; None for all.
        walk_log: Gets a warning if the pages are not in order, or the saved cursor
            cannot be used.

    Yields:
        The rows of each page from the last page of the last run on, which may have
        grown. The position holds the cursor of the page itself. If new rows do not come
        last, it holds none, so that the next run reads the list again.
    """
    cursor, bookmark = position.cursor, position.bookmark
    refusals: list[str] = []
    resumed = None if cursor is None else _resume(pages_from, cursor, refusals.append)
    if resumed is None:
        cursor = None
    newest: str | None = None
    in_order = True
    for page in resumed or pages_from(None):
        while refusals:  # The cursor is to blame if the list can be read without it.
            walk_log.warn_of_restart(refusals.pop())
        dated_rows = ordering.with_timestamps(page.rows, key)
        past = ordering.past_timestamps(page, dated_rows)
        newest = ordering.later(newest, max(past, default=None))
        # Rows of nearly the same time may come in any order.
        if in_order and past and newest:
            in_order = past[-1] >= timestamps.earlier(newest, LOG_OVERLAP)
            if not in_order:
                walk_log.warn_of_order("oldest first")
        rows = [
            row
            for row, timestamp in dated_rows
            if not ordering.is_before(timestamp, floor)
        ]
        emitted = [value for value in past if not ordering.is_before(value, floor)]
        bookmark = ordering.later(bookmark, max(emitted, default=None))
        position = Position(bookmark, cursor=cursor if in_order else None)
        cursor = page.next_cursor
        yield Step(rows, position, has_next_page=cursor is not None)


def _finish(
    pages_from: PagesFrom,
    key: str,
    bookmark: str | None,
    walk: Walk,
    walk_log: WalkLog,
) -> Generator[Step, None, Position | None]:
    """Finish an interrupted walk; return None if its cursor is refused."""
    rest = _resume(pages_from, walk.cursor, walk_log.warn_of_restart)
    if rest is None:
        return None
    return (
        yield from _walk_down(
            rest, key=key, bookmark=bookmark, walk=walk, walk_log=walk_log
        )
    )


def _resume(
    pages_from: PagesFrom,
    cursor: str | None,
    warn_of_restart: Callable[[str], None],
) -> Iterator[Page] | None:
    """Read on from a saved cursor; return None if it is refused."""
    try:
        return started(pages_from(cursor))
    except (ApiError, PageError) as error:
        is_refusal = not isinstance(error, ApiError) or error.may_be_due_to_cursor
        if cursor is None or not is_refusal:
            raise
        warn_of_restart(str(error))
        return None


def _walk_down(
    pages: Iterable[Page],
    *,
    key: str,
    bookmark: str | None,
    walk: Walk,
    walk_log: WalkLog,
) -> Generator[Step, None, Position]:
    position = Position(bookmark)
    newest, reached = walk.newest, walk.reached
    last: str | None = None
    in_order = True
    for page in pages:
        dated_rows = ordering.with_timestamps(page.rows, key)
        past = ordering.past_timestamps(page, dated_rows)
        newest = newest or max(past, default=None)
        # Rows that changed since the walk began may be out of order.
        unchanged = [value for value in past if newest and value <= newest]
        if in_order and not ordering.is_descending([last, *unchanged]):
            in_order = False
            walk = replace(walk, floor=None)
            reached = None
            walk_log.warn_of_order("newest first")
        last = unchanged[-1] if unchanged else last
        floor = walk.floor
        rows = [
            row
            for row, timestamp in dated_rows
            if timestamp is None
            or not ((floor and timestamp < floor) or (reached and timestamp > reached))
        ]
        walk = replace(walk, newest=newest, reached=None)
        before = Position(bookmark, walk) if in_order else None
        if page.next_cursor is None or (floor and last and last < floor):
            position = Position(ordering.later(bookmark, newest))
            yield Step(rows, position, page_position=before)
            break
        walk = replace(walk, cursor=page.next_cursor)
        yield Step(
            rows, Position(bookmark, walk), has_next_page=True, page_position=before
        )
    return position
