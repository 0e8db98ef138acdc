"""Taps and other apps that share a rate limiter, simulated event by event."""

from __future__ import annotations

import heapq
import itertools
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from tap_gorgias.api.allowance import Allowance
from tap_gorgias.compat import override
from tests.sandbox import SlidingWindow

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.limiter import Decision, Limiter


class StrictWindow(SlidingWindow):
    """Counts refused requests too, because the API might."""

    @override
    def _take(self, now: float) -> Decision:
        decision = super()._take(now)
        if decision.wait_seconds is not None:
            self._passed.append(now)
        return decision


class Sent(NamedTuple):
    """A request of a tap as the limiter received it."""

    arrived: float
    refused: bool
    surprises: int
    """Requests of other apps that the limiter had counted by then, but that no answer
    had reported when this request was sent."""


@dataclass
class Reader:
    """A tap whose threads each always have another request to send."""

    threads: int = 1
    latency: Callable[[], float] = lambda: 0.2
    counted: Callable[[], float] = lambda: 0.5
    """When the limiter counts a request, as a fraction of the latency from 0 to 1."""
    begins: float = 0.0
    percent: int = 100
    seed: int = 0
    sent: list[Sent] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Create the reader's allowance."""
        dice = random.Random(self.seed)  # noqa: S311 (nothing secret)
        self.allowance = Allowance(self.percent, dice)
        self.others_reported = 0

    @property
    def refused(self) -> int:
        """Return the number of refused requests."""
        return sum(one.refused for one in self.sent)

    def passed(self, begin: float = 0.0, end: float = float("inf")) -> int:
        """Count the requests that passed within a period."""
        return sum(not one.refused and begin <= one.arrived < end for one in self.sent)


class Simulation:
    """Processes events in order of time, without waiting in real time."""

    def __init__(self, limiter: Limiter) -> None:
        """Use an unused limiter and start at time 0."""
        self.now = 0.0
        self.others_passed = 0
        self.others_counted = 0
        self.others_refused = 0
        self._limiter = limiter
        limiter.clock = lambda: self.now
        self._numbers = itertools.count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []

    def add(self, reader: Reader) -> Reader:
        """Start a tap."""
        for _ in range(reader.threads):
            self._schedule(reader.begins, lambda: self._send(reader))
        return reader

    def add_others(self, *times: float) -> None:
        """Send requests of another app at these times."""
        for time in times:
            self._schedule(time, self._send_for_others)

    def run(self, until: float) -> None:
        """Process all events before a time."""
        while self._events and self._events[0][0] < until:
            self.now, _, callback = heapq.heappop(self._events)
            callback()

    def _schedule(self, time: float, callback: Callable[[], None]) -> None:
        heapq.heappush(self._events, (time, next(self._numbers), callback))

    def _send_for_others(self) -> None:
        refused = self._limiter.take().wait_seconds is not None
        self.others_refused += refused
        self.others_passed += not refused
        self.others_counted += not refused or isinstance(self._limiter, StrictWindow)

    def _send(self, reader: Reader) -> None:
        seconds = reader.allowance.seconds_to_wait(self.now)
        if seconds > 0:
            # A wait too short to change a float would never end.
            assert self.now + seconds > self.now
            self._schedule(self.now + seconds, lambda: self._send(reader))
            return
        request = reader.allowance.send(self.now)
        others_reported = reader.others_reported
        latency = reader.latency()
        answered_at = self.now + latency

        def arrive() -> None:
            used, wait = self._limiter.take()
            others = self.others_counted
            reader.sent.append(
                Sent(self.now, wait is not None, others - others_reported)
            )
            self._schedule(answered_at, lambda: answer(used, wait, others))

        def answer(used: int, wait: int | None, others: int) -> None:
            limit = self._limiter.limit
            if wait is None:
                reader.others_reported = max(reader.others_reported, others)
                reader.allowance.answered(request, self.now, used, limit)
            else:
                reader.allowance.refused(request, self.now, limit, wait)
            self._send(reader)

        self._schedule(self.now + latency * reader.counted(), arrive)
