"""Tests of the request budget that all threads share."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from tap_gorgias.api.budget import MAX_SLEEP_SECONDS, ApiBudget
from tap_gorgias.compat import override
from tests.sandbox import SlidingWindow
from tests.support.fake_clock import FakeClock
from tests.support.turns import TurnClock

if TYPE_CHECKING:
    from collections.abc import Callable

LATENCY_SECONDS = 0.2


def free_requests(budget: ApiBudget) -> int:
    """Return how many requests can be sent one after another without waiting."""
    count = 0
    while (permit := budget.acquire()).waited_seconds == 0:
        budget.release(permit, None)
        count += 1
    budget.release(permit, None)
    return count


def reading(
    clock: TurnClock,
    budget: ApiBudget,
    limiter: SlidingWindow,
    counted: list[float],
    until: float,
) -> Callable[[], None]:
    """Return a program that sends requests until a time."""

    def read() -> None:
        while True:
            permit = budget.acquire()
            if clock.now >= until:
                return
            clock.sleep(LATENCY_SECONDS)
            used, wait = limiter.take()
            assert wait is None
            counted.append(clock.now)
            budget.release(permit, f"{used}/{limiter.limit}")

    return read


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_threads_share_one_budget(threads: int) -> None:
    """Together they use the full rate and not more, however many there are."""
    clock = TurnClock()
    limiter = SlidingWindow(clock=clock.monotonic)
    budget = ApiBudget(clock)
    until = clock.now + 60
    counted: list[float] = []
    readers = [reading(clock, budget, limiter, counted, until) for _ in range(threads)]
    clock.run(*readers)
    assert 0.95 * 120 <= len(counted) <= 120


def test_no_thread_starves() -> None:
    """Although other threads request their next permit sooner."""
    clock = TurnClock()
    budget = ApiBudget(clock)
    until = clock.now + 60
    permitted: list[tuple[float, int]] = []

    def program(number: int) -> Callable[[], None]:
        def read() -> None:
            while clock.now < until:
                permit = budget.acquire()
                permitted.append((permit.sent_at, number))
                # Threads with higher numbers always return first.
                clock.sleep(0.4 - 0.05 * number)
                budget.release(permit, None)

        return read

    threads = range(8)
    clock.run(*map(program, threads))
    after_the_burst = [number for _, number in sorted(permitted)][50:-8]
    assert len(after_the_burst) > 40
    for start in range(len(after_the_burst) - 7):
        assert set(after_the_burst[start : start + 8]) == set(threads)


def test_a_stream_that_begins_late_catches_up() -> None:
    """It gets two thirds of the rate, and the other streams share the last third."""
    clock = TurnClock()
    budget = ApiBudget(clock)
    sent: dict[str, int] = {}
    middle, end = clock.now + 60, clock.now + 120

    def program(stream_name: str) -> Callable[[], None]:
        def read() -> None:
            while clock.now < end:
                permit = budget.acquire(stream_name)
                sent[stream_name] = sent.get(stream_name, 0) + 1
                clock.sleep(LATENCY_SECONDS)
                budget.release(permit, None)

        return read

    def start_late() -> None:
        clock.sleep(middle - clock.now)
        clock.start(program("late"))

    clock.run(program("first"), program("second"), start_late)
    assert sent["late"] >= 0.95 * 2 / 3 * 120
    assert min(sent["first"], sent["second"]) >= 0.95 * (60 + 120 / 6)


def test_a_waiting_thread_checks_again_every_second() -> None:
    """A response to another thread may report a higher limit."""
    clock = TurnClock()
    budget = ApiBudget(clock)
    waited: list[float] = []

    def read() -> None:
        first, last = budget.acquire(), budget.acquire()
        budget.release(first, "39/40")
        clock.start(wait)
        clock.sleep(5.5)
        budget.release(last, "39/80")

    def wait() -> None:
        waited.append(budget.acquire().waited_seconds)

    clock.run(read)
    assert waited
    assert 5.5 <= waited[0] <= 5.5 + MAX_SLEEP_SECONDS


def test_each_check_is_followed_by_a_sleep() -> None:
    """A waiting thread does not use CPU time."""
    clock = FakeClock()
    budget = ApiBudget(clock)
    for _ in range(200):
        budget.release(budget.acquire(), "0/40")
    assert all(seconds > 0 for seconds in clock.sleeps)
    assert len(clock.sleeps) < 1000


def test_the_burst_is_three_quarters_of_all_slots_but_one() -> None:
    """One slot stays free for other apps from the beginning."""
    assert free_requests(ApiBudget(FakeClock())) == 30


@pytest.mark.parametrize("header", ["0/80", " 0 / 80 ", "00/80"])
def test_the_limit_comes_from_the_header(header: str) -> None:
    """An OAuth2 app may send 80 requests, one of which was already sent."""
    budget = ApiBudget(FakeClock())
    budget.release(budget.acquire(), header)
    assert free_requests(budget) == 60 - 1


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
def test_an_invalid_header_is_ignored(header: str | None) -> None:
    """The tap relies on its own count."""
    budget = ApiBudget(FakeClock())
    budget.release(budget.acquire(), header)
    assert budget.call_limit is None
    assert free_requests(budget) == 30 - 1


def test_requests_of_others_reduce_the_burst() -> None:
    """Each of them takes its own slot and a reserve of four."""
    budget = ApiBudget(FakeClock())
    budget.release(budget.acquire(), "5/40")
    assert free_requests(budget) == 15 - 1


@pytest.mark.parametrize("percent", [50, 10])
def test_the_burst_respects_the_own_limit(percent: int) -> None:
    """It is three quarters of the own limit, rounded up."""
    burst = {50: 15, 10: 3}
    assert free_requests(ApiBudget(FakeClock(), percent)) == burst[percent]


@pytest.mark.parametrize("seconds", [0.5, 7.0, 300.0])
def test_a_pause_lasts_at_least_as_long_as_gorgias_requests(seconds: float) -> None:
    """No request is sent earlier, even if the window has free slots."""
    budget = ApiBudget(FakeClock())
    budget.refuse(budget.acquire(), "40/40", seconds)
    assert budget.acquire().waited_seconds >= seconds


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    """Responses to parallel requests arrive in any order."""
    budget = ApiBudget(FakeClock())
    first, second = budget.acquire(), budget.acquire()
    budget.refuse(first, None, 100.0)
    budget.refuse(second, None, 1.0)
    assert budget.acquire().waited_seconds >= 100.0


@pytest.mark.parametrize("seconds", [None, 0.0], ids=["unknown", "zero"])
def test_after_a_refusal_without_a_time_the_window_is_full(
    seconds: float | None,
) -> None:
    """39 slots are taken by other apps, for 20 s at most."""
    budget = ApiBudget(FakeClock())
    budget.refuse(budget.acquire(), "40/40", seconds)
    assert budget.acquire().waited_seconds == pytest.approx(20.0, abs=0.1)


def test_a_permit_contains_its_waiting_time() -> None:
    """The summary of the run adds these times up."""
    clock = FakeClock()
    budget = ApiBudget(clock)
    waited = []
    for _ in range(60):
        permit = budget.acquire()
        budget.release(permit, None)
        waited.append(permit.waited_seconds)
    assert sum(waited) == pytest.approx(sum(clock.sleeps))
    assert sum(waited) > 20


def test_the_call_limit_includes_the_window() -> None:
    """For example 20 s."""
    budget = ApiBudget(FakeClock())
    assert budget.call_limit is None
    budget.release(budget.acquire(), "38/40")
    assert budget.call_limit == "38/40 in the last 20 s"


def test_utilization_only_considers_time_with_pending_requests() -> None:
    """40 requests in 40 s of pending time use half of two windows."""
    clock = FakeClock()
    budget = ApiBudget(clock)
    for _ in range(40):
        permit = budget.acquire()
        clock.now += 1.0
        budget.release(permit, None)
        clock.now += 100.0
    assert budget.utilization == pytest.approx(0.5)


def test_the_utilization_of_a_short_run_refers_to_one_window() -> None:
    """Ten requests are a quarter of what a window allows."""
    budget = ApiBudget(FakeClock())
    for _ in range(10):
        budget.release(budget.acquire(), None)
    assert budget.utilization == pytest.approx(0.25)


def test_utilization_refers_to_the_own_limit() -> None:
    """The tap may not use the rest."""
    budget = ApiBudget(FakeClock(), 50)
    for _ in range(10):
        budget.release(budget.acquire(), None)
    assert budget.utilization == pytest.approx(0.5)


class InterruptingClock(FakeClock):
    """A clock that interrupts each sleep."""

    event: Callable[[], None] | None = None
    """Runs during the next sleep."""

    @override
    def sleep(self, seconds: float) -> None:
        """Run the event, then raise."""
        if event := self.event:
            self.event = None
            event()
        raise KeyboardInterrupt


def test_an_interrupted_thread_has_no_pending_request() -> None:
    """The time after the interruption does not count."""
    clock = InterruptingClock()
    budget = ApiBudget(clock)
    for _ in range(30):
        budget.release(budget.acquire(), None)
    with pytest.raises(KeyboardInterrupt):
        budget.acquire()
    clock.now += 1000
    assert budget.utilization == pytest.approx(30 / 40)


def test_an_interrupted_thread_does_not_block_the_next() -> None:
    """It is no longer in the queue."""
    clock = InterruptingClock()
    budget = ApiBudget(clock)
    budget.release(budget.acquire(), "0/1")
    with pytest.raises(KeyboardInterrupt):
        budget.acquire()
    clock.now += 1000
    assert budget.acquire().waited_seconds == 0


def test_an_interrupted_thread_returns_its_permit() -> None:
    """Another thread may have issued it at the last moment."""
    clock = InterruptingClock()
    budget = ApiBudget(clock)
    budget.release(budget.acquire(), "0/1")

    def issue_permit() -> None:
        clock.now += 1000
        with pytest.raises(KeyboardInterrupt):
            budget.acquire()

    clock.event = issue_permit
    with pytest.raises(KeyboardInterrupt):
        budget.acquire()
    clock.now += 1000
    assert budget.acquire().waited_seconds == 0


def test_the_summary_shows_the_utilization(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """And the last count; nothing if no response reported one."""
    caplog.set_level(logging.INFO)
    budget = ApiBudget(FakeClock())
    budget.log(logging.getLogger("tests.budget"))
    for number in range(10):
        budget.release(budget.acquire(), f"{number}/40")
    budget.log(logging.getLogger("tests.budget"))
    (line,) = caplog.messages
    assert line == (
        "Summary of the budget: 25% of the allowed rate used while requests were "
        "pending, 9/40 in the last 20 s at the end."
    )
