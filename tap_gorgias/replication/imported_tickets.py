"""Find tickets that were imported with dates in the past.

An import can date a ticket far below every bookmark, where no walk finds it. But its
creation makes an event `ticket-created` with the present date (observed in recordings),
and `/api/tickets?ticket_ids=` returns 100 tickets a request.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tap_gorgias import timestamps
from tap_gorgias.replication import ordering
from tap_gorgias.replication.walks import LOG_OVERLAP, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_gorgias.replication.bookmarks import Position
    from tap_gorgias.replication.pages import Page, PagesFrom, Row

IDS_PER_REQUEST = 100
EVENT_KEY = "created_datetime"


class WatchedPages:
    """Remembers the first and the last page of a walk.

    Args:
        pages_from: Returns pages of tickets.
    """

    def __init__(self, pages_from: PagesFrom) -> None:
        self._pages_from = pages_from
        self.first: Page | None = None
        self.last: Page | None = None

    def __call__(self, cursor: str | None) -> Iterator[Page]:
        """Return pages, as `PagesFrom`."""
        for page in self._pages_from(cursor):
            self.last = page
            self.first = self.first or page
            yield page


def with_imports(
    walk: Iterator[Step],
    *,
    position: Position,
    watched: WatchedPages,
    creations_since: Callable[[str], Iterator[Page]],
    tickets_of: Callable[[Sequence[str]], Iterator[Page]],
) -> Iterator[Step]:
    """Read a feed of tickets, then the new tickets that are not in it.

    The mark `imports` is the time up to which the events have been read. It starts with
    the first walk, and moves only when the tickets of its events have been emitted. Ids
    of walked tickets are kept only in later walks, so that memory does not grow with
    the first one.

    Args:
        walk: Steps of the feed from `position` on.
        position: Where the last run stopped.
        watched: The pages that the walk reads.
        creations_since: From a timestamp to pages of events `ticket-created`, oldest
            first.
        tickets_of: From up to 100 ids to pages of those tickets that still exist.

    Yields:
        The steps of the walk with the mark in their positions, then the tickets that
        the events name and the walk did not find.
    """
    # A bookmark that was set by hand has no mark: events are read from it on.
    mark = position.imports or position.bookmark
    is_first_sync = mark is None
    walked: set[str] = set()
    reached: Position | None = None
    for step in walk:
        if mark is None and watched.first is not None:
            newest = ordering.newest_of(watched.first, "updated_datetime")
            mark = watched.first.now or newest
        reached = step.position and replace(step.position, imports=mark)
        if reached is not None and reached.bookmark is not None:
            walked.update(str(row.get("id")) for row in step.rows)
        before = step.page_position and replace(step.page_position, imports=mark)
        yield step._replace(position=reached, page_position=before)
    if is_first_sync or mark is None or reached is None or reached.walk is not None:
        return
    last_rows = watched.last.rows if watched.last else []
    below = {str(row.get("id")): row for row in last_rows}
    yield from _imported(mark, reached, walked, below, creations_since, tickets_of)


def _imported(
    mark: str,
    reached: Position,
    known: set[str],
    below: dict[str, Row],
    creations_since: Callable[[str], Iterator[Page]],
    tickets_of: Callable[[Sequence[str]], Iterator[Page]],
) -> Iterator[Step]:
    missing: list[str] = []
    since = timestamps.earlier(mark, LOG_OVERLAP)
    for page in creations_since(since):
        newest = ordering.newest_of(page, EVENT_KEY)
        # After the last page, so that the next run skips the events of a large import.
        present = page.now if page.next_cursor is None else None
        mark = ordering.later(ordering.later(mark, newest), present) or mark
        rows: list[Row] = []
        for ticket in (str(event.get("object_id")) for event in page.rows):
            if ticket in known:
                continue
            known.add(ticket)
            # The last page of the walk may hold it below the floor.
            if ticket in below:
                rows.append(below[ticket])
            else:
                missing.append(ticket)
        while len(missing) >= IDS_PER_REQUEST or (missing and not page.next_cursor):
            ids, missing = missing[:IDS_PER_REQUEST], missing[IDS_PER_REQUEST:]
            for found in tickets_of(ids):
                rows += found.rows
        yield Step(rows, None if missing else replace(reached, imports=mark))
