"""Taps and other apps at one limiter, on a clock that jumps from event to event."""

from __future__ import annotations

import heapq
import itertools
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from tap_gorgias.allowance import Allowance
from tap_gorgias.compat import override
from tests.sandbox import SlidingWindow

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.limiter import Decision, Limiter


class StrictWindow(SlidingWindow):
    """Counts the requests that it refuses, too, which nobody has ruled out."""

    @override
    def _take(self, now: float) -> Decision:
        decision = super()._take(now)
        if decision.wait_seconds is not None:
            self._passed.append(now)
        return decision


class Sent(NamedTuple):
    """A request of a tap, as the limiter saw it."""

    arrived: float
    refused: bool
    surprises: int
    """How many requests of others were counted of which no answer told that had come
    before it left."""


@dataclass
class Reader:
    """A tap with some threads, each of which always has a next request."""

    threads: int = 1
    latency: Callable[[], float] = lambda: 0.2
    counted: Callable[[], float] = lambda: 0.5
    """When the limiter counts a request: a part of its latency, 0 to 1."""
    begins: float = 0.0
    percent: int = 100
    seed: int = 0
    sent: list[Sent] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the rules that it keeps to."""
        dice = random.Random(self.seed)  # noqa: S311 (nothing secret)
        self.allowance = Allowance(self.percent, dice)
        self.others_told = 0

    @property
    def refused(self) -> int:
        """How many of its requests were refused."""
        return sum(one.refused for one in self.sent)

    def passed(self, begin: float = 0.0, end: float = float("inf")) -> int:
        """Count the requests that passed in a time."""
        return sum(not one.refused and begin <= one.arrived < end for one in self.sent)


class Simulation:
    """Lets things happen in the order of their moments; nobody waits for real."""

    def __init__(self, limiter: Limiter) -> None:
        """Take an unused limiter; time begins at 0."""
        self.now = 0.0
        self.others_passed = 0
        self.others_counted = 0
        self.others_refused = 0
        self._limiter = limiter
        limiter.clock = lambda: self.now
        self._numbers = itertools.count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []

    def add(self, reader: Reader) -> Reader:
        """Let a tap begin."""
        for _ in range(reader.threads):
            self._at(reader.begins, lambda: self._ask(reader))
        return reader

    def add_others(self, *moments: float) -> None:
        """Let another app ask at some moments."""
        for moment in moments:
            self._at(moment, self._ask_for_others)

    def run(self, until: float) -> None:
        """Let everything happen that happens before a moment."""
        while self._events and self._events[0][0] < until:
            self.now, _, happen = heapq.heappop(self._events)
            happen()

    def _at(self, moment: float, happen: Callable[[], None]) -> None:
        heapq.heappush(self._events, (moment, next(self._numbers), happen))

    def _ask_for_others(self) -> None:
        refused = self._limiter.take().wait_seconds is not None
        self.others_refused += refused
        self.others_passed += not refused
        self.others_counted += not refused or isinstance(self._limiter, StrictWindow)

    def _ask(self, reader: Reader) -> None:
        seconds = reader.allowance.seconds_to_wait(self.now)
        if seconds > 0:
            # A step that time cannot take would never end.
            assert self.now + seconds > self.now
            self._at(self.now + seconds, lambda: self._ask(reader))
            return
        request = reader.allowance.send(self.now)
        others_told = reader.others_told
        latency = reader.latency()
        answered_at = self.now + latency

        def arrive() -> None:
            used, wait = self._limiter.take()
            others = self.others_counted
            reader.sent.append(Sent(self.now, wait is not None, others - others_told))
            self._at(answered_at, lambda: answer(used, wait, others))

        def answer(used: int, wait: int | None, others: int) -> None:
            limit = self._limiter.limit
            if wait is None:
                reader.others_told = max(reader.others_told, others)
                reader.allowance.answered(request, self.now, used, limit)
            else:
                reader.allowance.refused(request, self.now, limit, wait)
            self._ask(reader)

        self._at(self.now + latency * reader.counted(), arrive)
