"""How far a run and its streams are, and how long the rest takes."""

from __future__ import annotations

import math
import threading
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tap_gorgias import timestamps

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping, Sequence

    from tap_gorgias.api.usage import RunSummary
    from tap_gorgias.clock import Clock
    from tap_gorgias.replication.bookmarks import Position, Walk
    from tap_gorgias.run.runner import StreamRunner

SECONDS_BETWEEN_LINES = 30.0
SECONDS_TO_FIRST_ESTIMATE = 10.0
BURST_SECONDS = 20.0
"""A run begins with a burst, so the rate of shorter times says nothing."""
_MAX_UNFINISHED = 0.99


def duration(seconds: float) -> str:
    """Return a duration in its one or two largest units, for example `1 h 20 min`."""
    minutes, hours = round(seconds / 60), round(seconds / 3_600)
    if seconds < 2 * 60:
        return f"{seconds:.0f} s"
    if seconds < 2 * 3_600:
        return f"{minutes} min"
    if seconds < 2 * 86_400:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{hours // 24} d {hours % 24} h"


class RunProgress:
    """Logs once what the run is going to take, and then how far it is."""

    def __init__(self, clock: Clock, summary: RunSummary) -> None:
        self.clock = clock
        self.summary = summary
        self.streams: dict[str, StreamProgress] = {}
        """The streams that are being read, or have been."""
        self._began_at = clock.monotonic()
        self._next_at = math.inf
        self._begin: str | None = ""
        self._lock = threading.RLock()

    def start(
        self,
        runner: StreamRunner,
        logger: logging.Logger,
        *,
        begin: str | None,
        created: Callable[[], str | None],
        hint: str,
    ) -> None:
        """Begin to log. Without this, only streams log their progress.

        `created` is called once if the run has no date to begin at, and returns when
        the account was created. `hint` is logged after the first estimate.
        """
        self._runner, self._logger = runner, logger
        self._begin, self._created, self._hint = begin, created, hint
        self._next_at = self._began_at + SECONDS_TO_FIRST_ESTIMATE

    def begin(self) -> str | None:
        """Return the date down to which a first sync reads."""
        with self._lock:
            if self._begin is None:
                self._begin = ""  # The request below may ask for it again.
                self._begin = self._created() or ""
            return self._begin or None

    @property
    def seconds(self) -> float:
        """How long the run has taken so far."""
        return self.clock.monotonic() - self._began_at

    def seconds_left(self) -> Mapping[str, float]:
        """Estimate how long each stream still takes, and so the run.

        The streams share the rate of requests: until one of them is done, each other
        one has made as many requests as that one, or is done as well. Streams whose
        dates do not tell are left out.
        """
        usage, requests = self.summary.streams, self.summary.total.requests
        rate = max(requests, 1) / max(self.seconds, BURST_SECONDS)
        left = {
            name: usage[name].requests * (1 - share) / share
            for name, stream in dict(self.streams).items()
            if (share := stream.share())
        }
        return {
            name: sum(min(count, other) for other in left.values()) / rate
            for name, count in left.items()
        }

    def log_if_due(self) -> None:
        """Log a line for the run, at most every 30 seconds."""
        with self._lock:
            if self.clock.monotonic() < self._next_at:
                return
            self._next_at = math.inf
        left, names = self.seconds_left(), set(self._runner.names)
        completed = self._runner.completed
        rest = "no estimate yet"
        if longest := max(left.values(), default=0.0):
            rest = f"about {duration(longest)} left"
            if unknown := len(names - left.keys() - completed):
                rest += f", not counting {unknown} of them"
        self._logger.info(
            "Run: %d/%d streams, %d requests, %s.",
            len(completed),
            len(names),
            self.summary.total.requests,
            rest,
        )
        if self._hint:
            self._logger.info("%s", self._hint)
            self._hint = ""
        # An estimate can take a request, and so a while.
        self._next_at = self.clock.monotonic() + SECONDS_BETWEEN_LINES


class StreamProgress:
    """Logs how far a stream has been read, at most every 30 seconds.

    `replication_key` is the key by which its list is sorted; None if it has no order.
    """

    prefetches = True
    """Whether the next page may be requested while one is processed."""

    def __init__(
        self,
        run: RunProgress,
        stream_name: str,
        replication_key: str | None,
        logger: logging.Logger,
    ) -> None:
        self._run = run
        self._name = stream_name
        self._key = replication_key
        self._logger = logger
        self._first = self._reached = ""
        """Timestamps of the first and the last row."""
        self._created: Counter[str] = Counter()  # by day
        self._floor: str | None = None
        self._direction = ""
        """`back`, `up`, or `done` after a walk: what may follow is in no order."""
        self._next_at: float | None = None

    def add(self, rows: Sequence[Mapping[str, Any]], position: Position | None) -> None:
        """Add the rows of a page, and log a line if it is time for one."""
        self._run.streams[self._name] = self
        if position is not None:
            self._add(rows, position.walk)
        now = self._run.clock.monotonic()
        if self._next_at is not None and now >= self._next_at:
            self._log()
            self._next_at = None
        self._next_at = self._next_at or now + SECONDS_BETWEEN_LINES
        self._run.log_if_due()

    def _add(self, rows: Sequence[Mapping[str, Any]], walk: Walk | None) -> None:
        if walk is None and self._direction in {"back", "done"}:
            self._direction = "done"
            return
        ends = [row.get(self._key or "") for row in (*rows[:1], *rows[-1:])]
        first, last = map(timestamps.normalized_or_none, ends or [None, None])
        if last is None:
            return
        if not self._first or (walk is not None and last > self._reached):
            self._first, self._created = first or last, Counter()
        self._reached = last
        self._created.update(
            str(row.get("created_datetime") or "")[:10] for row in rows
        )
        self._floor = walk.floor if walk else None
        self._direction = "up" if walk is None else "back"

    def share(self) -> float | None:
        """Return how much of the list has been read; None if its dates do not tell."""
        share = None
        if self._direction == "done":
            return 1.0
        if self._direction == "up":
            now = timestamps.render(self._run.clock.utc())
            share = _share(self._first, self._reached, now)
        elif self._direction and (begin := self._floor or self._run.begin()):
            share = self._share_downwards(begin)
        return min(share, _MAX_UNFINISHED) if share and share > 0 else None

    def _share_downwards(self, begin: str) -> float | None:
        """Return how much of a list that is read newest first has been read.

        A list by date of change is denser at its newest end. But rows that were created
        after the change that it has reached have all been read; so their number shows
        how many rows there are in all, if rows are created evenly.
        """
        midnight = f"{self._reached[:10]}T00:00:00.000000Z"
        since = timestamps.earlier(midnight, -timedelta(days=1))
        part = _share(begin, since, self._first)
        created = dict(self._created)  # The thread of the stream may add a day.
        known = sum(n for day, n in created.items() if day >= since[:10])
        if part is None or not known:
            return None
        return (1 - part) * sum(created.values()) / known

    def _log(self) -> None:
        read = f"{self._run.summary.streams[self._name].rows} rows"
        if self._direction in {"back", "up"}:
            read += f" {self._direction} to {self._reached[:10]}"
        left, share = self._run.seconds_left().get(self._name), self.share()
        if left is None or share is None:
            self._logger.info("%s, no dates tell how much is left.", read)
        else:
            done, rest = f"{share:.0%}", duration(left)
            self._logger.info("%s, %s done, about %s left.", read, done, rest)


def _share(start: str, place: str, end: str) -> float | None:
    """Return the share of the time between two dates that ends at a place in it."""
    first, middle, last = map(timestamps.parse, (start, place, end))
    return (middle - first) / (last - first) if first < last else None
