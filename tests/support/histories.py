"""Random histories of an account that changes while it is read, without HTTP.

A history is a sequence of runs of the tap. Between any two requests, rows are created,
changed and deleted, and some changes become visible late. Runs are killed between any
two records, requests fail, neighbours swap their places, and cursors expire at any
time, which Gorgias may tell in several ways. After a last run without changes, the last
emitted version of each row must be the current one.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from tap_gorgias.errors import ApiError, TransientApiError
from tap_gorgias.replication import walks
from tap_gorgias.replication.bookmarks import (
    FEED_KEYS,
    Position,
    bookmark_from,
    walk_from,
)
from tap_gorgias.replication.pages import Page, PageError
from tests.support.lists import Read
from tests.support.merging import State, merged
from tests.support.responses import paged

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from tap_gorgias.replication.pages import PagesFrom, Row
    from tap_gorgias.replication.walks import Step

    Reader = Callable[[PagesFrom, Position], Iterator[Step]]

KEY = "updated_datetime"
PAGE_ROWS = 3
MAX_LAG_SECONDS = 295
MAX_SWAP = timedelta(minutes=4)
START = datetime(2026, 1, 1, tzinfo=timezone.utc)


class KilledError(Exception):
    """The run was killed."""


def _floor(bookmark: str | None) -> str | None:
    return walks.floor_of(bookmark, None, walks.OVERLAP)


def feed(pages_from: PagesFrom, position: Position) -> Iterator[Step]:
    """Read a feed as the tap does."""
    return walks.feed(pages_from, walks.WalkPlan(position, _floor), Read())


@dataclass
class Account:
    """Rows with versions, and a clock that every change can advance."""

    chance: random.Random
    now: float = 0.0
    generation: int = 0
    created: int = 0
    has_faults: bool = True
    keyless: int = 0
    """The row that comes without its key; 0 for none."""
    rows: dict[int, tuple[datetime, int]] = field(default_factory=dict)
    hidden: list[tuple[float, int, datetime]] = field(default_factory=list)

    def change(self, max_changes: int) -> None:
        """Make up to `max_changes` random changes."""
        for _ in range(self.chance.randrange(max_changes + 1)):
            # Half of all changes share their microsecond with the one before.
            self.now += self.chance.choice([0, 0, 0.000001, 1, 60, 3600])
            self._change_at_random(self.chance.random())
        self._reveal()

    def settle(self) -> None:
        """Advance the clock by a day, after which all changes are visible."""
        self.now += 24 * 3600
        self._reveal()

    def page(self, cursor: str | None) -> Page:
        """Return a page as a list does: newest first, with a stateless cursor."""
        after = None
        if cursor is not None:
            generation, timestamp, row_id = json.loads(cursor)
            if generation != self.generation:
                return self._dead_end(generation)
            after = (datetime.fromisoformat(timestamp), row_id)
        order = sorted(
            ((timestamp, row_id) for row_id, (timestamp, _) in self.rows.items()),
            reverse=True,
        )
        remaining = [key for key in order if after is None or key < after]
        page = remaining[:PAGE_ROWS]
        next_cursor = None
        if len(remaining) > PAGE_ROWS:
            timestamp, row_id = page[-1]
            next_cursor = json.dumps([self.generation, timestamp.isoformat(), row_id])
        rows = [self._row(row_id) for row_id in self._swapped(page)]
        return Page(rows, next_cursor, key=KEY)

    def _swapped(self, page: list[tuple[datetime, int]]) -> list[int]:
        """Return ids with neighbours of nearly the same time in another order."""
        keys = list(page)
        for place in range(len(keys) - 1):
            is_close = keys[place][0] - keys[place + 1][0] < MAX_SWAP
            if self.has_faults and is_close and self.chance.random() < 0.1:
                keys[place : place + 2] = keys[place + 1], keys[place]
        return [row_id for _, row_id in keys]

    def _dead_end(self, generation: int) -> Page:
        """Answer an expired cursor, always in the same way."""
        status = (400, 404, 410, None, 200)[generation % 5]
        if status is None:
            return Page([])
        kind = TransientApiError if status == 200 else ApiError
        reason = "expired"
        raise kind(reason, stream="rows", path="/rows", status=status)

    def _row(self, row_id: int) -> Row:
        timestamp, version = self.rows[row_id]
        key = None if row_id == self.keyless else row_id
        return {"id": key, KEY: timestamp.isoformat(), "version": version}

    def _change_at_random(self, draw: float) -> None:
        if draw < 0.25 or not self.rows:
            self.created += 1
            self.rows[self.created] = (self._timestamp(), 0)
        elif draw < 0.35:
            self.rows.pop(self._any_row())
        elif draw < 0.55:
            lag = self.chance.random() * MAX_LAG_SECONDS
            self.hidden.append((self.now + lag, self._any_row(), self._timestamp()))
        else:
            self._update(self._any_row(), self._timestamp())

    def _any_row(self) -> int:
        return self.chance.choice(list(self.rows))

    def _timestamp(self) -> datetime:
        return START + timedelta(seconds=self.now)

    def _update(self, row_id: int, timestamp: datetime) -> None:
        if row_id in self.rows:
            previous, version = self.rows[row_id]
            self.rows[row_id] = (max(previous, timestamp), version + 1)

    def _reveal(self) -> None:
        for visible_at, row_id, timestamp in sorted(self.hidden):
            if visible_at <= self.now:
                self._update(row_id, timestamp)
        self.hidden = [change for change in self.hidden if change[0] > self.now]


@dataclass
class History:
    """An account, and what a target and an orchestrator keep of its runs."""

    chance: random.Random
    read: Reader = feed
    state_first: bool = False
    kept: Callable[[State], State] = lambda state: state
    """What of an entry is written to STATE: all of it, unless a rule is broken."""
    emitted: dict[int, int] = field(default_factory=dict)
    rows_emitted: int = 0
    requests: int = 0
    """Of the last run."""
    state: str = "{}"
    has_failed: bool = False

    def __post_init__(self) -> None:
        """Create an account with a random number of changes."""
        self.account = Account(self.chance)
        self.account.keyless = self.chance.choice([0, 0, 0, *range(1, 9)])
        for _ in range(self.chance.randrange(12)):
            self.account.change(12)

    def play(self) -> None:
        """Make runs that may be killed, and a last one without changes."""
        self.make_runs()
        self.account.settle()
        self.account.has_faults = False
        # The row without its key holds the bookmark once.
        for _ in range(3 if self.account.keyless else 2):
            self._run(kill_after=None, changes=0)

    def is_costly(self) -> bool:
        """Return whether the last run has requested what cannot have changed."""
        dates = [timestamp for timestamp, _ in self.account.rows.values()]
        since = max(dates, default=START) - walks.OVERLAP
        return self.requests > sum(one >= since for one in dates) // PAGE_ROWS + 2

    def make_runs(self) -> None:
        """Make runs that may be killed."""
        for _ in range(self.chance.randrange(1, 7)):
            self._run(kill_after=self.chance.choice([None, *range(14)]), changes=3)
            self.account.change(4)
            if self.chance.random() < 0.25:
                self.account.generation += 1

    def refresh(self) -> History:
        """Make a run without state that may be killed, after which states are merged.

        The target begins anew, so rows of earlier runs count no more. Returns the same
        history without the older state.
        """
        old = json.loads(self.state)
        self.emitted = {}
        self.state = self._written(Position())
        self._run(kill_after=self.chance.choice([None, *range(14)]), changes=3)
        unmerged = copy.deepcopy(self)
        self.state = json.dumps(merged(json.loads(self.state), old))
        return unmerged

    def lost(self) -> set[int]:
        """Return the ids of rows whose last version was not emitted."""
        return {
            row_id
            for row_id, (_, version) in self.account.rows.items()
            if self.emitted.get(row_id) != version and row_id != self.account.keyless
        }

    def _run(self, *, kill_after: int | None, changes: int) -> None:
        remaining = kill_after
        self.requests = 0

        def fetch(cursor: str | None) -> Page:
            self.requests += 1
            self.account.change(changes)
            return self._fetch(cursor)

        def emit(row: Row) -> None:
            nonlocal remaining
            if remaining is not None:
                remaining -= 1
                if remaining < 0:
                    raise KilledError
            if row["id"] is not None:
                self.emitted[row["id"]] = row["version"]
                self.rows_emitted += 1

        try:
            for step in self._steps(paged(fetch)):
                position = step.position or Position()
                if self.state_first:
                    self.state = self._written(position)
                for row in step.rows:
                    emit(row)
                self.state = self._written(position)
        except (KilledError, ApiError, PageError):
            self.has_failed = not self.account.has_faults

    def _fetch(self, cursor: str | None) -> Page:
        draw = self.chance.random() if self.account.has_faults else 1
        if draw < 0.02:
            self.account.generation += 1
        elif draw < 0.05:
            reason = "busy"
            raise TransientApiError(reason, stream="s", path="/rows", status=503)
        return self.account.page(cursor)

    def _written(self, position: Position) -> str:
        return json.dumps(self.kept(position.to_state(KEY, FEED_KEYS)))

    def _steps(self, pages_from: PagesFrom) -> Iterator[Step]:
        """Yield each step after the next page was requested, as the tap does."""
        steps = self.read(pages_from, self._position())
        step = next(steps, None)
        while step is not None:
            ahead = next(steps, None) if step.has_next_page else None
            yield step
            step = ahead if step.has_next_page else next(steps, None)

    def _position(self) -> Position:
        entry = json.loads(self.state)
        return Position(bookmark_from(entry, "rows"), walk_from(entry))
