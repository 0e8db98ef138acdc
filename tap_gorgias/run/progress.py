"""Progress messages of a run that takes long, and of its streams."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Literal

from tap_gorgias import timestamps
from tap_gorgias.replication import ordering
from tap_gorgias.run.estimate import History, Reading, seconds_left
from tap_gorgias.run.report import duration

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping, Sequence

    from tap_gorgias.replication.bookmarks import Position, Walk
    from tap_gorgias.run.context import Run

    Direction = Literal["back", "up", "done"]

SECONDS_BETWEEN_LINES = 30.0
SECONDS_TO_FIRST_ESTIMATE = 10.0
MAX_NAMES = 2


class RunProgress:
    """Logs once what the run is going to take, and then how far it is.

    Args:
        run: The run.
        names: Names of the selected streams.
        logger: The logger of the tap.
        created: Returns when the account was created, at the price of a request; None
            if that is unknown.
        hint: What else to say with the first estimate.
    """

    def __init__(
        self,
        run: Run,
        names: Sequence[str],
        logger: logging.Logger,
        *,
        created: Callable[[], str | None],
        hint: str,
    ) -> None:
        self.streams: dict[str, StreamProgress] = {}
        """The streams that are being read, or have been."""
        self._run = run
        self._names = names
        self._logger = logger
        self._created = created
        self._hint = hint
        start = run.settings.start_date
        self._begin = None if start is None else timestamps.render(start)
        self._began_at = run.clock.monotonic()
        self._next_at = self._began_at + SECONDS_TO_FIRST_ESTIMATE
        self._is_first = True
        self._lock = threading.RLock()

    def begin(self) -> str | None:
        """Return the date down to which a first sync reads."""
        with self._lock:
            if self._begin is None:
                self._begin = ""  # The request below may ask for it again.
                self._begin = self._run.account_created or self._created() or ""
            return self._begin or None

    def seconds_left(self) -> Mapping[str, float]:
        """Estimate the seconds that streams still take, as far as dates tell."""
        readings = {
            name: reading
            for name, progress in dict(self.streams).items()
            if (reading := progress.reading()) is not None
        }
        now = self._run.clock.monotonic()
        requests = self._run.summary.total.requests
        seconds = now - self._began_at
        return seconds_left(readings, requests=requests, seconds=seconds)

    def log_if_due(self) -> None:
        """Log a line for the run, at most every 30 seconds."""
        now = self._run.clock.monotonic()
        with self._lock:
            if now < self._next_at:
                return
            self._next_at = now + SECONDS_BETWEEN_LINES
            is_first, self._is_first = self._is_first, False
        left = self.seconds_left()
        total, runner = self._run.summary.total, self._run.runner
        completed = runner.completed if runner else set()
        longest = max(left.values(), default=0.0)
        rest = f"about {duration(longest)} left" if longest else "no estimate yet"
        unknown = [
            name for name in self._names if name not in left and name not in completed
        ]
        listed = ", ".join(unknown[-MAX_NAMES:])
        if len(unknown) > MAX_NAMES:
            listed = f"{len(unknown)} streams such as {listed}"
        without = f", without {listed}" if unknown and left else ""
        self._logger.info(
            "Progress of the run: %d requests, %d of %d streams complete, %s.",
            total.requests,
            len(completed),
            len(self._names),
            f"{rest}{without}",
        )
        if is_first and self._hint:
            self._logger.info("%s", self._hint)


class StreamProgress:
    """Logs how far a stream has been read, at most every 30 seconds.

    Args:
        run: The run, for its clock and counts.
        stream_name: Name of the stream.
        replication_key: The key by which its list is sorted; None if it has no order.
        logger: The logger of the stream.
    """

    prefetches = True
    """Whether the next page may be requested while one is processed."""

    def __init__(
        self,
        run: Run,
        stream_name: str,
        replication_key: str | None,
        logger: logging.Logger,
    ) -> None:
        self._run = run
        self._name = stream_name
        self._key = replication_key
        self._logger = logger
        self._history = History()
        self._floor: str | None = None
        self._direction: Direction | None = None
        self._logged_at = run.clock.monotonic()
        self._logged_requests = 0

    def start(self) -> None:
        """Start the time until the first line."""
        self._logged_at = self._run.clock.monotonic()

    def add(self, rows: Sequence[Mapping[str, Any]], position: Position | None) -> None:
        """Add the rows of a page, and log a line if it is time for one."""
        run = self._run.progress
        if run is not None:
            run.streams[self._name] = self
        if position is not None:
            self._add(rows, position.walk)
        if self._run.clock.monotonic() - self._logged_at >= SECONDS_BETWEEN_LINES:
            self._log()
        if run is not None:
            run.log_if_due()

    def _add(self, rows: Sequence[Mapping[str, Any]], walk: Walk | None) -> None:
        if walk is None and self._direction in {"back", "done"}:
            self._direction = "done"  # What may follow is in no order.
            return
        if not rows or self._key is None:
            return
        timestamp = ordering.timestamp_of(rows[-1].get(self._key))
        if timestamp is None:
            return
        reached = self._history.reached
        if walk is not None and reached is not None and timestamp > reached:
            self._history = History()  # of the next walk
        self._direction = "up" if walk is None else "back"
        self._floor = walk.floor if walk else None
        newest = ordering.timestamp_of(rows[0].get(self._key))
        if self._history.first is None and newest is not None:
            self._history.add(newest, [])
        created = (str(row.get("created_datetime") or "") for row in rows)
        self._history.add(timestamp, created)

    def share(self) -> float | None:
        """Return how much of the list has been read; None if its dates do not tell."""
        if self._direction == "done":
            return 1.0
        if self._direction == "up":
            return self._history.share_upwards(timestamps.render(self._run.clock.utc()))
        run = self._run.progress
        begin = self._floor or (run.begin() if run and self._direction else None)
        return self._history.share_downwards(begin) if begin else None

    def reading(self) -> Reading | None:
        """Return how far the stream has been read; None if its dates do not tell."""
        share = self.share()
        if share is None:
            return None
        return Reading(self._run.summary.streams[self._name].requests, share)

    def _log(self) -> None:
        now = self._run.clock.monotonic()
        usage = self._run.summary.streams[self._name]
        rate = (usage.requests - self._logged_requests) / (now - self._logged_at)
        parts = [f"{usage.rows} rows"]
        if self._direction in {"back", "up"} and self._history.reached is not None:
            words = "back to" if self._direction == "back" else "up to"
            parts.append(f"{words} {self._history.reached[:19]}Z")
        run, share = self._run.progress, self.share()
        if share is None:
            parts.append("no dates that tell how much is left")
        else:
            parts.append(f"{share:.0%} done")
            left = run.seconds_left().get(self._name) if run else None
            parts += [] if left is None else [f"about {duration(left)} left"]
        parts += [f"{usage.requests} requests", f"{rate:.1f} a second"]
        self._logger.info("Progress: %s.", ", ".join(parts))
        self._logged_at, self._logged_requests = now, usage.requests
