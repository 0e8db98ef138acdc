"""Find tickets that were imported with dates in the past.

An import can date a ticket far below every bookmark, where no walk finds it. But its
creation makes an event `ticket-created` with the present date (observed in recordings),
and `/api/tickets?ticket_ids=` returns 100 tickets a request.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from tap_gorgias import timestamps
from tap_gorgias.errors import ApiError
from tap_gorgias.replication.pages import MissingRow, Page
from tap_gorgias.replication.walks import OVERLAP, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_gorgias.replication.bookmarks import Position
    from tap_gorgias.replication.pages import Row

IDS_PER_REQUEST = 100
RESOLUTION = timedelta(microseconds=1)


@dataclass(frozen=True)
class Sources:
    """Where new tickets are found."""

    creations_since: Callable[[str], Iterator[Page]]
    """From a timestamp to pages of events `ticket-created`, oldest first."""
    tickets_of: Callable[[Sequence[int]], Iterator[Page]]
    """From up to 100 ids to pages of those tickets that still exist."""
    on_refusal: Callable[[int, ApiError], None]
    """Called with an id that Gorgias refuses, whose ticket is left out."""


def beginning(newest_tickets: Page) -> str | None:
    """Return the mark with which a first walk begins, from a page of tickets."""
    return _present(newest_tickets, newest_tickets.newest) or newest_tickets.now


def with_imports(
    walk: Iterator[Step], position: Position, sources: Sources
) -> Iterator[Step]:
    """Read a feed of tickets, then the new tickets that are not in it.

    The mark `imports` is the time up to which the events have been read. It starts with
    the first walk, and moves only when the tickets of its events have been emitted. Ids
    of walked tickets are kept only in later walks, so that memory does not grow with
    the first one.
    """
    # A bookmark that was set by hand has no mark: events are read from it on.
    mark = position.imports or position.bookmark
    is_first_sync = mark is None
    walked: set[int] = set()
    reached: Position | None = None
    first: Page | None = None
    last = Page([])
    for step in walk:
        if step.page is not None:
            # A page of future tickets proves nothing.
            first = first if first and first.newest else step.page
            last = step.page
        if mark is None and first and (first.newest or not step.has_next_page):
            mark = beginning(first)
        reached = step.position and replace(step.position, imports=mark)
        if reached is not None and reached.bookmark is not None:
            walked.update(ids_in(step.rows, "id"))
        before = step.position_before and replace(step.position_before, imports=mark)
        yield step._replace(position=reached, position_before=before)
    if is_first_sync or mark is None or reached is None or reached.walk is not None:
        return
    below = {row["id"]: row for row in last.rows if ids_in([row], "id")}
    newest = first.newest if first else None
    yield from _imported(mark, reached, walked, below, newest, sources)


def _imported(
    mark: str,
    reached: Position,
    known: set[int],
    below: dict[int, Row],
    newest: str | None,
    sources: Sources,
) -> Iterator[Step]:
    missing: list[int] = []
    limit: str | None = None
    is_held = False
    for page in sources.creations_since(timestamps.earlier(mark, OVERLAP)):
        newest = timestamps.later(newest, page.newest)
        if limit is None and page.is_near(OVERLAP):
            limit = page.now
        # After the last page, so that the next run skips the events of a large import.
        present = None if page.next_cursor else _present(page, newest)
        moved = timestamps.later(timestamps.later(mark, page.newest), present)
        # An event may become visible behind the reader.
        mark = max(mark, timestamps.sooner(limit, moved) or mark)
        created = dict.fromkeys(ids_in(page.rows, "object_id"))
        new = [ticket for ticket in created if ticket not in known]
        known.update(new)
        # The last page of the walk may hold one below the floor.
        rows = [below[ticket] for ticket in new if ticket in below]
        missing += [ticket for ticket in new if ticket not in below]
        while len(missing) >= IDS_PER_REQUEST or (missing and not page.next_cursor):
            ids, missing = missing[:IDS_PER_REQUEST], missing[IDS_PER_REQUEST:]
            rows += _tickets_of(ids, sources)
        # The ids of unreadable tickets are not known: all are requested again.
        is_held = is_held or any(isinstance(row, MissingRow) for row in rows)
        can_move = not (missing or is_held)
        yield Step(rows, replace(reached, imports=mark) if can_move else None)


def _present(page: Page, newest: str | None) -> str | None:
    """Return the time up to which events were visible, as far as a row proves it.

    The clock of a response may be ahead, so it counts no further than the overlap
    beyond the newest row, which is then not read again.
    """
    if page.now is None or newest is None:
        return newest
    return min(page.now, timestamps.earlier(newest, -OVERLAP - RESOLUTION))


def _tickets_of(ids: Sequence[int], sources: Sources) -> list[Row]:
    """Request tickets, in smaller pieces if one of their ids is refused."""
    try:
        return [row for page in sources.tickets_of(ids) for row in page.rows]
    except ApiError as error:
        if error.status != HTTPStatus.BAD_REQUEST:
            raise
        if len(ids) == 1:
            sources.on_refusal(ids[0], error)
            return []
    half = len(ids) // 2
    return _tickets_of(ids[:half], sources) + _tickets_of(ids[half:], sources)


def ids_in(rows: Sequence[Row], key: str) -> list[int]:
    """Return the ids in a property of rows, without what is no id."""
    values = (str(row.get(key)) for row in rows if not isinstance(row.get(key), bool))
    return [int(value) for value in values if value.isdecimal() and value.isascii()]
