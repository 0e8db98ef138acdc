"""Thousands of random minutes with any limiter, any latency and other apps."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tap_gorgias.api.rate_window import ENTERPRISE_SECONDS, STANDARD_SECONDS
from tests.sandbox import LIMITERS
from tests.support.simulation import Reader, Simulation, StrictWindow

if TYPE_CHECKING:
    from tests.sandbox import Limiter

HISTORIES = 60
SEEDS = pytest.mark.parametrize("seed", range(20))
SECONDS = 60.0


@dataclass
class History:
    """The requests of a minute."""

    simulation: Simulation
    reader: Reader
    limit: int
    longest_latency: float

    def behind(self) -> float:
        """Return by how many requests the tap was at most behind the even rate.

        The latency extends the window because one request may be counted when it is
        sent and another when it is answered.
        """
        rate = (self.limit - 1) / (20 + self.longest_latency)
        arrived = [one.arrived - self.reader.begins for one in self.reader.sent]
        return max(
            (timestamp - self.longest_latency) * rate - number
            for number, timestamp in enumerate([*arrived, SECONDS])
        )


def random_history(
    dice: random.Random,
    *,
    others: bool,
    busy: bool = False,
    window_seconds: float = STANDARD_SECONDS,
) -> History:
    """Simulate a random minute.

    Args:
        dice: The source of randomness.
        others: Whether other apps send requests too.
        busy: Whether there is always a request that waits for its turn.
        window_seconds: The window of the limiter.
    """
    limit = dice.choice([40, 40, 80])
    kinds: list[type[Limiter]] = [*LIMITERS.values(), StrictWindow]
    simulation = Simulation(dice.choice(kinds)(limit, window_seconds))
    least = dice.choice([0.0, 0.01, 0.05, 0.2, 0.6])
    most = least + dice.choice([0.0, 0.05, 0.5, 3.0])
    threads = dice.choice([1, 2, 6, 8])
    if busy:
        most, threads = min(most, 1.1), 8
    reader = Reader(
        threads=threads,
        latency=lambda: dice.uniform(least, most),
        counted=lambda: dice.choice([0.0, 1.0, dice.random()]),
        begins=dice.uniform(0.0, 20.0),
        seed=dice.randrange(1000),
    )
    simulation.add(reader)
    if others:
        simulation.add_others(*times_of_others(dice))
    simulation.run(reader.begins + SECONDS)
    return History(simulation, reader, limit, most)


def times_of_others(dice: random.Random) -> list[float]:
    """Return random times of other requests: rare, steady or in bursts."""
    every, burst = dice.choice([0.3, 1.0, 2.0, 10.0]), dice.choice([1, 1, 5])
    timestamps: list[float] = []
    timestamp = 0.0
    while timestamp < 80:
        timestamp += dice.expovariate(1 / every)
        timestamps += [timestamp] * burst
    return timestamps


@SEEDS
@pytest.mark.parametrize("window_seconds", [STANDARD_SECONDS, ENTERPRISE_SECONDS])
def test_a_tap_alone_is_never_refused(seed: int, window_seconds: float) -> None:
    """A request may be counted at any time between its departure and its answer."""
    dice = random.Random(seed)  # noqa: S311 (nothing secret)
    for _ in range(HISTORIES):
        history = random_history(dice, others=False, window_seconds=window_seconds)
        assert history.reader.refused == 0


@SEEDS
def test_a_tap_alone_is_never_idle_while_the_window_has_room_for_two(seed: int) -> None:
    """It is never two requests behind the even rate of all places but one."""
    dice = random.Random(1000 + seed)  # noqa: S311 (nothing secret)
    for _ in range(HISTORIES):
        assert random_history(dice, others=False, busy=True).behind() <= 2


@SEEDS
def test_refusals_are_explained_by_requests_of_others(seed: int) -> None:
    """A tap is mostly refused because no answer has reported requests of others.

    The remaining refusals are due to one request: a count does not say which of the
    requests in flight it includes, so one of another app may be taken for the tap's.
    """
    dice = random.Random(2000 + seed)  # noqa: S311 (nothing secret)
    refused = explained = 0
    for _ in range(HISTORIES):
        history = random_history(dice, others=True)
        assert history.reader.refused <= history.simulation.others_counted
        refused += history.reader.refused
        explained += sum(
            one.refused and one.surprises > 0 for one in history.reader.sent
        )
    assert explained >= 0.8 * refused


@SEEDS
def test_headers_of_20_seconds_are_never_taken_for_enterprise(seed: int) -> None:
    """This holds with and without other apps."""
    dice = random.Random(3000 + seed)  # noqa: S311 (nothing secret)
    for number in range(HISTORIES // 2):
        history = random_history(dice, others=number % 2 == 0)
        assert history.reader.allowance.window_seconds == 20
