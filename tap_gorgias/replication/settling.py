"""When the messages of a ticket are requested by its id: the rules of settling.

    {"settled": "2026-11-01T22:10:03.104512Z", "imports": "2026-11-01T22:11:00.000000Z",
     "settling": {"newest": ..., "cursor": ..., "floor": ..., "reached": ...},
     "since": "2025-01-01T00:00:00.000000Z"}

`settled` is a timestamp in the order of ticket changes: the messages of every ticket
that changed up to it have been requested. `settling` is the unfinished walk over the
tickets. `since` is the `start_date` of the first sync, at which the list of messages
ended. It is kept until the tickets that were created before it and changed after it
have been settled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tap_gorgias import timestamps
from tap_gorgias.replication import imported_tickets, walks
from tap_gorgias.replication.bookmarks import walk_to_state
from tap_gorgias.replication.walks import WalkPlan

if TYPE_CHECKING:
    from datetime import timedelta

    from tap_gorgias.replication.bookmarks import Position
    from tap_gorgias.replication.pages import Page, Row


@dataclass(frozen=True)
class Settling:
    """How far tickets have been settled, and which come next."""

    position: Position
    """Its bookmark is `settled`, its walk is `settling`."""
    since: str | None
    start: str | None
    """The setting `start_date`, rendered."""
    every: timedelta
    """How often changed tickets are settled."""

    @property
    def plan(self) -> WalkPlan:
        """The next walk over the list of tickets."""
        return WalkPlan(self.position, self._floor, self._begins, self._includes)

    def begun(self, newest_tickets: Page) -> Settling:
        """Mark all tickets as settled, before the list of messages is first read."""
        newest = newest_tickets.newest
        mark = imported_tickets.beginning(newest_tickets)
        position = replace(self.position, bookmark=newest or mark, imports=mark)
        return replace(self, position=position, since=self.start)

    def beside(self, position: Position) -> Position:
        """Return the position in the list of messages, with that of the settling."""
        others = {
            "settled": self.position.bookmark,
            "settling": walk_to_state(self.position.walk),
            "since": self.since,
        }
        imports, retry = self.position.imports, self.position.retry
        return replace(position, imports=imports, retry=retry, others=others)

    def moved(self, position: Position) -> Settling:
        """Move the position; without a walk, all changed tickets have been settled."""
        has_moved = replace(position, retry=self.position.retry) != self.position
        is_finished = has_moved and position.walk is None
        since = None if is_finished else self.since
        return replace(self, position=position, since=since)

    def _begins(self, newest_tickets: Page, settled: str | None) -> bool:
        # Time is measured by ticket changes, never by a clock.
        newest = newest_tickets.newest
        if newest is None:
            return False
        if settled is None or self.since is not None or not self.every:
            return True
        return timestamps.earlier(newest, self.every) >= settled

    def _floor(self, settled: str | None) -> str | None:
        floor = walks.floor_of(settled, self.start, walks.OVERLAP)
        return floor if self.since is None else timestamps.lower(floor, self.since)

    def _includes(self, ticket: Row) -> bool:
        if self.since is None or timestamps.is_before(
            ticket.get("created_datetime"), self.since
        ):
            return True
        settled = self.position.bookmark
        floor = walks.floor_of(settled, self.start, walks.OVERLAP)
        return not timestamps.is_before(ticket.get("updated_datetime"), floor)
