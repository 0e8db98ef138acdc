"""How much of a list has been read, and how long the rest of a run takes.

Pure: the dates of rows and counts of requests come in, shares and seconds go out.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from tap_gorgias import timestamps

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BURST_SECONDS = 20.0
"""A run begins with a burst, so the rate of shorter times says nothing."""

_MAX_UNFINISHED = 0.99


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
        self._rows = 0
        self._created: Counter[str] = Counter()  # by day

    def add(self, timestamp: str, created: Iterable[str]) -> None:
        """Add a page by the timestamp of its last row and its dates of creation."""
        days = [day[:10] for day in created]
        self.first = self.first or timestamp
        self.reached = timestamp
        self._rows += len(days)
        self._created.update(days)

    def share_downwards(self, begin: str) -> float | None:
        """Return how much of a list that is read newest first has been read.

        None if it spans less than a day, or `begin` lies after what has been reached.
        """
        if self.first is None or self.reached is None:
            return None
        midnight = f"{self.reached[:10]}T00:00:00.000000Z"
        since = timestamps.earlier(midnight, -timedelta(days=1))
        days = sum(n for day, n in self._created.items() if day >= since[:10])
        span = _between(begin, self.first)
        part = _between(since, self.first) / span if span > 0 else 0.0
        if part <= 0 or not days:
            return None
        return min(part * self._rows / days, _MAX_UNFINISHED)

    def share_upwards(self, end: str) -> float | None:
        """Return how much of a list that is read oldest first has been read."""
        if self.first is None or self.reached is None:
            return None
        part = _between(self.first, self.reached)
        span = _between(self.first, end)
        return min(part / span, _MAX_UNFINISHED) if span > 0 and part > 0 else None


class Reading(NamedTuple):
    """How far a stream has been read."""

    requests: int
    share: float
    """What has been read, more than 0 and at most 1."""

    @property
    def remaining_requests(self) -> float:
        """How many requests the rest takes."""
        return self.requests * (1 - self.share) / self.share


def seconds_left(
    readings: Mapping[str, Reading], *, requests: int, seconds: float
) -> dict[str, float]:
    """Estimate how long each stream still takes, and as the longest of them the run.

    The streams share the rate of requests: until one of them is done, each other one
    has made as many requests as that one, or is done as well.

    Args:
        readings: The streams that are being read, by name.
        requests: Number of requests of the run so far.
        seconds: Duration of the run so far.
    """
    rate = max(requests, 1) / max(seconds, BURST_SECONDS)
    left = {name: one.remaining_requests for name, one in readings.items()}
    return {
        name: sum(min(count, other) for other in left.values()) / rate
        for name, count in left.items()
    }


def _between(earlier: str, later: str) -> float:
    return (timestamps.parse(later) - timestamps.parse(earlier)).total_seconds()
