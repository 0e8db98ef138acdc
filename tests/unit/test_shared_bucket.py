"""Several taps on one account share its bucket without knowing of one another."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tap_gorgias.budget import ApiBudget
from tests.unit.bucket import Bucket
from tests.unit.turns import TurnClock

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 240.0
BUCKETS = [(40, 20.0), (80, 20.0), (40, 10.0), (80, 10.0)]


@dataclass
class Taps:
    """Three of them, each with a budget of its own and some requests in flight."""

    limit: int
    period: float
    latency: float
    in_flight: int
    later: float = 0.0
    clock: TurnClock = field(default_factory=TurnClock)
    sent: list[int] = field(default_factory=lambda: [0] * 3)

    def __post_init__(self) -> None:
        """Make the bucket; rounding down hides part of what is in it."""
        self.bucket = Bucket(
            self.clock, limit=self.limit, period=self.period, rounded=math.floor
        )
        self._dice = random.Random(self.in_flight)  # noqa: S311 (nothing secret)
        self._end = self.clock.now + SECONDS

    def run(self) -> None:
        """Read as fast as allowed; the second and third tap may begin later."""
        begin = [self._tap(tap, self.later * tap) for tap in range(3)]
        self.clock.run(*begin)

    @property
    def allowed(self) -> float:
        """What bucket and latency allow, if all begin at once."""
        by_bucket = self.limit + self.bucket.drain * SECONDS
        return min(by_bucket, 3 * self.in_flight * SECONDS / self.latency)

    def _tap(self, tap: int, begins_after: float) -> Callable[[], None]:
        budget = ApiBudget(self.clock)

        def read() -> None:
            while self._ask(tap, budget):
                pass

        def begin() -> None:
            self.clock.sleep(begins_after)
            # A page of parents comes before the requests for each of them.
            self._ask(tap, budget)
            for _ in range(self.in_flight - 1):
                self.clock.start(read)
            read()

        return begin

    def _ask(self, tap: int, budget: ApiBudget) -> bool:
        permit = budget.acquire()
        if self.clock.now >= self._end:
            return False
        one_way = self.latency * self._dice.uniform(0.35, 0.65)
        self.clock.sleep(one_way)
        refused_before = self.bucket.refused
        header = self.bucket.take()
        refused = self.bucket.refused > refused_before
        self.clock.sleep(one_way)
        budget.release(permit, header)
        if refused:
            budget.pause(1.0)
        else:
            self.sent[tap] += 1
        return True


@pytest.mark.parametrize("in_flight", [1, 2, 8])
@pytest.mark.parametrize("latency", [0.05, 0.3, 0.8])
@pytest.mark.parametrize(("limit", "period"), BUCKETS)
def test_three_taps_use_the_bucket_and_are_hardly_ever_refused(
    limit: int, period: float, latency: float, in_flight: int
) -> None:
    """At most 1 % answers 429, 95 % of the allowed rate, and equal shares."""
    taps = Taps(limit, period, latency, in_flight)
    taps.run()
    assert taps.bucket.refused <= 0.01 * sum(taps.sent)
    assert sum(taps.sent) >= 0.95 * taps.allowed
    assert min(taps.sent) >= 0.9 * max(taps.sent)


@pytest.mark.parametrize("in_flight", [1, 8])
@pytest.mark.parametrize(("limit", "period"), BUCKETS)
def test_a_tap_that_joins_later_is_not_starved(
    limit: int, period: float, in_flight: int
) -> None:
    """The first one has found out what the bucket allows, and makes room."""
    taps = Taps(limit, period, 0.05, in_flight, later=20.0)
    taps.run()
    assert taps.bucket.refused <= 0.01 * sum(taps.sent)
    assert min(taps.sent) >= 0.4 * sum(taps.sent) / 3
