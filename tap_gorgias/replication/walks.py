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
from tap_gorgias.errors import ApiError
from tap_gorgias.replication.bookmarks import Position, Walk
from tap_gorgias.replication.pages import (
    CursorRefusedError,
    PageError,
    proven,
    restarted_once,
    up_to_the_present,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tap_gorgias.replication.pages import Page, PagesFrom, Row

OVERLAP = timedelta(minutes=5)
"""How far behind its bookmark a list is read again: rows may become visible late."""

ROWS_OF_LONG_PAGE = 10
"""From so many rows on, two below the floor end a walk."""


class Step(NamedTuple):
    """Rows to emit, then a position to save."""

    rows: list[Row]
    position: Position | None = None
    has_next_page: bool = False
    """Whether another page is certain to be read, so that it can be prefetched."""
    position_before: Position | None = None
    """The position before this page; None if the rows are in no order."""
    page: Page | None = None
    """The page that holds the rows."""


class WalkPlan(NamedTuple):
    """Where a walk over a feed starts and ends, and which rows it emits."""

    position: Position
    floor: Callable[[str | None], str | None]
    """Returns the earliest timestamp to read for a bookmark; None for all."""
    begins: Callable[[Page, str | None], bool] = lambda *_: True
    """Returns whether a new walk begins, from the newest page and the bookmark."""
    includes: Callable[[Row], bool] = lambda _: True
    """Returns whether a row is emitted."""


class ListedStream(Protocol):
    """The part of a stream that a walk uses."""

    def lacks_key(self, row: Row) -> bool:
        """Return whether a row cannot be loaded, because it lacks its key."""

    def warn_of_order(self, order: str) -> None:
        """Warn that a list is not in the order requested, which is told in words."""

    def warn_of_restart(self, reason: str) -> None:
        """Warn that a list is read again from its start."""


def floor_of(bookmark: str | None, start: str | None, overlap: timedelta) -> str | None:
    """Return the earliest timestamp to read; None for all.

    `overlap` is how far behind the bookmark to read again. `start`, the earliest
    timestamp to read, limits a look-back, but never the last minutes before the
    bookmark.
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
    """Read a small table completely, without rows that came before.

    `start` begins to read it, and `keys` are the properties that identify a row.
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
    stream: ListedStream,
    *,
    bookmark: str | None,
    start: str | None,
) -> Iterator[Step]:
    """Read immutable rows, oldest first, from the bookmark on.

    The bookmark does not pass the time at which the first page near the present was
    read: a row before it may have become visible behind the reader. Nor does it pass a
    row without its key, which the next run reads again, once. If the order is broken,
    it returns to where it was until the list has been read to its end.
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
        stream.warn_of_restart(reason)

    for page in restarted_once(begin, restart):
        first_page_newest = first_page_newest or page.newest
        if in_order and _is_inverted([highest, *page.past], ascending=True):
            in_order = False
            reached = bookmark
            stream.warn_of_order("oldest first")
        if limit is None and page.is_near(OVERLAP):
            limit = page.now
        limit = _held(limit, bookmark, page.dated_rows, highest, stream)
        highest = timestamps.later(highest, page.newest)
        if in_order:
            reached = timestamps.later(reached, page.newest)
        elif page.next_cursor is None:
            # Rows that were created after the first page was read may be missing.
            reached = timestamps.later(bookmark, first_page_newest)
        if reached is not None:
            reached = timestamps.later(bookmark, timestamps.sooner(limit, reached))
        yield Step(page.rows, Position(reached), page.next_cursor is not None)


def _held(
    limit: str | None,
    bookmark: str | None,
    dated_rows: Iterable[tuple[Row, str | None]],
    before: str | None,
    stream: ListedStream,
) -> str | None:
    """Return the limit of a new bookmark, held at rows without their keys.

    The next run reads such a row again. If it still has no key then, its date is the
    bookmark, and holds nothing.
    """
    for row, timestamp in dated_rows:
        before = timestamp or before
        if stream.lacks_key(row) and before and (bookmark is None or before > bookmark):
            limit = timestamps.sooner(limit, before)
    return limit


def feed(pages_from: PagesFrom, plan: WalkPlan, stream: ListedStream) -> Iterator[Step]:
    """Read changing rows, newest first, down to where the last run began.

    A walk that was interrupted is finished first, from its cursor down to its floor.
    Then a new walk reads the rows that changed since that one began. So there is never
    more than one gap, and an older version of a row is emitted before a newer one. If
    the interrupted walk cannot be read on, it is kept, and the rows above it are read.

    Yields the rows that the plan includes and that are not older than the floor, or
    have no timestamp. If the order is broken, the list is read to its end. The bookmark
    is the newest timestamp of a walk's first page: rows that change later come before
    it, in the next walk. A timestamp in the future never becomes a bookmark, nor one
    above a row without its key.
    """
    return _Feed(pages_from, plan, stream).steps()


@dataclass(frozen=True)
class _Feed:
    pages_from: PagesFrom
    plan: WalkPlan
    stream: ListedStream

    def steps(self) -> Iterator[Step]:
        position = self.plan.position
        floor: str | None = None
        is_due = False
        if unfinished := position.walk:
            pages = proven(self.pages_from, unfinished.cursor)
            try:
                for step in self._walk_down(pages, position.bookmark, unfinished):
                    position = step.position or position
                    yield step
            except CursorRefusedError as refusal:
                self.stream.warn_of_restart(str(refusal))
                floor, is_due = unfinished.floor, True
            except (ApiError, PageError):
                yield from self._above(position)
                raise
        bookmark = position.bookmark
        lowest = self.plan.floor(bookmark)
        if is_due:
            lowest = timestamps.lower(lowest, floor)

        def new_walk() -> Iterator[Step]:
            pages = proven(self.pages_from)
            head = up_to_the_present(pages)
            if is_due or self.plan.begins(head[-1], bookmark):
                walk = Walk(None, None, lowest)
                yield from self._walk_down(itertools.chain(head, pages), bookmark, walk)

        yield from restarted_once(new_walk, self.stream.warn_of_restart)

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
                yield step._replace(position=None, position_before=None)
        except CursorRefusedError as refusal:
            raise refusal.cause from None
        yield Step([], replace(position, walk=replace(walk, newest=newest)))

    def _walk_down(
        self, pages: Iterable[Page], bookmark: str | None, walk: Walk
    ) -> Iterator[Step]:
        newest, floor, reached = walk.newest, walk.floor, walk.reached
        lowest: str | None = None
        undated: list[tuple[Row, str | None]] = []
        in_order = True
        for page in pages:
            newest = newest or page.newest
            # Rows that changed since the walk began may be out of order.
            unchanged = [value for value in page.past if newest and value <= newest]
            if in_order and (
                _is_inverted([lowest, *unchanged], floor=floor)
                or (walk.newest is None and _begins_with_old(unchanged, floor))
            ):
                in_order = False
                reached = None
                self.stream.warn_of_order("newest first")
            rows = [
                row
                for row, timestamp in page.dated_rows
                if timestamp is None
                or (floor or "") <= timestamp <= (reached or timestamp)
            ]
            # A row without a date is read again from that of the next row.
            upwards = [*reversed(page.dated_rows), *undated]
            last_rows = itertools.takewhile(lambda dated: dated[1] is None, upwards)
            undated = [one for one in last_rows if self.stream.lacks_key(one[0])][:1]
            top = walk.newest or newest
            if top is not None:  # Rows of the future hold nothing.
                top = _held(top, bookmark, upwards, None, self.stream)
            walk, reached = replace(walk, newest=top, reached=None), None
            here = replace(self.plan.position, bookmark=bookmark, walk=walk)
            lowest = min([*filter(None, [lowest]), *unchanged], default=None)
            # The date of a single row may be wrong.
            ends = 2 if len(page.rows) >= ROWS_OF_LONG_PAGE else 1
            last = max(unchanged[-ends:], default=lowest)
            is_below = bool(in_order and floor and last and last < floor)
            is_last = page.next_cursor is None or is_below
            # A saved walk ends at its floor, below which a broken order hides rows.
            after: Position | None = None
            walk = replace(walk, cursor=page.next_cursor)
            if is_last:
                newest = timestamps.later(bookmark, walk.newest)
                after = replace(here, bookmark=newest, walk=None)
            elif in_order or floor is None:
                after = replace(here, walk=walk)
            included = [*filter(self.plan.includes, rows)]
            before = here if in_order else None
            yield Step(included, after, not is_last, before, page)
            if is_last:
                return


def _is_inverted(
    values: Sequence[str | None], *, floor: str | None = None, ascending: bool = False
) -> bool:
    """Return whether timestamps are so far out of order that rows may be missed.

    A smaller inversion than the overlap, which is read again anyway, is none. Below the
    floor, the order does not matter.
    """
    extreme: str | None = None
    for value in filter(None, values):
        if extreme is not None:
            low, high = (value, extreme) if ascending else (extreme, value)
            is_below = floor is not None and value < floor
            if low < high and not is_below and low < timestamps.earlier(high, OVERLAP):
                return True
        is_further = extreme is None or (value > extreme) == ascending
        extreme = value if is_further else extreme
    return False


def _begins_with_old(values: list[str], floor: str | None) -> bool:
    """Return whether a list begins below the floor, and not with its newest rows."""
    if not values or not timestamps.is_before(values[0], floor):
        return False
    return values[0] < values[-1] or _is_inverted(values)


def by_cursor(
    pages_from: PagesFrom,
    stream: ListedStream,
    *,
    position: Position,
    floor: str | None,
) -> Iterator[Step]:
    """Read a list that grows at its end, without an order or a filter to ask for.

    Begins with the last page of the last run, which may have grown, and leaves out rows
    before the floor. The position holds the cursor of the last page with rows. If new
    rows do not come last, it holds none, so that the next run reads the list again. It
    does not pass a row without its key, once.
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
        stream.warn_of_restart(reason)

    starts = iter([_resumed(pages_from, position), proven(pages_from)])
    for page in restarted_once(lambda: next(starts), restart):
        newest = timestamps.later(newest, page.newest)
        # Rows of nearly the same time may come in any order.
        if in_order and page.past and newest:
            in_order = page.past[-1] >= timestamps.earlier(newest, OVERLAP)
            if not in_order:
                stream.warn_of_order("oldest first")
        rows = [
            row
            for row, timestamp in page.dated_rows
            if not timestamps.is_before(timestamp, floor)
        ]
        if page.rows and not is_held:
            saved = cursor
        was_met = position.bookmark is not None and cursor == position.cursor
        is_held = is_held or (not was_met and any(map(stream.lacks_key, rows)))
        if page.newest and not timestamps.is_before(page.newest, floor):
            bookmark = timestamps.later(bookmark, page.newest)
        cursor = page.next_cursor
        after = Position(bookmark, cursor=saved if in_order else None)
        yield Step(rows, after, cursor is not None)


def _resumed(pages_from: PagesFrom, position: Position) -> Iterator[Page]:
    """Read on from a saved cursor, if it leads to rows that have been read before.

    A cursor that counts rows leads too far if rows before it were deleted.
    """
    pages = proven(pages_from, position.cursor)
    first = next(pages)
    bookmark = position.bookmark if position.cursor else None
    if bookmark and first.past and first.past[0] > bookmark:
        raise CursorRefusedError(PageError("its cursor leads past rows."))
    yield first
    yield from pages
