"""The account's budget is used fully, and no request is refused for it."""

from __future__ import annotations

import math
import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tap_gorgias.budget import ApiBudget
from tests.fake_clock import FakeClock
from tests.unit.bucket import Bucket, EventClock, OtherApp, Reader

if TYPE_CHECKING:
    from collections.abc import Callable

LATENCIES = [0.0, 0.05, 0.3, 0.8]
ROUNDINGS = pytest.mark.parametrize(
    "rounded", [math.ceil, math.floor], ids=["rounded up", "rounded down"]
)
SECONDS = 120.0


def free_requests(budget: ApiBudget) -> int:
    """Count how many requests may leave now, one after another, without waiting."""
    count = 0
    while (permit := budget.acquire()).waited_seconds == 0:
        budget.release(permit, None)
        count += 1
    budget.release(permit, None)
    return count


def test_a_full_burst_is_followed_by_a_steady_rate() -> None:
    """All but two requests of the bucket at once, then one each half second."""
    clock = EventClock()
    bucket = Bucket(clock)
    reader = Reader(clock, bucket, ApiBudget(clock))
    reader.read(latency=lambda: 0.0, requests=100)
    assert reader.waited[:38] == [0.0] * 38
    assert reader.waited[45:] == pytest.approx([0.5] * 55, abs=1e-3)


@pytest.mark.parametrize("latency", LATENCIES)
@ROUNDINGS
def test_no_request_is_refused_and_none_is_left_unused(
    latency: float, rounded: Callable[[float], int]
) -> None:
    """At least 95 % of what bucket or latency allows, and never a 429."""
    clock = EventClock()
    bucket = Bucket(clock, rounded=rounded)
    reader = Reader(clock, bucket, ApiBudget(clock))
    reader.read(latency=lambda: latency, seconds=SECONDS)
    allowed = min(bucket.limit + bucket.drain * SECONDS, SECONDS / (latency or 1e-9))
    assert len(reader.waited) >= 0.95 * allowed
    reader.read(latency=lambda: latency, requests=500)
    assert bucket.refused == 0


@pytest.mark.parametrize("latency", LATENCIES)
@pytest.mark.parametrize(
    ("every", "burst"), [(2.0, 1), (10.0, 5)], ids=["steady", "in bursts of five"]
)
@ROUNDINGS
def test_another_app_is_not_crowded_out(
    latency: float, every: float, burst: int, rounded: Callable[[float], int]
) -> None:
    """It takes a quarter of the drain, and neither of the two ever sees a 429."""
    clock = EventClock()
    bucket = Bucket(clock, rounded=rounded)
    other = OtherApp(clock, bucket, every, burst)
    reader = Reader(clock, bucket, ApiBudget(clock))
    reader.read(latency=lambda: latency, requests=500)
    assert other.refused == 0
    assert bucket.refused == 0


@pytest.mark.parametrize("latency", LATENCIES)
@pytest.mark.parametrize(
    ("every", "burst"), [(2.0, 1), (10.0, 5)], ids=["steady", "in bursts of five"]
)
def test_what_another_app_leaves_is_used(
    latency: float, every: float, burst: int
) -> None:
    """Three quarters of the drain, once the burst is over."""
    clock = EventClock()
    bucket = Bucket(clock)
    OtherApp(clock, bucket, every, burst)
    reader = Reader(clock, bucket, ApiBudget(clock))
    reader.read(latency=lambda: latency, seconds=SECONDS)
    before = len(reader.waited)
    reader.read(latency=lambda: latency, seconds=10 * SECONDS)
    allowed = min(0.75 * bucket.drain, 1 / (latency or 1e-9)) * 10 * SECONDS
    assert len(reader.waited) - before >= 0.95 * allowed


@pytest.mark.parametrize(
    ("limit", "period"),
    [(80, 20.0), (40, 10.0), (80, 10.0)],
    ids=["OAuth", "Enterprise", "Enterprise with OAuth"],
)
@pytest.mark.parametrize("latency", [0.0, 0.05])
@ROUNDINGS
def test_a_larger_or_faster_bucket_is_used_without_a_setting(
    limit: int, period: float, latency: float, rounded: Callable[[float], int]
) -> None:
    """The header tells the limit, and by its movement the drain."""
    clock = EventClock()
    bucket = Bucket(clock, limit=limit, period=period, rounded=rounded)
    reader = Reader(clock, bucket, ApiBudget(clock))
    reader.read(latency=lambda: latency, seconds=SECONDS)
    allowed = min(limit + bucket.drain * SECONDS, SECONDS / (latency or 1e-9))
    assert len(reader.waited) >= 0.95 * allowed
    assert bucket.refused == 0


@pytest.mark.parametrize("percent", [50, 10])
@pytest.mark.parametrize("latency", [0.0, 0.05])
def test_a_share_of_the_budget_is_kept_and_used(percent: int, latency: float) -> None:
    """Burst and rate both shrink, so that other apps find room at any time."""
    clock = EventClock()
    bucket = Bucket(clock)
    reader = Reader(clock, bucket, ApiBudget(clock, rate_limit_percent=percent))
    reader.read(latency=lambda: latency, seconds=SECONDS)
    allowed = (bucket.limit + bucket.drain * SECONDS) * percent / 100
    assert 0.95 * allowed <= len(reader.waited) <= allowed + 1e-6


@pytest.mark.parametrize(("percent", "burst"), [(50, 20), (10, 4)])
def test_a_share_of_the_burst_is_kept(percent: int, burst: int) -> None:
    """Nothing is kept for rounding here: the share itself is far from the limit."""
    assert free_requests(ApiBudget(FakeClock(), percent)) == burst


@pytest.mark.parametrize("percent", [1, 2])
def test_the_smallest_share_still_reads(percent: int) -> None:
    """Less than one request of the bucket is one request, then slowly on."""
    clock = FakeClock()
    budget = ApiBudget(clock, rate_limit_percent=percent)
    for _ in range(3):
        budget.release(budget.acquire(), "1/40")
    assert clock.now - 1000 == pytest.approx(2 * 0.5 * 100 / percent, rel=0.01)


@pytest.mark.parametrize("parallel", [2, 4, 8])
@pytest.mark.parametrize("varying", [False, True], ids=["in order", "out of order"])
@ROUNDINGS
def test_several_requests_in_flight_are_all_counted(
    *, parallel: int, varying: bool, rounded: Callable[[float], int]
) -> None:
    """A request that has not been answered yet is in no header."""
    dice = random.Random(parallel)  # noqa: S311 (nothing secret)
    clock = EventClock()
    bucket = Bucket(clock, rounded=rounded)
    reader = Reader(clock, bucket, ApiBudget(clock))
    reader.read(
        latency=lambda: dice.uniform(0.05, 2.0) if varying else 0.5,
        requests=500,
        parallel=parallel,
    )
    assert bucket.refused == 0


def test_threads_share_one_budget() -> None:
    """However many ask at once, the burst is given out once."""
    budget = ApiBudget(FakeClock())
    with ThreadPoolExecutor(8) as pool:
        permits = list(pool.map(lambda _: budget.acquire(), range(10)))
    assert sorted(permit.number for permit in permits) == list(range(1, 11))
    assert [permit.waited_seconds for permit in permits] == [0.0] * 10
    for permit in permits:
        budget.release(permit, None)
    assert free_requests(budget) == 38 - 10


def test_requests_in_flight_are_added_to_the_header() -> None:
    """The first of three answers counts one request; two more are on their way.

    Three places stay free for each of the two.
    """
    budget = ApiBudget(FakeClock())
    first, _, _ = budget.acquire(), budget.acquire(), budget.acquire()
    budget.release(first, "1/40")
    assert free_requests(budget) == 40 - 3 - 6


def test_the_more_requests_are_in_flight_the_more_places_stay_free() -> None:
    """As many of other taps may be on their way, and no header shows them yet."""
    budget = ApiBudget(FakeClock())
    in_flight = 0
    while budget.acquire().waited_seconds == 0:
        in_flight += 1
    assert in_flight == 10


def test_the_header_shows_what_others_use() -> None:
    """Nine of ten in use are not ours: a quarter of the bucket stays free."""
    budget = ApiBudget(FakeClock())
    budget.release(budget.acquire(), "10/40")
    assert free_requests(budget) == 40 - 10 - 10


def test_the_header_corrects_an_estimate_that_is_too_high() -> None:
    """A faster drain shows as a lower level."""
    budget = ApiBudget(FakeClock())
    for _ in range(39):
        budget.release(budget.acquire(), None)
    budget.release(budget.acquire(), "10/40")
    assert free_requests(budget) == 40 - 10 - 2


@pytest.mark.parametrize("header", ["10/80", " 10 / 80 ", "010/80"])
def test_the_limit_is_learnt_from_the_header(header: str) -> None:
    """An OAuth app has 80, of which a quarter stays free for the others seen."""
    budget = ApiBudget(FakeClock())
    budget.release(budget.acquire(), header)
    assert free_requests(budget) == 80 - 10 - 20


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "rubbish",
        "x/40",
        "20/",
        "/40",
        "20",
        "-1/40",
        "20/0",
        "20/-40",
        "20/40/60",
        "20.5/40",
        "20/4e1",
        "\u0662/40",
        "9999999/40",
        "20/40\nX: 1",
    ],
)
def test_an_answer_without_usable_header_changes_nothing(header: str | None) -> None:
    """The tap goes on with its own estimate."""
    budget = ApiBudget(FakeClock())
    budget.release(budget.acquire(), header)
    assert free_requests(budget) == 40 - 1 - 2


def test_a_request_that_got_no_answer_is_no_longer_in_flight() -> None:
    """Lost requests must not eat the budget for ever."""
    budget = ApiBudget(FakeClock())
    for _ in range(5):
        budget.release(budget.acquire(), None)
    budget.release(budget.acquire(), "0/40")
    assert free_requests(budget) == 38


def test_time_gives_requests_back() -> None:
    """Two a second for an API key."""
    clock = FakeClock()
    budget = ApiBudget(clock)
    assert free_requests(budget) == 38
    clock.now += 5
    assert free_requests(budget) == 10


def test_an_idle_hour_does_not_save_up_a_larger_burst() -> None:
    """An empty bucket is as empty as it gets."""
    clock = FakeClock()
    budget = ApiBudget(clock)
    clock.now += 3600
    assert free_requests(budget) == 38


@pytest.mark.parametrize("seconds", [0.5, 7.0, 300.0])
def test_a_pause_lasts_as_long_as_gorgias_asks(seconds: float) -> None:
    """No request leaves earlier, however empty the bucket seems."""
    clock = FakeClock()
    budget = ApiBudget(clock)
    budget.pause(seconds)
    assert budget.acquire().waited_seconds >= seconds


@pytest.mark.parametrize("seconds", [None, 0.0], ids=["unknown", "zero"])
def test_a_pause_of_no_length_takes_the_bucket_for_full(seconds: float | None) -> None:
    """A 429 without Retry-after still says that there is no room."""
    budget = ApiBudget(FakeClock())
    budget.pause(seconds)
    assert budget.acquire().waited_seconds == pytest.approx(1.5, abs=1e-3)


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    """Answers to several requests in flight come in any order."""
    clock = FakeClock()
    budget = ApiBudget(clock)
    budget.pause(10.0)
    budget.pause(1.0)
    assert budget.acquire().waited_seconds >= 10.0


def test_the_permit_tells_how_long_it_took() -> None:
    """The summary of the run adds it up."""
    clock = FakeClock()
    budget = ApiBudget(clock)
    waited = []
    for _ in range(50):
        permit = budget.acquire()
        budget.release(permit, None)
        waited.append(permit.waited_seconds)
    assert sum(waited) == pytest.approx(sum(clock.sleeps))
    assert sum(clock.sleeps) == pytest.approx(12 * 0.5, abs=1e-3)
