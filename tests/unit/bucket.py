"""A small model of the account's request bucket, with other apps at it."""

from __future__ import annotations

import heapq
import itertools
import math
from typing import TYPE_CHECKING

from tap_gorgias.compat import override
from tests.fake_clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_gorgias.budget import ApiBudget, Permit


class EventClock(FakeClock):
    """A clock on which things happen while somebody waits."""

    def __init__(self) -> None:
        """Start without any plans."""
        super().__init__()
        self._numbers = itertools.count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []

    def at(self, moment: float, happen: Callable[[], None]) -> None:
        """Plan something; plans for the same moment keep their order."""
        heapq.heappush(self._events, (moment, next(self._numbers), happen))

    @override
    def sleep(self, seconds: float) -> None:
        """Let time pass, and all that is planned for it happen."""
        self.sleeps.append(seconds)
        self.run_until(self.now + seconds)

    def run_until(self, moment: float) -> None:
        """Let all that is planned up to a moment happen."""
        while self._events and self._events[0][0] <= moment:
            self.run_next()
        self.now = max(self.now, moment)

    def run_next(self) -> None:
        """Go on to the next thing that is planned, and let it happen."""
        moment, _, happen = heapq.heappop(self._events)
        self.now = max(self.now, moment)
        happen()


class Bucket:
    """Counts requests, drains steadily, and refuses what would overflow it."""

    def __init__(
        self,
        clock: FakeClock,
        *,
        limit: int = 40,
        period: float = 20.0,
        rounded: Callable[[float], int] = math.ceil,
    ) -> None:
        """Start empty."""
        self.limit = limit
        self.drain = limit / period
        self.refused = 0
        self._clock = clock
        self._rounded = rounded
        self._level = 0.0
        self._updated_at = clock.now

    def take(self) -> str:
        """Count a request, or refuse it; return the header of its answer."""
        passed = self._clock.now - self._updated_at
        self._level = max(self._level - passed * self.drain, 0.0)
        self._updated_at = self._clock.now
        if self._level + 1 > self.limit + 1e-9:
            self.refused += 1
        else:
            self._level += 1
        return f"{self._rounded(self._level - 1e-9)}/{self.limit}"


class OtherApp:
    """Another app of the merchant, which asks at fixed times."""

    def __init__(
        self, clock: EventClock, bucket: Bucket, every: float, burst: int
    ) -> None:
        """Begin at once."""
        self.refused = 0
        self._clock = clock
        self._bucket = bucket
        self._every = every
        self._burst = burst
        clock.at(clock.now, self._ask)

    def _ask(self) -> None:
        before = self._bucket.refused
        for _ in range(self._burst):
            self._bucket.take()
        self.refused += self._bucket.refused - before
        self._clock.at(self._clock.now + self._every, self._ask)


class Reader:
    """Reads as the tap does, with one request in flight or several."""

    def __init__(self, clock: EventClock, bucket: Bucket, budget: ApiBudget) -> None:
        """Start with nothing read."""
        self.waited: list[float] = []
        self._clock = clock
        self._bucket = bucket
        self._budget = budget
        self._in_flight = 0

    def read(
        self,
        *,
        latency: Callable[[], float],
        seconds: float = math.inf,
        requests: float = math.inf,
        parallel: int = 1,
    ) -> None:
        """Read for some time, or a number of requests, without a pause."""
        end = self._clock.now + seconds
        while len(self.waited) < requests:
            while self._in_flight == parallel:
                self._clock.run_next()
            permit = self._budget.acquire()
            if self._clock.now >= end:
                break
            self.waited.append(permit.waited_seconds)
            self._in_flight += 1
            self._send(permit, latency())

    def _send(self, permit: Permit, latency: float) -> None:
        def arrive() -> None:
            before = self._bucket.refused
            header = self._bucket.take()
            refused = self._bucket.refused > before
            self._clock.at(
                self._clock.now + latency / 2, lambda: answer(header, refused=refused)
            )

        def answer(header: str, *, refused: bool) -> None:
            self._in_flight -= 1
            self._budget.release(permit, header)
            if refused:
                self._budget.pause(1.0)

        self._clock.at(self._clock.now + latency / 2, arrive)
