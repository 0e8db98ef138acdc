"""The ways to read a list, without HTTP and without the SDK.

Each is a generator of steps. A step is rows to emit, and the position that holds once
they are out: whoever takes the steps saves it then, and never before.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from tap_gorgias import timestamps
from tap_gorgias.errors import ApiError
from tap_gorgias.replication import ordering
from tap_gorgias.replication.bookmarks import Position, Walk
from tap_gorgias.replication.pagination import PageError, pages

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from tap_gorgias.replication.pagination import Fetch, Page, Row

LOG_OVERLAP = timedelta(minutes=5)
FEED_OVERLAP = timedelta(minutes=2)


class Step(NamedTuple):
    """Rows to emit, then a position to save."""

    rows: list[Row]
    position: Position | None = None
    goes_on: bool = False
    """Whether another page is sure to be read, which may be asked for meanwhile."""
    page_position: Position | None = None
    """The position before this page; None if the rows are in no order."""


class WalkPlan(NamedTuple):
    """How far a reader has come in a feed, and what it wants of the rest."""

    position: Position
    floor: Callable[[str | None], str | None]
    """From a bookmark to the earliest moment to read (None: all)."""
    is_due: Callable[[Page, str | None], bool] | None = None
    """From the newest page and the bookmark to whether a new walk begins; one always
    begins if this is None."""
    wants: Callable[[Row], bool] | None = None
    """Whether a row is wanted; all are if this is None."""


def floor_of(bookmark: str | None, start: str | None, overlap: timedelta) -> str | None:
    """Tell how far back to read.

    Args:
        bookmark: Everything up to here has been emitted; None if nothing has.
        start: Earliest moment to read. It cuts a look-back short, but never the last
            minutes before the bookmark.
        overlap: How far behind the bookmark to read again.

    Returns:
        The earliest moment to read; None for all.
    """
    if bookmark is None:
        return start
    floor = timestamps.earlier(bookmark, overlap)
    if start is None:
        return floor
    return max(floor, min(start, timestamps.earlier(bookmark, LOG_OVERLAP)))


def snapshot(fetches: Iterable[Fetch], keys: tuple[str, ...]) -> Iterator[Step]:
    """Read small tables whole.

    Args:
        fetches: One for each read that the table takes, for example active and
            archived.
        keys: Names of the fields that identify a row.

    Yields:
        The rows of each page; a row that comes again is left out.
    """
    seen: set[str] = set()
    for fetch in fetches:
        for page in pages(fetch):
            fresh = []
            for row in page.rows:
                key = repr([row.get(name) for name in keys])
                if key not in seen:
                    seen.add(key)
                    fresh.append(row)
            yield Step(fresh, goes_on=page.next_cursor is not None)


def log(
    fetch_since: Callable[[str | None], Fetch],
    *,
    key: str,
    bookmark: str | None,
    start: str | None,
    warn_of_order: Callable[[str], None],
) -> Iterator[Step]:
    """Read immutable rows, oldest first, from the bookmark on.

    Rows may become visible a little late, so the last minutes before the bookmark are
    read again.

    Args:
        fetch_since: From the earliest moment wanted (None: all) to pages in ascending
            order.
        key: The field that orders the rows.
        bookmark: Every row up to here has been emitted; None if none has.
        start: Earliest moment to read when there is no bookmark.
        warn_of_order: Told the wanted order, once, if a page is not in it.

    Yields:
        The rows of each page. The position moves with every page; if the order is
        broken it goes back to the bookmark until the whole list is read.
    """
    since = floor_of(bookmark, start, LOG_OVERLAP)
    reached = bookmark
    last: str | None = None
    first_page_newest: str | None = None
    in_order = True
    for page in pages(fetch_since(since)):
        moments = ordering.past(page, ordering.dated(page.rows, key))
        first_page_newest = first_page_newest or max(moments, default=None)
        if in_order and not ordering.rises([last, *moments]):
            in_order = False
            reached = bookmark
            warn_of_order("oldest first")
        if in_order and moments:
            last = moments[-1]
            reached = ordering.later(reached, last)
        if not in_order and page.next_cursor is None:
            # Whatever came after the first page was read may have been passed over.
            reached = ordering.later(bookmark, first_page_newest)
        goes_on = page.next_cursor is not None
        yield Step(page.rows, Position(reached), goes_on)


def feed(
    fetch: Fetch,
    plan: WalkPlan,
    *,
    key: str,
    warn_of_order: Callable[[str], None],
    warn_of_restart: Callable[[str], None],
) -> Iterator[Step]:
    """Read changing rows, newest first, down to where the last run began.

    A walk that was cut short is finished first, from its cursor down to its floor. Then
    the rows that changed since it began are walked. So there is one gap at most, and an
    older version of a row goes out before a newer one.

    Args:
        fetch: Gets pages in descending order.
        plan: Where the last run stopped, and how to go on.
        key: The field that orders the rows.
        warn_of_order: Told the wanted order if a walk is not in it.
        warn_of_restart: Told why an unfinished walk cannot go on where it stopped.

    Yields:
        The rows of each page that are wanted and not older than the floor, or have no
        moment. If the order is broken, all wanted rows of the list. The bookmark is the
        newest moment of a walk's first page: rows that change later come before it, in
        the next walk. A moment in the future never becomes a bookmark.
    """
    wants = plan.wants
    for step in _walks(fetch, plan, key, warn_of_order, warn_of_restart):
        yield step._replace(rows=[*filter(wants, step.rows)]) if wants else step


def _walks(
    fetch: Fetch,
    plan: WalkPlan,
    key: str,
    warn_of_order: Callable[[str], None],
    warn_of_restart: Callable[[str], None],
) -> Iterator[Step]:
    position = plan.position
    unfinished = position.walk
    if unfinished is not None:
        finished = yield from _finish(
            fetch, key, position.bookmark, unfinished, warn_of_order, warn_of_restart
        )
        if finished is not None:
            position, unfinished = finished, None
    head = pages(fetch)
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
        warn_of_order=warn_of_order,
    )


def by_cursor(
    fetch: Fetch,
    *,
    key: str,
    position: Position,
    floor: str | None,
    warn_of_order: Callable[[str], None],
    warn_of_restart: Callable[[str], None],
) -> Iterator[Step]:
    """Read a list that only grows at its end, where neither order nor filter is known.

    Args:
        fetch: Gets pages, oldest rows first.
        key: The field that holds the rows' moments.
        position: Where the last run stopped.
        floor: The earliest moment wanted; None for all.
        warn_of_order: Told the wanted order, once, if the pages are not in it.
        warn_of_restart: Told why the saved cursor is of no use.

    Yields:
        The rows of each page, the last run's last page included: it may have grown. The
        position holds the page's own cursor. If new rows do not come last, it holds
        none, so that the next run reads the list again.
    """
    cursor, bookmark = position.cursor, position.bookmark
    refusals: list[str] = []
    resumed = None if cursor is None else _resumed(fetch, cursor, refusals.append)
    if resumed is None:
        cursor = None
    newest: str | None = None
    in_order = True
    for page in resumed or pages(fetch):
        while refusals:  # Without the cursor, the list can be read.
            warn_of_restart(refusals.pop())
        dated = ordering.dated(page.rows, key)
        moments = ordering.past(page, dated)
        newest = ordering.later(newest, max(moments, default=None))
        # Rows of nearly the same moment may stand in any order.
        if in_order and moments and newest:
            in_order = moments[-1] >= timestamps.earlier(newest, LOG_OVERLAP)
            if not in_order:
                warn_of_order("oldest first")
        rows = [row for row, moment in dated if not ordering.is_before(moment, floor)]
        wanted = [moment for moment in moments if not ordering.is_before(moment, floor)]
        bookmark = ordering.later(bookmark, max(wanted, default=None))
        position = Position(bookmark, cursor=cursor if in_order else None)
        cursor = page.next_cursor
        yield Step(rows, position, goes_on=cursor is not None)


def _finish(
    fetch: Fetch,
    key: str,
    bookmark: str | None,
    walk: Walk,
    warn_of_order: Callable[[str], None],
    warn_of_restart: Callable[[str], None],
) -> Generator[Step, None, Position | None]:
    """Go on with an unfinished walk; return None if its cursor is refused."""
    rest = _resumed(fetch, walk.cursor, warn_of_restart)
    if rest is None:
        return None
    return (
        yield from _walk_down(
            rest,
            key=key,
            bookmark=bookmark,
            walk=walk,
            warn_of_order=warn_of_order,
        )
    )


def _resumed(
    fetch: Fetch, cursor: str | None, warn_of_restart: Callable[[str], None]
) -> Iterator[Page] | None:
    """Go on from a saved cursor; return None if it is refused."""
    rest = pages(fetch, cursor)
    try:
        first = next(rest)
    except (ApiError, PageError) as error:
        is_refusal = not isinstance(error, ApiError) or error.may_be_due_to_cursor
        if cursor is None or not is_refusal:
            raise
        warn_of_restart(str(error))
        return None
    return itertools.chain([first], rest)


def _walk_down(
    walk_pages: Iterable[Page],
    *,
    key: str,
    bookmark: str | None,
    walk: Walk,
    warn_of_order: Callable[[str], None],
) -> Generator[Step, None, Position]:
    position = Position(bookmark)
    newest, reached = walk.newest, walk.reached
    last: str | None = None
    in_order = True
    for page in walk_pages:
        dated = ordering.dated(page.rows, key)
        moments = ordering.past(page, dated)
        newest = newest or max(moments, default=None)
        # A row that changed since the walk began says nothing about the order.
        settled = [moment for moment in moments if newest and moment <= newest]
        if in_order and not ordering.falls([last, *settled]):
            in_order = False
            walk = replace(walk, floor=None)
            reached = None
            warn_of_order("newest first")
        last = settled[-1] if settled else last
        floor = walk.floor
        rows = [
            row
            for row, moment in dated
            if moment is None
            or not ((floor and moment < floor) or (reached and moment > reached))
        ]
        walk = replace(walk, newest=newest, reached=None)
        before = Position(bookmark, walk) if in_order else None
        if page.next_cursor is None or (floor and last and last < floor):
            position = Position(ordering.later(bookmark, newest))
            yield Step(rows, position, page_position=before)
            break
        walk = replace(walk, cursor=page.next_cursor)
        yield Step(rows, Position(bookmark, walk), goes_on=True, page_position=before)
    return position
