"""Simulation of taps and other apps at one limiter, from event to event."""

from __future__ import annotations

import heapq
import itertools
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from tap_gorgias.api.sliding_window import SlidingWindow as Rules
from tap_gorgias.compat import override
from tests.sandbox import SlidingWindow
from tests.sandbox.limiter import Decision

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.limiter import Limiter


class StrictWindow(SlidingWindow):
    """A sliding window that counts refused requests as well, as Gorgias may do."""

    @override
    def _take(self, now: float) -> Decision:
        decision = super()._take(now)
        if decision.wait_seconds is not None:
            self._passed.append(now)
        return decision


class RoundingWindow(SlidingWindow):
    """A sliding window whose counts are one too low, as if its clock were rounded."""

    @override
    def _take(self, now: float) -> Decision:
        used, wait_seconds = super()._take(now)
        return Decision(max(used - 1, 0), wait_seconds)


class Sent(NamedTuple):
    """A request of a tap, as the limiter counted it."""

    counted_at: float
    is_refused: bool
    unreported: int
    """Counted requests of others that no response had reported when it was sent."""


@dataclass
class Reader:
    """A tap with several threads, each of which always has another request to send."""

    threads: int = 1
    latency: Callable[[], float] = lambda: 0.2
    counted_after: Callable[[], float] = lambda: 0.5
    """When the limiter counts a request: fraction of the latency, 0 to 1."""
    start: float = 0.0
    percent: int = 100
    seed: int = 0
    sent: list[Sent] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Create its rules."""
        generator = random.Random(self.seed)  # noqa: S311 (nothing secret)
        self.rules = Rules(self.percent, generator)
        self.others_reported = 0

    @property
    def refused(self) -> int:
        """Number of its requests that were refused."""
        return sum(request.is_refused for request in self.sent)

    def granted(self, start: float = 0.0, end: float = float("inf")) -> int:
        """Return the number of its requests that were granted in a period."""
        return sum(
            not request.is_refused and start <= request.counted_at < end
            for request in self.sent
        )


class Simulation:
    """Runs events in the order of their times, without waiting."""

    def __init__(self, limiter: Limiter) -> None:
        self.now = 0.0
        self.others_granted = 0
        self.others_counted = 0
        self.others_refused = 0
        self.limiter = limiter
        limiter.clock = lambda: self.now
        self._numbers = itertools.count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []

    def add(self, reader: Reader) -> Reader:
        """Add a tap."""
        for _ in range(reader.threads):
            self._at(reader.start, lambda: self._request(reader))
        return reader

    def add_others(self, *times: float) -> None:
        """Add requests of another app."""
        for time in times:
            self._at(time, self._request_of_others)

    def run(self, until: float) -> None:
        """Run all events before a time."""
        while self._events and self._events[0][0] < until:
            self.now, _, event = heapq.heappop(self._events)
            event()

    def _at(self, time: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (time, next(self._numbers), event))

    def _request_of_others(self) -> None:
        refused = self.limiter.take().wait_seconds is not None
        self.others_refused += refused
        self.others_granted += not refused
        self.others_counted += not refused or isinstance(self.limiter, StrictWindow)

    def _request(self, reader: Reader) -> None:
        seconds = reader.rules.seconds_to_wait(self.now)
        if seconds > 0:
            # Otherwise the simulation would never end.
            assert self.now + seconds > self.now
            self._at(self.now + seconds, lambda: self._request(reader))
            return
        sent_at = self.now
        reader.rules.add_request(sent_at)
        others_reported = reader.others_reported
        latency = reader.latency()

        def count() -> None:
            used, wait = self.limiter.take()
            others = self.others_counted
            unreported = others - others_reported
            reader.sent.append(Sent(self.now, wait is not None, unreported))
            self._at(sent_at + latency, lambda: respond(used, wait, others))

        def respond(used: int, wait: int | None, others: int) -> None:
            limit = self.limiter.limit
            if wait is None:
                reader.others_reported = max(reader.others_reported, others)
                reader.rules.add_response(sent_at, self.now, used, limit)
            else:
                reader.rules.add_refusal(sent_at, self.now, limit, wait)
            self._request(reader)

        self._at(sent_at + latency * reader.counted_after(), count)
