"""Random histories of an account that is read while it changes, without HTTP.

A history is a few runs of the tap over an account of some rows. Between any two
requests rows change, appear, vanish or become visible late; runs are killed between any
two records, and saved cursors expire. When all is quiet one more run is made. Then the
last version of each row that came out must be that of the account.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from tap_gorgias.errors import ApiError
from tap_gorgias.replication import walks
from tap_gorgias.replication.bookmarks import Position, bookmark_from, walk_from
from tap_gorgias.replication.pages import Page
from tests.support.lists import Read
from tests.support.responses import paged

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from tap_gorgias.replication.pages import PagesFrom, Row
    from tap_gorgias.replication.walks import Step

    Reader = Callable[[PagesFrom, Position], Iterator[Step]]

KEY = "updated_datetime"
PAGE_ROWS = 3
LONGEST_LAG_SECONDS = 115
BEGINNING = datetime(2026, 1, 1, tzinfo=timezone.utc)


class KilledError(Exception):
    """The process is gone."""


def _floor(bookmark: str | None) -> str | None:
    return walks.floor_of(bookmark, None, walks.FEED_OVERLAP)


def feed(pages_from: PagesFrom, position: Position) -> Iterator[Step]:
    """Read as the tap does."""
    return walks.feed(
        pages_from,
        walks.WalkPlan(position, _floor),
        key=KEY,
        walk_log=Read(),
    )


@dataclass
class Account:
    """Rows with a version each; time goes on with what happens."""

    chance: random.Random
    now: float = 0.0
    generation: int = 0
    created: int = 0
    rows: dict[int, tuple[datetime, int]] = field(default_factory=dict)
    hidden: list[tuple[float, int, datetime]] = field(default_factory=list)

    def live(self, most: int) -> None:
        """Let up to so many things happen."""
        for _ in range(self.chance.randrange(most + 1)):
            # Half of all changes share their microsecond with the one before.
            self.now += self.chance.choice([0, 0, 0.000001, 1, 60, 3600])
            self._happen(self.chance.random())
        self._reveal()

    def calm_down(self) -> None:
        """Let everything become visible, and the day end."""
        self.now += 24 * 3600
        self._reveal()

    def page(self, cursor: str | None) -> Page:
        """Answer as a list endpoint, newest first, with a stateless cursor.

        Raises:
            ApiError: If the cursor has expired.
        """
        after = None
        if cursor is not None:
            generation, moment, row_id = json.loads(cursor)
            if generation != self.generation:
                reason = "expired"
                raise ApiError(reason, stream="rows", path="/rows", status=400)
            after = (datetime.fromisoformat(moment), row_id)
        order = sorted(
            ((moment, row_id) for row_id, (moment, _) in self.rows.items()),
            reverse=True,
        )
        left = [place for place in order if after is None or place < after]
        shown = left[:PAGE_ROWS]
        next_cursor = None
        if len(left) > PAGE_ROWS:
            moment, row_id = shown[-1]
            next_cursor = json.dumps([self.generation, moment.isoformat(), row_id])
        return Page([self._row(row_id) for _, row_id in shown], next_cursor)

    def _row(self, row_id: int) -> Row:
        moment, version = self.rows[row_id]
        return {"id": row_id, KEY: moment.isoformat(), "version": version}

    def _happen(self, luck: float) -> None:
        if luck < 0.25 or not self.rows:
            self.created += 1
            self.rows[self.created] = (self._moment(), 0)
        elif luck < 0.35:
            self.rows.pop(self._any_row())
        elif luck < 0.55:
            lag = self.chance.random() * LONGEST_LAG_SECONDS
            self.hidden.append((self.now + lag, self._any_row(), self._moment()))
        else:
            self._change(self._any_row(), self._moment())

    def _any_row(self) -> int:
        return self.chance.choice(list(self.rows))

    def _moment(self) -> datetime:
        return BEGINNING + timedelta(seconds=self.now)

    def _change(self, row_id: int, moment: datetime) -> None:
        if row_id in self.rows:
            before, version = self.rows[row_id]
            self.rows[row_id] = (max(before, moment), version + 1)

    def _reveal(self) -> None:
        for visible_at, row_id, moment in sorted(self.hidden):
            if visible_at <= self.now:
                self._change(row_id, moment)
        self.hidden = [late for late in self.hidden if late[0] > self.now]


@dataclass
class History:
    """What a target and an orchestrator hold after some runs."""

    chance: random.Random
    read: Reader = feed
    state_first: bool = False
    emitted: dict[int, int] = field(default_factory=dict)
    state: str = "{}"

    def __post_init__(self) -> None:
        """Begin with an account of some age."""
        self.account = Account(self.chance)
        for _ in range(self.chance.randrange(12)):
            self.account.live(12)

    def play(self) -> None:
        """Run a few times, with kills, and once more when all is quiet."""
        for _ in range(self.chance.randrange(1, 7)):
            self._run(kill_after=self.chance.choice([None, *range(14)]), changes=3)
            self.account.live(4)
            if self.chance.random() < 0.25:
                self.account.generation += 1
        self.account.calm_down()
        self._run(kill_after=None, changes=0)

    def lost(self) -> set[int]:
        """Return the rows whose last version did not come out."""
        return {
            row_id
            for row_id, (_, version) in self.account.rows.items()
            if self.emitted.get(row_id) != version
        }

    def _run(self, *, kill_after: int | None, changes: int) -> None:
        left = kill_after

        def fetch(cursor: str | None) -> Page:
            self.account.live(changes)
            return self.account.page(cursor)

        def out(row: Row) -> None:
            nonlocal left
            if left is not None:
                left -= 1
                if left < 0:
                    raise KilledError
            self.emitted[row["id"]] = row["version"]

        try:
            for step in self._steps(paged(fetch)):
                position = step.position
                entry: dict[str, Any] = position.to_state(KEY) if position else {}
                if self.state_first:
                    self.state = json.dumps(entry)
                for row in step.rows:
                    out(row)
                self.state = json.dumps(entry)
        except KilledError:
            pass

    def _steps(self, pages_from: PagesFrom) -> Iterator[Step]:
        """Ask for the next page before the rows of the one before are out."""
        steps = self.read(pages_from, self._position())
        step = next(steps, None)
        while step is not None:
            ahead = next(steps, None) if step.has_next_page else None
            yield step
            step = ahead if step.has_next_page else next(steps, None)

    def _position(self) -> Position:
        entry = json.loads(self.state)
        bookmark = bookmark_from(entry, "rows")
        return Position(bookmark, walk_from(entry, _floor(bookmark)))
