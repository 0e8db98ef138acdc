"""The tap's own requests of the last seconds, and what their answers said.

The limiter counts a request at some moment between its departure and its answer. So how
many requests it holds is known within bounds only, and each question here says which.
All moments are seconds of the tap's monotonic clock.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, eq=False)
class SentRequest:
    """A request that has left."""

    sent: float


@dataclass(frozen=True, eq=False)
class Count:
    """What the answer to a request told, which was therefore counted."""

    sent: float
    answered: float
    used: int
    """How many requests the limiter held."""


class RequestLog:
    """Requests and the moments of their answers, or of their failures."""

    def __init__(self) -> None:
        """Start empty."""
        self._in_flight = 0
        self._sent: list[float] = []
        self._answered: list[float] = []
        self._counts: list[Count] = []

    def add(self, now: float) -> SentRequest:
        """Note that a request leaves.

        Args:
            now: The present.

        Returns:
            The request.
        """
        self._in_flight += 1
        self._sent.append(now)
        return SentRequest(now)

    def answer(self, now: float) -> None:
        """Note that a request in flight was answered, or that it failed.

        Args:
            now: The present.
        """
        self._in_flight -= 1
        self._answered.append(now)

    def tell(self, count: Count) -> None:
        """Note what an answer told.

        Args:
            count: That of a request that was not refused: nobody knows whether the
                limiter counts what it refuses.
        """
        self._counts.append(count)

    def forget(self, until: float) -> None:
        """Drop what was answered long ago.

        Args:
            until: Requests that were answered later than this moment are kept.
        """
        for moments in (self._sent, self._answered):
            del moments[: bisect_right(moments, until)]
        counts = self._counts
        del counts[: bisect_right(counts, until, key=lambda count: count.answered)]

    def at_most(self, since: float) -> int:
        """Count the requests that may have been counted after a moment."""
        return self._in_flight + _after(self._answered, since)

    def probably(self, since: float) -> int:
        """Count the same, as if the way to the limiter always took the same time."""
        return _after(self._sent, since)

    def at_least(self, since: float, until: float) -> int:
        """Count the requests that were counted between two moments for certain."""
        return sum(one.sent >= since and one.answered <= until for one in self._counts)

    def next_answered(self, since: float) -> float | None:
        """Return the first moment after another at which an answer came."""
        return _first(self._answered, since)

    def next_sent(self, since: float) -> float | None:
        """Return the first moment after another at which a request left."""
        return _first(self._sent, since)

    def counts_before(self, count: Count) -> Iterator[tuple[Count, int]]:
        """Go through what was told earlier, the latest first.

        Args:
            count: What an answer told.

        Yields:
            What an answer told that came before the request of `count` left, and how
            many other requests the limiter counted between the two for certain.
        """
        earlier = [one for one in self._counts if one.answered <= count.sent]
        departures = sorted(one.sent for one in earlier)
        for one in reversed(earlier):
            yield one, _after(departures, one.answered)


def _after(moments: list[float], since: float) -> int:
    return len(moments) - bisect_right(moments, since)


def _first(moments: list[float], since: float) -> float | None:
    index = bisect_right(moments, since)
    return moments[index] if index < len(moments) else None
