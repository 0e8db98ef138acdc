"""Hundreds of simulated minutes with random limiters, latencies and other apps."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tap_gorgias.api.sliding_window import ENTERPRISE_SECONDS, STANDARD_SECONDS
from tests.sandbox import LIMITERS, LeakyBucket
from tests.support.simulation import Reader, Simulation, StrictWindow

if TYPE_CHECKING:
    from tests.sandbox import Limiter

HISTORIES = 60
SEEDS = pytest.mark.parametrize("seed", range(5))
SECONDS = 60.0


@dataclass
class History:
    """A simulated minute of a run."""

    simulation: Simulation
    reader: Reader
    limit: int
    max_latency: float

    def max_lag(self) -> float:
        """Return by how many requests the tap lagged behind the even rate at most.

        The window is extended by the latency, because the limiter may count one request
        when it is sent, and another when its response is received.
        """
        rate = (self.limit - 1) / (20 + self.max_latency)
        start = self.reader.start
        times = [request.counted_at - start for request in self.reader.sent]
        return max(
            (time - self.max_latency) * rate - number
            for number, time in enumerate([*times, SECONDS])
        )


def simulate(
    generator: random.Random,
    *,
    others: bool,
    busy: bool = False,
    window_seconds: float = STANDARD_SECONDS,
) -> History:
    """Simulate a minute.

    Args:
        generator: Source of the random parameters.
        others: Whether other apps send requests as well.
        busy: Whether a request is always waiting for the budget.
        window_seconds: Window of the limiter.
    """
    limit = generator.choice([40, 40, 80])
    kinds: list[type[Limiter]] = [*LIMITERS.values(), StrictWindow]
    simulation = Simulation(generator.choice(kinds)(limit, window_seconds))
    min_latency = generator.choice([0.0, 0.01, 0.05, 0.2, 0.6])
    max_latency = min_latency + generator.choice([0.0, 0.05, 0.5, 3.0])
    threads = generator.choice([1, 2, 6, 8])
    if busy:
        max_latency, threads = min(max_latency, 1.1), 8
    reader = Reader(
        threads=threads,
        latency=lambda: generator.uniform(min_latency, max_latency),
        counted_after=lambda: generator.choice([0.0, 1.0, generator.random()]),
        start=generator.uniform(0.0, 20.0),
        seed=generator.randrange(1000),
    )
    simulation.add(reader)
    if others:
        simulation.add_others(*times_of_others(generator))
    simulation.run(reader.start + SECONDS)
    return History(simulation, reader, limit, max_latency)


def times_of_others(generator: random.Random) -> list[float]:
    """Return random request times of other apps, some of them in bursts."""
    interval = generator.choice([0.3, 1.0, 2.0, 10.0])
    burst = generator.choice([1, 1, 5])
    times: list[float] = []
    time = 0.0
    while time < 80:
        time += generator.expovariate(1 / interval)
        times += [time] * burst
    return times


@SEEDS
@pytest.mark.parametrize("window_seconds", [STANDARD_SECONDS, ENTERPRISE_SECONDS])
def test_a_tap_alone_is_never_refused(seed: int, window_seconds: float) -> None:
    """Whenever the limiter counts its requests."""
    generator = random.Random(seed)  # noqa: S311 (nothing secret)
    for _ in range(HISTORIES):
        history = simulate(generator, others=False, window_seconds=window_seconds)
        assert history.reader.refused == 0


@SEEDS
def test_a_tap_alone_is_never_idle_while_two_slots_are_free(seed: int) -> None:
    """It lags behind the even rate of all slots but one by at most two requests."""
    generator = random.Random(1000 + seed)  # noqa: S311 (nothing secret)
    for _ in range(HISTORIES):
        assert simulate(generator, others=False, busy=True).max_lag() <= 2


@SEEDS
def test_requests_of_other_apps_explain_all_refusals(seed: int) -> None:
    """In most cases, no response had reported their requests yet.

    In the others, the tap took a request of another app for one of its own: a count
    does not say which of the requests in flight it includes.
    """
    generator = random.Random(2000 + seed)  # noqa: S311 (nothing secret)
    refused = explained = 0
    for _ in range(HISTORIES):
        history = simulate(generator, others=True)
        assert history.reader.refused <= history.simulation.others_counted
        refused += history.reader.refused
        explained += sum(
            request.is_refused and request.unreported > 0
            for request in history.reader.sent
        )
    assert explained >= 0.8 * refused


@SEEDS
def test_a_window_of_20_seconds_is_not_taken_for_enterprise(seed: int) -> None:
    """Neither with other apps nor without.

    Next to other apps, a leaky bucket can look like it. None was ever recorded, and a
    refusal would end the mistake.
    """
    generator = random.Random(3000 + seed)  # noqa: S311 (nothing secret)
    mistaken = 0
    for number in range(HISTORIES // 2):
        others = number % 2 == 0
        history = simulate(generator, others=others)
        if history.reader.rules.seconds != STANDARD_SECONDS:
            assert others
            assert isinstance(history.simulation.limiter, LeakyBucket)
            mistaken += 1
    assert mistaken <= 1
