"""Tests of the rate limit model: it uses the full rate and leaves room for others."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tap_gorgias.api.sliding_window import SlidingWindow as Rules
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
    """Simulate one tap."""
    simulation = Simulation(limiter)
    simulation.add_others(*others)
    reader = Reader(threads=threads, latency=lambda: latency, percent=percent)
    simulation.add(reader)
    simulation.run(seconds)
    return simulation, reader


def gaps_between(times: Iterable[float]) -> list[float]:
    """Return the seconds between each time and the next."""
    return [later - earlier for earlier, later in pairwise(times)]


def quarter(seconds: float = 60.0) -> tuple[float, ...]:
    """Return request times of another app that uses a quarter of 40 in 20 s."""
    return tuple(2.0 * number for number in range(int(seconds / 2)))


@KINDS
@LATENCIES
@THREADS
def test_every_limiter_allows_the_full_rate(
    kind: type[Limiter], latency: float, threads: int
) -> None:
    """At least 95 % of three windows in a minute, without a 429."""
    _, reader = read(kind(), latency=latency, threads=threads)
    assert reader.refused == 0
    assert reader.granted() >= 0.95 * 120


def test_a_run_begins_with_a_burst_of_three_quarters() -> None:
    """The remaining requests are spread over the rest of the window."""
    _, reader = read(SlidingWindow(), seconds=20.0, latency=0.01, threads=1)
    gaps = gaps_between(request.counted_at for request in reader.sent)
    assert len(gaps) == 38
    assert max(gaps[:29]) < 0.02
    assert min(gaps[30:]) > 1.5
    assert max(gaps[30:]) < 2.0


def test_requests_are_spread_evenly_from_the_second_window_on() -> None:
    """The slots of the burst become free at once, but there is no second burst."""
    _, reader = read(SlidingWindow(), seconds=80.0, latency=0.01, threads=6)
    times = [request.counted_at for request in reader.sent]
    gaps = gaps_between(time for time in times if time > 21)
    assert max(gaps) < 0.8
    assert min(gaps) > 0.3


@LATENCIES
@THREADS
def test_another_app_keeps_its_part_and_the_tap_uses_the_rest(
    latency: float, threads: int
) -> None:
    """Of a quarter it gets at least 80 %, and the tap at least 88 % of the rest."""
    simulation, reader = read(
        SlidingWindow(), latency=latency, threads=threads, others=quarter()
    )
    assert reader.refused <= 1
    assert simulation.others_granted >= 0.8 * 30
    assert reader.granted() >= 0.88 * (120 - simulation.others_granted)


def test_another_app_keeps_its_part_in_a_long_run() -> None:
    """Ten minutes with a leaky bucket, whose counts are the least informative."""
    simulation, reader = read(LeakyBucket(), seconds=600, others=quarter(600))
    assert reader.refused <= 1
    assert simulation.others_refused <= 0.02 * 300
    assert reader.granted() >= 0.88 * (1200 - 300)


def test_the_tap_uses_what_others_no_longer_use() -> None:
    """Ten requests of others take ten slots for one window."""
    _, reader = read(SlidingWindow(), seconds=80.0, others=(0.0,) * 10)
    assert reader.refused == 0
    assert reader.granted(20.5, 80.5) >= 0.95 * 120


@pytest.mark.parametrize("latency", [0.05, 0.2])
@THREADS
@pytest.mark.parametrize(("limit", "allowed"), [(40, 240), (80, 480)])
def test_an_enterprise_plan_is_detected(
    limit: int, allowed: int, latency: float, threads: int
) -> None:
    """The tap reaches 75 % of the rate in the first minute, 95 % in the second."""
    simulation = Simulation(SlidingWindow(limit, 10.0))
    reader = simulation.add(Reader(threads=threads, latency=lambda: latency))
    simulation.run(120)
    assert reader.rules.seconds == 10
    assert reader.refused == 0
    assert reader.granted(0, 60) >= 0.75 * allowed
    assert reader.granted(60, 120) >= 0.95 * allowed


@pytest.mark.parametrize("kind", [LeakyBucket, FixedWindows])
def test_other_limiters_are_never_taken_for_an_enterprise_plan(
    kind: type[Limiter],
) -> None:
    """Only a sliding window was ever recorded, so only that one is recognised."""
    for seconds in (10.0, 20.0):
        _, reader = read(kind(40, seconds), seconds=120)
        assert reader.rules.seconds == 20
        assert reader.refused == 0
        assert reader.granted(60, 120) >= 0.95 * 120


def test_after_a_refusal_the_run_stays_with_20_seconds() -> None:
    """The next counts may look like an Enterprise plan again."""
    simulation = Simulation(SlidingWindow(40, 10.0))
    reader = simulation.add(Reader(threads=2))
    simulation.run(60)
    assert reader.rules.seconds == 10
    simulation.add_others(*[60.0 + 0.01 * number for number in range(40)])
    simulation.run(180)
    assert reader.refused > 0
    assert reader.rules.seconds == 20


def test_an_enterprise_plan_is_detected_next_to_another_app() -> None:
    """Other apps only increase the count, so a low count is still conclusive."""
    others = tuple(float(number) for number in range(120))
    _, reader = read(SlidingWindow(40, 10.0), seconds=120, others=others)
    assert reader.rules.seconds == 10
    assert reader.refused <= 1


@KINDS
@pytest.mark.parametrize("percent", [50, 10])
def test_the_tap_uses_its_own_limit_and_never_exceeds_it(
    kind: type[Limiter], percent: int
) -> None:
    """At least 95 % in a minute, and at most 100 % in each window."""
    _, reader = read(kind(), percent=percent)
    own_limit = 40 * percent // 100
    times = [request.counted_at for request in reader.sent]
    assert reader.granted() >= 0.95 * 3 * own_limit
    assert max(reader.granted(time, time + 20) for time in times) <= own_limit


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_very_low_limit_is_used(limit: int) -> None:
    """Even if no slot can stay free for other apps."""
    rules = Rules()
    rules.add_request(0.0)
    rules.add_response(0.0, 0.1, 0, limit)
    now, sent = 0.1, 0
    while now < 100:
        seconds = rules.seconds_to_wait(now)
        if seconds == 0:
            rules.add_request(now)
            rules.add_response(now, now + 0.1, 0, limit)
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
    """They reach 90 % of the rate, each at least 20 % of that, with at most 6 429s."""
    generator = random.Random(1)  # noqa: S311 (nothing secret)
    for _ in range(8):
        simulation = Simulation(kind())
        taps = [
            simulation.add(
                Reader(
                    threads=threads,
                    latency=lambda: latency * generator.uniform(0.9, 1.1),
                    counted_after=generator.random,
                    start=generator.uniform(0.0, 0.5),
                    seed=number,
                )
            )
            for number in range(3)
        ]
        simulation.run(60)
        granted = [tap.granted() for tap in taps]
        assert sum(granted) >= 0.9 * 120
        assert min(granted) >= 0.2 * sum(granted)
        assert sum(tap.refused for tap in taps) <= 6


@pytest.mark.parametrize("threads", [1, 2, 6])
@pytest.mark.parametrize("starts", [(0.0, 3.0, 9.0), (0.0, 10.0, 20.0)])
def test_taps_converge_to_equal_shares(starts: tuple[float, ...], threads: int) -> None:
    """The first tap has more requests at the beginning, but not after three minutes."""
    simulation = Simulation(SlidingWindow())
    taps = [
        simulation.add(Reader(threads=threads, start=start, seed=number))
        for number, start in enumerate(starts)
    ]
    simulation.run(240)
    granted = [tap.granted(180, 240) for tap in taps]
    assert min(granted) >= 0.7 * max(granted)


@pytest.mark.parametrize("retry_after", [None, 0.0, 3.0, 45.0])
def test_after_a_429_the_longer_wait_applies(retry_after: float | None) -> None:
    """The wait in the response, or the time until the window has a free slot."""
    rules = Rules()
    for number in range(10):
        sent_at = 0.1 * number
        rules.add_request(sent_at)
        rules.add_response(sent_at, sent_at + 0.05, number, 40)
    rules.add_request(1.0)
    rules.add_refusal(1.0, 1.05, 40, retry_after)
    now = 1.05
    while (seconds := rules.seconds_to_wait(now)) > 0:
        now += seconds
    # 40 slots are taken: 11 by own requests and 29 by others. The first own request
    # ended at 0.05, and some slots stay free for others.
    resume_at = 1.05 + (retry_after or 0.0)
    assert max(20.05, resume_at) <= now <= max(21.5, resume_at + 1.0)


def test_taps_that_were_refused_together_resume_at_different_times() -> None:
    """The jitter is up to one second."""
    resumed = []
    for seed in range(10):
        generator = random.Random(seed)  # noqa: S311 (nothing secret)
        rules = Rules(random_generator=generator)
        rules.add_request(0.0)
        rules.add_refusal(0.0, 0.1, 40, 45)
        now = 0.1
        while (seconds := rules.seconds_to_wait(now)) > 0:
            now += seconds
        resumed.append(now)
    assert min(resumed) >= 45.1
    assert max(resumed) <= 46.2
    assert max(resumed) - min(resumed) > 0.5


def test_a_refused_request_counts() -> None:
    """After 39 refusals the window is full, because Gorgias may count them."""
    rules = Rules()
    for number in range(39):
        now = 0.01 * number
        rules.add_request(now)
        rules.add_refusal(now, now, 40, None)
    assert rules.seconds_to_wait(15.0) > 0


def test_requests_without_a_response_count() -> None:
    """The request may have reached Gorgias before the connection was lost."""
    rules = Rules()
    now = sent = 0.0
    while now < 20:
        seconds = rules.seconds_to_wait(now)
        if seconds == 0:
            rules.add_request(now)
            rules.add_response(now, now + 0.01, None, None)
            sent += 1
            seconds = 0.01
        now += seconds
    assert sent == 39
