"""Hundreds of simulated minutes with random limiters, latencies and other apps.

The second half checks the test itself: each rule that is broken shows in one of them.
"""
# ruff: noqa: SLF001 - planted bugs replace what is private

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tap_gorgias.api import sliding_window
from tap_gorgias.api.sliding_window import (
    ENTERPRISE_SECONDS,
    STANDARD_SECONDS,
)
from tap_gorgias.api.sliding_window import SlidingWindow as Rules
from tests.sandbox import LIMITERS, LeakyBucket, SlidingWindow
from tests.support.simulation import Reader, RoundingWindow, Simulation, StrictWindow

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_gorgias.api.sliding_window import Count
    from tests.sandbox import Limiter

HISTORIES = 60
SEEDS = range(4)
SECONDS = 60.0
LONG_SECONDS = 150.0


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
    kinds: list[type[Limiter]] = [*LIMITERS.values(), StrictWindow, RoundingWindow]
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


def read(
    limiter: Limiter,
    generator: random.Random,
    latency: float,
    *,
    threads: int = 8,
    interval: float | None = None,
) -> Reader:
    """Simulate a longer run, next to an app that sends a request in each interval."""
    simulation = Simulation(limiter)
    reader = Reader(
        threads=threads,
        latency=lambda: generator.uniform(0.0, latency),
        counted_after=generator.random,
        seed=generator.randrange(1000),
    )
    simulation.add(reader)
    if interval:
        number = round(LONG_SECONDS / interval)
        simulation.add_others(*(interval * one for one in range(number)))
    simulation.run(LONG_SECONDS)
    return reader


def check_refusals(seed: int) -> None:
    """A tap alone is never refused, whenever the limiter counts its requests."""
    generator = random.Random(seed)  # noqa: S311 (nothing secret)
    for number in range(HISTORIES):
        seconds = (STANDARD_SECONDS, ENTERPRISE_SECONDS)[number % 2]
        history = simulate(generator, others=False, window_seconds=seconds)
        assert history.reader.refused == 0


def check_idleness(seed: int) -> None:
    """A tap lags behind the even rate of all slots but one by at most two requests."""
    generator = random.Random(1000 + seed)  # noqa: S311 (nothing secret)
    for _ in range(HISTORIES // 2):
        assert simulate(generator, others=False, busy=True).max_lag() <= 2


def check_few_threads(seed: int) -> None:
    """A tap whose threads are often all busy reaches 98 % of the rate as well."""
    generator = random.Random(4000 + seed)  # noqa: S311 (nothing secret)
    sent, rate = 0, 0.0
    for _ in range(HISTORIES // 10):
        limit = generator.choice([40, 80])
        threads = generator.choice([1, 2])
        # Enough, but only on average.
        latency = generator.uniform(0.8, 0.9) * threads * 40 / limit
        reader = read(SlidingWindow(limit), generator, latency, threads=threads)
        sent += len(reader.sent)
        rate += (limit - 1) / (20 + latency / 2)
    assert sent >= 0.98 * rate * LONG_SECONDS


def check_others(seed: int) -> None:
    """Requests of other apps explain all refusals.

    In most cases, no response had reported their requests yet. In the others, the tap
    took a request of another app for one of its own: a count does not say which of the
    requests in flight it includes.
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


def check_slow_responses(seed: int) -> None:
    """Counts that may include requests of other apps cause hardly any refusals."""
    generator = random.Random(5000 + seed)  # noqa: S311 (nothing secret)
    refused = sent = 0
    for _ in range(HISTORIES // 10):
        latency, interval = generator.uniform(2.0, 4.0), generator.uniform(0.4, 0.7)
        reader = read(LeakyBucket(80), generator, latency, interval=interval)
        refused += reader.refused
        sent += len(reader.sent)
    assert refused <= 0.005 * sent


def check_standard(seed: int) -> None:
    """A window of 20 seconds is not taken for an Enterprise plan.

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


def check_enterprise(seed: int) -> None:
    """A sliding window of 10 seconds is recognised within a minute."""
    generator = random.Random(6000 + seed)  # noqa: S311 (nothing secret)
    for _ in range(HISTORIES // 10):
        history = simulate(
            generator, others=False, busy=True, window_seconds=ENTERPRISE_SECONDS
        )
        if isinstance(history.simulation.limiter, SlidingWindow):
            assert history.reader.rules.seconds == ENTERPRISE_SECONDS


CHECKS = (
    *(check_refusals, check_idleness, check_few_threads, check_others),
    *(check_slow_responses, check_standard, check_enterprise),
)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_rule_holds_in_each_history(check: Callable[[int], None], seed: int) -> None:
    """The docstring of a check says which one."""
    check(seed)


def _after(times: list[float], start: float) -> int:
    return sum(time > start for time in times)


def without_catching_up(self: Rules, now: float) -> None:
    """Let the next request wait for a whole interval, however late this one is."""
    self._last_due_at = now
    self._in_flight += 1
    self._sent.append(now)


def with_certain_counts(self: Rules, count: Count) -> None:
    """Take a count of requests in flight for one of the own requests."""
    _update_others(self, count)
    self._uncertain = 0


def with_others_for_ever(self: Rules, count: Count) -> None:
    """Keep requests of other apps although a later count shows fewer."""
    known = list(self._others)
    _update_others(self, count)
    self._others = max(known, self._others, key=len)


def without_pause(self: Rules, *refusal: Any) -> None:
    """Send the next request at once after a refusal."""
    paused_until = self._paused_until
    _add_refusal(self, *refusal)
    self._paused_until = paused_until


_update_others, _add_refusal = Rules._update_others, Rules.add_refusal
BUGS: dict[str, tuple[Callable[[int], None], object, str, Any]] = {
    "requests count when they are sent": (
        check_refusals,
        Rules,
        "_max_counted_since",
        lambda rules, start: _after(rules._sent, start),
    ),
    "requests in flight do not count": (
        check_refusals,
        Rules,
        "_max_counted_since",
        lambda rules, start: _after(rules._received, start),
    ),
    "low counts of a moment mean Enterprise": (
        check_refusals,
        sliding_window,
        "_MIN_SECONDS_OF_LOW_COUNTS",
        0.0,
    ),
    "counts are exact": (check_standard, sliding_window, "_COUNT_TOLERANCE", 0),
    "counts are off by three": (
        check_enterprise,
        sliding_window,
        "_COUNT_TOLERANCE",
        -2,
    ),
    "no catching up": (check_few_threads, Rules, "add_request", without_catching_up),
    "an uncertain count is ignored": (
        check_slow_responses,
        Rules,
        "_update_others",
        with_certain_counts,
    ),
    "others are ignored": (check_others, Rules, "_update_others", lambda *_: None),
    "others never become fewer": (
        check_idleness,
        Rules,
        "_update_others",
        with_others_for_ever,
    ),
    "a refusal pauses nothing": (check_others, Rules, "add_refusal", without_pause),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the test above would prove nothing."""
    check, place, name, value = BUGS[bug]
    monkeypatch.setattr(place, name, value)
    with pytest.raises(AssertionError):
        [*map(check, SEEDS)]
