"""The tap's recent requests, and the counts that their responses reported.

The limiter counts a request at some time between sending it and receiving the response.
So the number of requests that it has counted is only known within bounds. All times are
seconds of one monotonic clock.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Count:
    """The number of requests in the limiter's window, as a response reported it."""

    sent_at: float
    received_at: float
    used: int


class RequestLog:
    """Times of requests and responses, and the reported counts."""

    def __init__(self) -> None:
        self._in_flight = 0
        self._sent: list[float] = []
        self._received: list[float] = []
        self._counts: list[Count] = []

    def add_request(self, now: float) -> None:
        """Record that a request is sent."""
        self._in_flight += 1
        self._sent.append(now)

    def add_response(self, now: float) -> None:
        """Record that a request has ended, with or without a response."""
        self._in_flight -= 1
        self._received.append(now)

    def add_count(self, count: Count) -> None:
        """Record the count in a response other than 429.

        It proves that the limiter counted the request, which is unknown for refused
        requests.
        """
        self._counts.append(count)

    def discard(self, until: float) -> None:
        """Discard the entries up to a time."""
        for times in (self._sent, self._received):
            del times[: bisect_right(times, until)]
        counts = self._counts
        del counts[: bisect_right(counts, until, key=lambda count: count.received_at)]

    def max_counted_since(self, start: float) -> int:
        """Return how many requests the limiter can have counted since a time."""
        return self._in_flight + _count_after(self._received, start)

    def min_counted_between(self, start: float, end: float) -> int:
        """Return how many requests the limiter has certainly counted between times."""
        return sum(
            count.sent_at >= start and count.received_at <= end
            for count in self._counts
        )

    def sent_since(self, start: float) -> int:
        """Return how many requests were sent since a time."""
        return _count_after(self._sent, start)

    def first_response_after(self, start: float) -> float | None:
        """Return the time of the first response after another time."""
        return _first_after(self._received, start)

    def first_request_after(self, start: float) -> float | None:
        """Return the time of the first request after another time."""
        return _first_after(self._sent, start)


def _count_after(times: list[float], start: float) -> int:
    return len(times) - bisect_right(times, start)


def _first_after(times: list[float], start: float) -> float | None:
    index = bisect_right(times, start)
    return times[index] if index < len(times) else None
