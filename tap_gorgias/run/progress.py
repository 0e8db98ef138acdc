"""How far a run and its streams are, and how long the rest takes."""

from __future__ import annotations

import math
import threading
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from tap_gorgias import timestamps

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tap_gorgias.api.usage import RunSummary
    from tap_gorgias.clock import Clock
    from tap_gorgias.replication.bookmarks import Position, Walk
    from tap_gorgias.run.runner import StreamRunner

    Direction = Literal["back", "up", "done"]

SECONDS_BETWEEN_LINES = 30.0
SECONDS_TO_FIRST_ESTIMATE = 10.0
BURST_SECONDS = 20.0
"""A run begins with a burst, so the rate of shorter times says nothing."""
_MAX_UNFINISHED = 0.99
_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60


class History:
    """How much of a list has been read, by the dates of its rows.

    Of a list by date of creation, the share of the time is the share of the rows. A
    list by date of change is denser at its newest end. But rows that were created after
    the change that it has reached have all been read; so their number shows how many
    rows there are in all, if rows are created evenly.
    """

    def __init__(self) -> None:
        self.first: str | None = None
        """Timestamp of the first row."""
        self.reached: str | None = None
        """Timestamp of the last row."""
        self._created: Counter[str] = Counter()  # by day

    def add(self, timestamp: str, created: Iterable[str]) -> None:
        """Add a page by the timestamp of its last row and its dates of creation."""
        self.first = self.first or timestamp
        self.reached = timestamp
        self._created.update(day[:10] for day in created)

    def share_downwards(self, begin: str) -> float | None:
        """Return how much of a list that is read newest first has been read.

        None if it spans less than a day, or `begin` lies after what has been reached.
        """
        if self.first is None or self.reached is None:
            return None
        midnight = f"{self.reached[:10]}T00:00:00.000000Z"
        since = timestamps.earlier(midnight, -timedelta(days=1))
        created = dict(self._created)  # The thread of the stream may add a day.
        days = sum(n for day, n in created.items() if day >= since[:10])
        part = _share(begin, since, self.first)
        if part is None or part >= 1 or not days:
            return None
        return min((1 - part) * sum(created.values()) / days, _MAX_UNFINISHED)

    def share_upwards(self, end: str) -> float | None:
        """Return how much of a list that is read oldest first has been read."""
        if self.first is None or self.reached is None:
            return None
        part = _share(self.first, self.reached, end)
        return min(part, _MAX_UNFINISHED) if part and part > 0 else None


def _share(start: str, place: str, end: str) -> float | None:
    """Return the share of the time between two dates that ends at a place in it."""
    first, middle, last = map(timestamps.parse, (start, place, end))
    return (middle - first) / (last - first) if first < last else None


def seconds_left(
    requests_left: Mapping[str, float], *, requests: int, seconds: float
) -> dict[str, float]:
    """Estimate how long each stream still takes, and as the longest of them the run.

    The streams share the rate of requests: until one of them is done, each other one
    has made as many requests as that one, or is done as well. `requests` and `seconds`
    are those of the run so far.
    """
    rate = max(requests, 1) / max(seconds, BURST_SECONDS)
    return {
        name: sum(min(count, other) for other in requests_left.values()) / rate
        for name, count in requests_left.items()
    }


def duration(seconds: float) -> str:
    """Return a duration in its one or two largest units, for example `1 h 20 min`."""
    whole = round(seconds)
    if whole < 2 * _MINUTE:
        return f"{whole} s"
    if whole < 2 * _HOUR:
        return f"{round(whole / _MINUTE)} min"
    large, small = (_DAY, _HOUR) if whole >= 2 * _DAY else (_HOUR, _MINUTE)
    units = ("d", "h") if large == _DAY else ("h", "min")
    first, rest = divmod(round(whole / small) * small, large)
    return f"{first} {units[0]} {rest // small} {units[1]}"


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
        """Estimate the seconds that streams still take, as far as dates tell."""
        shares = {name: one.share() for name, one in dict(self.streams).items()}
        usage, requests = self.summary.streams, self.summary.total.requests
        left = {
            name: usage[name].requests * (1 - share) / share
            for name, share in shares.items()
            if share is not None
        }
        return seconds_left(left, requests=requests, seconds=self.seconds)

    def log_if_due(self) -> None:
        """Log a line for the run, at most every 30 seconds."""
        with self._lock:
            if self.clock.monotonic() < self._next_at:
                return
            self._next_at = math.inf
            hint, self._hint = self._hint, ""
        left, names = self.seconds_left(), self._runner.names
        completed = self._runner.completed
        longest = max(left.values(), default=0.0)
        rest = f"about {duration(longest)} left" if longest else "no estimate yet"
        unknown = [one for one in names if one not in left and one not in completed]
        if unknown and longest:
            more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
            rest += f" without {unknown[-1]}{more}"
        self._logger.info(
            "Run: %d/%d streams, %d requests, %s.",
            len(completed),
            len(names),
            self.summary.total.requests,
            rest,
        )
        if hint:
            self._logger.info("%s", hint)
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
        self._history = History()
        self._floor: str | None = None
        self._direction: Direction | None = None
        self._logged_at = run.clock.monotonic()

    def start(self) -> None:
        """Start the time until the first line."""
        self._logged_at = self._run.clock.monotonic()

    def add(self, rows: Sequence[Mapping[str, Any]], position: Position | None) -> None:
        """Add the rows of a page, and log a line if it is time for one."""
        self._run.streams[self._name] = self
        if position is not None:
            self._add(rows, position.walk)
        if self._run.clock.monotonic() - self._logged_at >= SECONDS_BETWEEN_LINES:
            self._log()
        self._run.log_if_due()

    def _add(self, rows: Sequence[Mapping[str, Any]], walk: Walk | None) -> None:
        if walk is None and self._direction in {"back", "done"}:
            self._direction = "done"  # What may follow is in no order.
            return
        if not rows or self._key is None:
            return
        timestamp = timestamps.normalized_or_none(rows[-1].get(self._key))
        if timestamp is None:
            return
        reached = self._history.reached
        if walk is not None and reached is not None and timestamp > reached:
            self._history = History()  # of the next walk
        self._direction = "up" if walk is None else "back"
        self._floor = walk.floor if walk else None
        newest = timestamps.normalized_or_none(rows[0].get(self._key))
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
        begin = self._floor or (self._run.begin() if self._direction else None)
        return self._history.share_downwards(begin) if begin else None

    def _log(self) -> None:
        place = ""
        if self._direction in {"back", "up"} and self._history.reached is not None:
            words = "back to" if self._direction == "back" else "up to"
            place = f" {words} {self._history.reached[:10]}"
        parts = [f"{self._run.summary.streams[self._name].rows} rows{place}"]
        left = self._run.seconds_left().get(self._name)
        if left is None:
            parts.append("no dates tell how much is left")
        else:
            parts += f"{self.share():.0%} done", f"about {duration(left)} left"
        self._logger.info("%s.", ", ".join(parts))
        self._logged_at = self._run.clock.monotonic()
