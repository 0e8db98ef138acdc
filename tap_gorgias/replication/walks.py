"""The ways to read a list: pure generators over pages, without HTTP and the SDK.

Each yields steps. A step is rows to emit, and the position to save once they are out,
and never before.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple, Protocol

from tap_gorgias import timestamps
from tap_gorgias.errors import TransientApiError
from tap_gorgias.replication import ordering
from tap_gorgias.replication.bookmarks import Position, Walk
from tap_gorgias.replication.pages import CursorRefusedError, proven, restarted_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tap_gorgias.replication.pages import Page, PagesFrom, Row

OVERLAP = timedelta(minutes=5)
"""How far behind its bookmark a list is read again: rows may become visible late."""


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
        """Warn that a list is not in the order requested, which is told in words."""

    def warn_of_restart(self, reason: str) -> None:
        """Warn that a list is read again from its start."""


def _has_key(_: Row) -> bool:
    return False


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
    return max(floor, min(start, timestamps.earlier(bookmark, OVERLAP)))


def snapshot(
    start: Callable[[], Iterator[Page]],
    keys: tuple[str, ...],
    on_restart: Callable[[str], None],
) -> Iterator[Step]:
    """Read a small table completely.

    Args:
        start: Starts to read the table.
        keys: Names of the properties that identify a row.
        on_restart: Called with the reason if the table is read again.

    Yields:
        The rows of each page, without those that came before.
    """
    seen: set[str] = set()
    for page in restarted_once(start, on_restart):
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
    lacks_key: Callable[[Row], bool] = _has_key,
) -> Iterator[Step]:
    """Read immutable rows, oldest first, from the bookmark on.

    The bookmark does not pass the time at which the first page near the present was
    read: a row before it may have become visible behind the reader. Nor does it pass a
    row without its key, which the next run reads again, once.

    Args:
        pages_since: From the earliest timestamp to read (None: all) to pages in
            ascending order.
        key: The property that orders the rows.
        bookmark: Every row up to here has been emitted; None if none has.
        start: Earliest timestamp to read if there is no bookmark.
        walk_log: Gets a warning if a page is not in order, or the list is read again.
        lacks_key: Whether a row cannot be loaded.

    Yields:
        The rows of each page. The position moves with every page; if the order is
        broken, it returns to the bookmark until the list has been read to its end.
    """
    reached = bookmark
    highest: str | None = None
    limit: str | None = None
    first_page_newest: str | None = None
    in_order = True

    def begin() -> Iterator[Page]:
        return pages_since(floor_of(reached, start, OVERLAP))

    def restart(reason: str) -> None:
        nonlocal highest
        highest = None
        walk_log.warn_of_restart(reason)

    for page in restarted_once(begin, restart):
        dated_rows = ordering.with_timestamps(page.rows, key)
        past = ordering.past_timestamps(page, dated_rows)
        newest = max(past, default=None)
        first_page_newest = first_page_newest or newest
        if in_order and ordering.is_inverted([highest, *past], OVERLAP, ascending=True):
            in_order = False
            reached = bookmark
            walk_log.warn_of_order("oldest first")
        if limit is None and ordering.is_near(newest, page.now, OVERLAP):
            limit = page.now
        limit = _held(limit, bookmark, dated_rows, highest, lacks_key)
        highest = ordering.later(highest, newest)
        if in_order:
            reached = ordering.later(reached, newest)
        elif page.next_cursor is None:
            # Rows that were created after the first page was read may be missing.
            reached = ordering.later(bookmark, first_page_newest)
        if reached is not None:
            reached = ordering.later(bookmark, ordering.sooner(limit, reached))
        has_next_page = page.next_cursor is not None
        yield Step(page.rows, Position(reached), has_next_page)


def _held(
    limit: str | None,
    bookmark: str | None,
    dated_rows: Iterable[tuple[Row, str | None]],
    before: str | None,
    lacks_key: Callable[[Row], bool],
) -> str | None:
    """Return the limit of a new bookmark, held at rows without their keys.

    The next run reads such a row again. If it still has no key then, its date is the
    bookmark, and holds nothing.
    """
    for row, timestamp in dated_rows:
        before = timestamp or before
        if lacks_key(row) and before and (bookmark is None or before > bookmark):
            limit = ordering.sooner(limit, before)
    return limit


def feed(
    pages_from: PagesFrom,
    plan: WalkPlan,
    *,
    key: str,
    walk_log: WalkLog,
    lacks_key: Callable[[Row], bool] = _has_key,
) -> Iterator[Step]:
    """Read changing rows, newest first, down to where the last run began.

    A walk that was interrupted is finished first, from its cursor down to its floor.
    Then a new walk reads the rows that changed since that one began. So there is never
    more than one gap, and an older version of a row is emitted before a newer one. If
    the interrupted walk cannot be read on, it is kept, and the rows above it are read.

    Args:
        pages_from: Returns pages in descending order.
        plan: Where the last run stopped, and what to read now.
        key: The property that orders the rows.
        walk_log: Gets a warning if a walk is not in order, or starts again.
        lacks_key: Whether a row cannot be loaded.

    Yields:
        The rows of each page that the plan includes and that are not older than the
        floor, or have no timestamp. If the order is broken, the list is read to its
        end. The bookmark is the newest timestamp of a walk's first page: rows that
        change later come before it, in the next walk. A timestamp in the future never
        becomes a bookmark, nor one above a row without its key.

    Raises:
        TransientApiError: If an interrupted walk cannot be read on.
    """
    walk = _Feed(pages_from, plan, key, walk_log, lacks_key)
    included = plan.should_fetch
    for step in walk.steps():
        yield step._replace(rows=[*filter(included, step.rows)]) if included else step


@dataclass(frozen=True)
class _Feed:
    pages_from: PagesFrom
    plan: WalkPlan
    key: str
    walk_log: WalkLog
    lacks_key: Callable[[Row], bool]

    def steps(self) -> Iterator[Step]:
        position, floor = self.plan.position, None
        unfinished = position.walk
        if unfinished is not None:
            pages = proven(self.pages_from, unfinished.cursor)
            try:
                for step in self._walk_down(pages, position.bookmark, unfinished):
                    position = step.position or position
                    yield step
            except CursorRefusedError as refusal:
                self.walk_log.warn_of_restart(str(refusal))
                floor = unfinished.floor
            except TransientApiError:
                yield from self._above(position)
                raise
            else:
                unfinished = None
        lowest = self.plan.floor(position.bookmark)
        if unfinished is not None:
            lowest = ordering.lower(lowest, floor)
        try:
            yield from self._new_walk(
                position.bookmark, lowest, is_due=unfinished is not None
            )
        except CursorRefusedError as refusal:
            self.walk_log.warn_of_restart(str(refusal))
            try:
                yield from self._new_walk(position.bookmark, lowest, is_due=True)
            except CursorRefusedError as again:
                raise again.cause from None

    def _new_walk(
        self, bookmark: str | None, floor: str | None, *, is_due: bool
    ) -> Iterator[Step]:
        head = proven(self.pages_from)
        pages = ordering.up_to_the_present(head, self.key)
        if (
            not is_due
            and self.plan.is_due
            and not self.plan.is_due(pages[-1], bookmark)
        ):
            return
        walk = Walk(None, None, floor)
        yield from self._walk_down(itertools.chain(pages, head), bookmark, walk)

    def _above(self, position: Position) -> Iterator[Step]:
        """Read what changed since a walk began that cannot be finished now."""
        walk = position.walk
        if walk is None or walk.newest is None:
            return
        newest = walk.newest
        above = Walk(None, None, timestamps.earlier(newest, OVERLAP))
        try:
            for step in self._walk_down(proven(self.pages_from), newest, above):
                if step.position is not None and step.position.walk is None:
                    newest = step.position.bookmark or newest
                yield step._replace(position=None, page_position=None)
        except CursorRefusedError as refusal:
            raise refusal.cause from None
        yield Step([], replace(position, walk=replace(walk, newest=newest)))

    def _walk_down(
        self, pages: Iterable[Page], bookmark: str | None, walk: Walk
    ) -> Iterator[Step]:
        newest = walk.newest
        floor, reached = walk.floor, walk.reached
        lowest: str | None = None
        in_order = True
        for page in pages:
            dated_rows = ordering.with_timestamps(page.rows, self.key)
            past = ordering.past_timestamps(page, dated_rows)
            newest = newest or max(past, default=None)
            # Rows that changed since the walk began may be out of order.
            unchanged = [value for value in past if newest and value <= newest]
            if in_order and ordering.is_inverted(
                [lowest, *unchanged], OVERLAP, floor=floor
            ):
                in_order = False
                reached = None
                self.walk_log.warn_of_order("newest first")
            rows = [
                row
                for row, timestamp in dated_rows
                if timestamp is None
                or not (
                    (floor and timestamp < floor) or (reached and timestamp > reached)
                )
            ]
            top = _held(
                walk.newest or newest, bookmark, dated_rows, lowest, self.lacks_key
            )
            walk = replace(walk, newest=top, reached=None)
            before = Position(bookmark, walk) if in_order else None
            lowest = min([*filter(None, [lowest]), *unchanged], default=None)
            reached = None
            last = unchanged[-1] if unchanged else lowest
            is_below = bool(in_order and floor and last and last < floor)
            if page.next_cursor is None or is_below:
                yield Step(
                    rows,
                    Position(ordering.later(bookmark, walk.newest)),
                    page_position=before,
                )
                return
            walk = replace(walk, cursor=page.next_cursor)
            # A saved walk ends at its floor, below which a broken order hides rows.
            is_resumable = in_order or floor is None
            yield Step(
                rows,
                Position(bookmark, walk) if is_resumable else None,
                has_next_page=True,
                page_position=before,
            )


def by_cursor(
    pages_from: PagesFrom,
    *,
    key: str,
    position: Position,
    floor: str | None,
    walk_log: WalkLog,
    lacks_key: Callable[[Row], bool] = _has_key,
) -> Iterator[Step]:
    """Read a list that grows at its end, without an order or a filter to ask for.

    Args:
        pages_from: Returns pages, oldest rows first.
        key: The property with the timestamps of rows.
        position: Where the last run stopped.
        floor: The earliest timestamp to read; None for all.
        walk_log: Gets a warning if the pages are not in order, or the list is read
            again.
        lacks_key: Whether a row cannot be loaded.

    Yields:
        The rows of each page from the last page of the last run on, which may have
        grown. The position holds the cursor of the last page with rows. If new rows do
        not come last, it holds none, so that the next run reads the list again. It does
        not pass a row without its key, once.
    """
    cursor = saved = position.cursor
    bookmark = position.bookmark
    newest: str | None = None
    in_order = True
    is_held = False

    def restart(reason: str) -> None:
        nonlocal cursor, saved, newest, is_held
        cursor = saved = newest = None
        is_held = False
        walk_log.warn_of_restart(reason)

    starts = iter([cursor, None])
    pages = restarted_once(lambda: proven(pages_from, next(starts)), restart)
    for page in pages:
        dated_rows = ordering.with_timestamps(page.rows, key)
        past = ordering.past_timestamps(page, dated_rows)
        newest = ordering.later(newest, max(past, default=None))
        # Rows of nearly the same time may come in any order.
        if in_order and past and newest:
            in_order = past[-1] >= timestamps.earlier(newest, OVERLAP)
            if not in_order:
                walk_log.warn_of_order("oldest first")
        rows = [
            row
            for row, timestamp in dated_rows
            if not ordering.is_before(timestamp, floor)
        ]
        if page.rows and not is_held:
            saved = cursor
        was_met = position.bookmark is not None and cursor == position.cursor
        is_held = is_held or (not was_met and any(map(lacks_key, rows)))
        emitted = [value for value in past if not ordering.is_before(value, floor)]
        bookmark = ordering.later(bookmark, max(emitted, default=None))
        cursor = page.next_cursor
        yield Step(
            rows,
            Position(bookmark, cursor=saved if in_order else None),
            has_next_page=cursor is not None,
        )
