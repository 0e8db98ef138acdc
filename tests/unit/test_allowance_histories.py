"""Thousands of invented minutes: any limiter, any latency, others at random."""

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
    """What happened in a minute of a run."""

    simulation: Simulation
    reader: Reader
    limit: int
    longest_latency: float

    def behind(self) -> float:
        """Tell by how many requests the tap ever was behind the even rate.

        The window is longer by the latency, because a request may be counted when it
        leaves and another when it is answered.
        """
        rate = (self.limit - 1) / (20 + self.longest_latency)
        arrived = [one.arrived - self.reader.begins for one in self.reader.sent]
        return max(
            (timestamp - self.longest_latency) * rate - number
            for number, timestamp in enumerate([*arrived, SECONDS])
        )


def invented(
    dice: random.Random,
    *,
    others: bool,
    busy: bool = False,
    window_seconds: float = STANDARD_SECONDS,
) -> History:
    """Make up a minute and let it happen.

    Args:
        dice: Where everything comes from.
        others: Whether other apps ask as well.
        busy: Whether a request always waits for its turn.
        window_seconds: The limiter's.
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
        simulation.add_others(*asked_by_others(dice))
    simulation.run(reader.begins + SECONDS)
    return History(simulation, reader, limit, most)


def asked_by_others(dice: random.Random) -> list[float]:
    """Make up when others ask: now and then, steadily or in bursts."""
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
    """Wherever between departure and answer each of its requests is counted."""
    dice = random.Random(seed)  # noqa: S311 (nothing secret)
    for _ in range(HISTORIES):
        history = invented(dice, others=False, window_seconds=window_seconds)
        assert history.reader.refused == 0


@SEEDS
def test_a_tap_alone_is_never_idle_while_the_window_has_room_for_two(seed: int) -> None:
    """It is never two requests behind the even rate of all but one place."""
    dice = random.Random(1000 + seed)  # noqa: S311 (nothing secret)
    for _ in range(HISTORIES):
        assert invented(dice, others=False, busy=True).behind() <= 2


@SEEDS
def test_no_more_is_refused_than_others_can_explain(seed: int) -> None:
    """Nobody is refused without others; mostly no answer had told of their requests.

    The others are one request too many: a count does not say which of the requests
    that were on their way it holds, so that one of others may be taken for an own one.
    """
    dice = random.Random(2000 + seed)  # noqa: S311 (nothing secret)
    refused = explained = 0
    for _ in range(HISTORIES):
        history = invented(dice, others=True)
        assert history.reader.refused <= history.simulation.others_counted
        refused += history.reader.refused
        explained += sum(
            one.refused and one.surprises > 0 for one in history.reader.sent
        )
    assert explained >= 0.8 * refused


@SEEDS
def test_headers_of_20_seconds_are_never_taken_for_enterprise(seed: int) -> None:
    """Neither with others at work nor without."""
    dice = random.Random(3000 + seed)  # noqa: S311 (nothing secret)
    for number in range(HISTORIES // 2):
        history = invented(dice, others=number % 2 == 0)
        assert history.reader.allowance.window_seconds == 20
