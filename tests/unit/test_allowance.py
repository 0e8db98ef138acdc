"""When requests may be sent: the tap uses the whole rate and leaves room for others."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tap_gorgias.api.allowance import Allowance
from tests.sandbox import LIMITERS, FixedWindows, LeakyBucket, SlidingWindow
from tests.support.simulation import Reader, Simulation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.sandbox import Limiter

LATENCIES = pytest.mark.parametrize("latency", [0.05, 0.2, 0.6])
KINDS = pytest.mark.parametrize("kind", LIMITERS.values(), ids=LIMITERS)
THREADS = pytest.mark.parametrize("threads", [2, 6])


def read(
    limiter: Limiter,
    *,
    seconds: float = 60.0,
    latency: float = 0.2,
    threads: int = 2,
    percent: int = 100,
    others: tuple[float, ...] = (),
) -> tuple[Simulation, Reader]:
    """Simulate a tap that reads as fast as its allowance permits."""
    simulation = Simulation(limiter)
    simulation.add_others(*others)
    reader = Reader(threads=threads, latency=lambda: latency, percent=percent)
    simulation.add(reader)
    simulation.run(seconds)
    return simulation, reader


def gaps_between(timestamps: Iterable[float]) -> list[float]:
    """Return the seconds between consecutive times."""
    ordered = list(timestamps)
    return [later - earlier for earlier, later in pairwise(ordered)]


def quarter(seconds: float = 60.0) -> tuple[float, ...]:
    """Return the times at which another app uses a quarter of 40 requests in 20 s."""
    return tuple(2.0 * number for number in range(int(seconds / 2)))


@KINDS
@LATENCIES
@THREADS
def test_the_whole_rate_is_used_under_every_limiter(
    kind: type[Limiter], latency: float, threads: int
) -> None:
    """A tap uses at least 95 % of three windows in a minute, without any 429."""
    _, reader = read(kind(), latency=latency, threads=threads)
    assert reader.refused == 0
    assert reader.passed() >= 0.95 * 120


@KINDS
def test_the_start_of_fixed_windows_makes_no_difference(kind: type[Limiter]) -> None:
    """Fixed windows do not start with the run."""
    for begins in (3.0, 11.0, 17.0):
        simulation = Simulation(kind())
        reader = simulation.add(Reader(threads=2, begins=begins))
        simulation.run(begins + 60)
        assert reader.refused == 0
        assert reader.passed() >= 0.95 * 120


def test_a_run_begins_with_a_burst_of_three_quarters() -> None:
    """Short runs end with it; the remaining requests are spread over the window."""
    _, reader = read(SlidingWindow(), seconds=20.0, latency=0.01, threads=1)
    gaps = gaps_between(one.arrived for one in reader.sent)
    assert len(gaps) == 38
    assert max(gaps[:29]) < 0.02
    assert min(gaps[30:]) > 1.5
    assert max(gaps[30:]) < 2.0


def test_requests_are_spread_evenly_from_the_second_window_on() -> None:
    """The places of the burst become free at once, but are not used at once."""
    _, reader = read(SlidingWindow(), seconds=80.0, latency=0.01, threads=6)
    gaps = gaps_between(one.arrived for one in reader.sent if one.arrived > 21)
    assert max(gaps) < 0.8
    assert min(gaps) > 0.3


@LATENCIES
@THREADS
def test_another_app_keeps_its_share_and_its_rest_is_used(
    latency: float, threads: int
) -> None:
    """It requests a quarter and gets 80 % of that; the tap uses 88 % of the rest."""
    simulation, reader = read(
        SlidingWindow(), latency=latency, threads=threads, others=quarter()
    )
    assert reader.refused <= 1
    assert simulation.others_passed >= 0.8 * 30
    assert reader.passed() >= 0.88 * (120 - simulation.others_passed)


def test_another_app_keeps_its_share_in_long_runs() -> None:
    """For ten minutes they share a leaky bucket, which hides how full it becomes."""
    simulation, reader = read(LeakyBucket(), seconds=600, others=quarter(600))
    assert reader.refused <= 1
    assert simulation.others_refused <= 0.02 * 300
    assert reader.passed() >= 0.88 * (1200 - 300)


def test_places_that_others_have_stopped_using_are_used() -> None:
    """Ten requests of another app take ten places only for one window."""
    _, reader = read(SlidingWindow(), seconds=80.0, others=(0.0,) * 10)
    assert reader.refused == 0
    assert reader.passed(20.5, 80.5) >= 0.95 * 120


@pytest.mark.parametrize("latency", [0.05, 0.2])
@THREADS
@pytest.mark.parametrize(("limit", "allowed"), [(40, 240), (80, 480)])
def test_an_enterprise_plan_is_recognised(
    limit: int, allowed: int, latency: float, threads: int
) -> None:
    """The tap uses 85 % of the rate in the first minute, and 95 % in the second."""
    simulation = Simulation(SlidingWindow(limit, 10.0))
    reader = simulation.add(Reader(threads=threads, latency=lambda: latency))
    simulation.run(120)
    assert reader.allowance.window_seconds == 10
    assert reader.refused == 0
    assert reader.passed(0, 60) >= 0.85 * allowed
    assert reader.passed(60, 120) >= 0.95 * allowed


@pytest.mark.parametrize("kind", [LeakyBucket, FixedWindows])
def test_an_enterprise_plan_is_recognised_under_other_limiters(
    kind: type[Limiter],
) -> None:
    """A leaky bucket or fixed windows free places too soon for 20 s."""
    _, reader = read(kind(40, 10.0), seconds=120)
    assert reader.allowance.window_seconds == 10
    assert reader.refused == 0
    assert reader.passed(60, 120) >= 0.95 * 240


def test_an_enterprise_plan_is_recognised_beside_another_app() -> None:
    """Other requests only increase the count, so a low count is still conclusive."""
    others = tuple(float(number) for number in range(120))
    _, reader = read(SlidingWindow(40, 10.0), seconds=120, others=others)
    assert reader.allowance.window_seconds == 10
    assert reader.refused <= 1


@KINDS
@pytest.mark.parametrize("percent", [50, 10])
def test_the_tap_uses_exactly_its_share(kind: type[Limiter], percent: int) -> None:
    """It uses 95 % of it in a minute, and never more in any window."""
    _, reader = read(kind(), percent=percent)
    part = 40 * percent // 100
    timestamps = [one.arrived for one in reader.sent]
    assert reader.passed() >= 0.95 * 3 * part
    assert max(reader.passed(begin, begin + 20) for begin in timestamps) <= part


def test_a_share_of_less_than_one_request_takes_longer() -> None:
    """1 % of 40 in 20 s is one request in 50 s."""
    _, reader = read(SlidingWindow(), seconds=210, percent=1)
    gaps = gaps_between(one.arrived for one in reader.sent)
    assert gaps == pytest.approx([50.2] * 4, abs=0.2)


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_tiny_limit_is_used_by_the_tap_alone(limit: int) -> None:
    """It does not leave a place for others."""
    allowance = Allowance()
    allowance.answered(allowance.send(0.0), 0.1, 0, limit)
    now, sent = 0.1, 0
    while now < 100:
        seconds = allowance.seconds_to_wait(now)
        if seconds == 0:
            allowance.answered(allowance.send(now), now + 0.1, 0, limit)
            sent += 1
            seconds = 0.1
        now += seconds
    assert max(limit - 1, 1) * 4 <= sent <= limit * 5


@pytest.mark.parametrize("kind", [SlidingWindow, LeakyBucket])
@LATENCIES
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_three_taps_share_an_account(
    kind: type[Limiter], latency: float, threads: int
) -> None:
    """They use 90 % of the rate, each at least 20 %, with at most 6 answers 429."""
    dice = random.Random(1)  # noqa: S311 (nothing secret)
    for _ in range(8):
        simulation = Simulation(kind())
        taps = [
            simulation.add(
                Reader(
                    threads=threads,
                    latency=lambda: latency * dice.uniform(0.9, 1.1),
                    counted=dice.random,
                    begins=dice.uniform(0.0, 0.5),
                    seed=number,
                )
            )
            for number in range(3)
        ]
        simulation.run(60)
        passed = [tap.passed() for tap in taps]
        assert sum(passed) >= 0.9 * 120
        assert min(passed) >= 0.2 * sum(passed)
        assert sum(tap.refused for tap in taps) <= 6


@pytest.mark.parametrize("threads", [1, 2, 6])
@pytest.mark.parametrize("begins", [(0.0, 3.0, 9.0), (0.0, 10.0, 20.0)])
def test_taps_come_to_equal_shares(begins: tuple[float, ...], threads: int) -> None:
    """The first tap has a larger share at first, but not after three minutes."""
    simulation = Simulation(SlidingWindow())
    taps = [
        simulation.add(Reader(threads=threads, begins=one, seed=number))
        for number, one in enumerate(begins)
    ]
    simulation.run(240)
    passed = [tap.passed(180, 240) for tap in taps]
    assert min(passed) >= 0.7 * max(passed)


@pytest.mark.parametrize("retry_after", [None, 0.0, 3.0, 45.0])
def test_after_a_429_the_tap_waits_for_retry_after_and_its_window(
    retry_after: float | None,
) -> None:
    """The tap waits until both have passed."""
    allowance = Allowance()
    for number in range(10):
        request = allowance.send(0.1 * number)
        allowance.answered(request, 0.1 * number + 0.05, number, 40)
    allowance.refused(allowance.send(1.0), 1.05, 40, retry_after)
    now = 1.05
    while (seconds := allowance.seconds_to_wait(now)) > 0:
        now += seconds
    # 40 places are taken, 11 by the tap and 29 by others. The tap's first request was
    # answered at 0.05, and some places stay free for others.
    assert max(20.05, 1.05 + (retry_after or 0.0)) <= now
    assert now <= max(21.5, 1.05 + (retry_after or 0.0) + 1.0)


def test_taps_that_were_refused_together_resume_at_different_times() -> None:
    """Each adds a random wait of up to a second."""
    resumed = []
    for seed in range(10):
        allowance = Allowance(dice=random.Random(seed))  # noqa: S311 (nothing secret)
        allowance.refused(allowance.send(0.0), 0.1, 40, 45)
        now = 0.1
        while (seconds := allowance.seconds_to_wait(now)) > 0:
            now += seconds
        resumed.append(now)
    assert min(resumed) >= 45.1
    assert max(resumed) <= 46.2
    assert max(resumed) - min(resumed) > 0.5


def test_a_refused_request_counts() -> None:
    """The limiter may count it, so 39 refused requests fill the tap's own window."""
    allowance = Allowance()
    for number in range(39):
        allowance.refused(allowance.send(0.01 * number), 0.01 * number, 40, None)
    assert allowance.seconds_to_wait(15.0) > 0


def test_requests_without_an_answer_count() -> None:
    """Gorgias may have received the request before the connection broke."""
    allowance = Allowance()
    now = sent = 0.0
    while now < 20:
        seconds = allowance.seconds_to_wait(now)
        if seconds == 0:
            allowance.answered(allowance.send(now), now + 0.01, None, None)
            sent += 1
            seconds = 0.01
        now += seconds
    assert sent == 39
