"""Threads share the account's budget and the information in one another's answers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from tap_gorgias.api.budget import LONGEST_NAP_SECONDS, ApiBudget
from tap_gorgias.compat import override
from tests.sandbox import SlidingWindow
from tests.support.fake_clock import FakeClock
from tests.support.turns import TurnClock

if TYPE_CHECKING:
    from collections.abc import Callable

LATENCY_SECONDS = 0.2


def free_requests(budget: ApiBudget) -> int:
    """Count how many requests may be sent now without waiting."""
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
    arrived: list[float],
    until: float,
) -> Callable[[], None]:
    """Return a program that reads until a time."""

    def read() -> None:
        while True:
            permit = budget.acquire()
            if clock.now >= until:
                return
            clock.sleep(LATENCY_SECONDS)
            used, wait = limiter.take()
            assert wait is None
            arrived.append(clock.now)
            budget.release(permit, f"{used}/{limiter.limit}")

    return read


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_threads_share_one_budget(threads: int) -> None:
    """Together any number of threads use the whole rate and no more."""
    clock = TurnClock()
    limiter = SlidingWindow(clock=clock.monotonic)
    budget = ApiBudget(clock)
    until = clock.now + 60
    arrived: list[float] = []
    readers = [reading(clock, budget, limiter, arrived, until) for _ in range(threads)]
    clock.run(*readers)
    assert 0.95 * 120 <= len(arrived) <= 120


def test_the_longest_waiting_thread_is_next() -> None:
    """No thread starves beside others that return at once."""
    clock = TurnClock()
    budget = ApiBudget(clock)
    until = clock.now + 60
    permitted: list[tuple[float, int]] = []

    def program(number: int) -> Callable[[], None]:
        def read() -> None:
            while clock.now < until:
                permit = budget.acquire()
                permitted.append((permit.request.sent, number))
                # The later threads always return first.
                clock.sleep(0.4 - 0.05 * number)
                budget.release(permit, None)

        return read

    threads = range(8)
    clock.run(*map(program, threads))
    after_the_burst = [number for _, number in sorted(permitted)][50:-8]
    assert len(after_the_burst) > 40
    for begin in range(len(after_the_burst) - 7):
        assert set(after_the_burst[begin : begin + 8]) == set(threads)


def test_a_stream_that_starts_late_catches_up() -> None:
    """It gets more than its third of the rate meanwhile, and no other starves."""
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

    def begin_late() -> None:
        clock.sleep(middle - clock.now)
        clock.start(program("late"))

    clock.run(program("one"), program("other"), begin_late)
    assert sent["late"] >= 0.95 * 2 / 3 * 120
    assert min(sent["one"], sent["other"]) >= 0.95 * (60 + 120 / 6)


def test_a_waiting_thread_checks_the_budget_every_second() -> None:
    """An answer to another thread may show that there is more room."""
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
    assert 5.5 <= waited[0] <= 5.5 + LONGEST_NAP_SECONDS


def test_a_waiting_thread_always_sleeps() -> None:
    """Each check that finds no room is followed by a sleep."""
    clock = FakeClock()
    budget = ApiBudget(clock)
    for _ in range(200):
        budget.release(budget.acquire(), "0/40")
    assert all(seconds > 0 for seconds in clock.sleeps)
    assert len(clock.sleeps) < 1000


def test_the_burst_is_three_quarters_of_all_places_but_one() -> None:
    """One place is always left for others."""
    assert free_requests(ApiBudget(FakeClock())) == 30


@pytest.mark.parametrize("header", ["0/80", " 0 / 80 ", "00/80"])
def test_the_limit_is_learnt_from_the_header(header: str) -> None:
    """An OAuth app has 80 places, of which the first request has used one."""
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
def test_an_answer_without_a_valid_header_only_counts_as_a_request(
    header: str | None,
) -> None:
    """The tap relies on its own count."""
    budget = ApiBudget(FakeClock())
    budget.release(budget.acquire(), header)
    assert budget.call_limit is None
    assert free_requests(budget) == 30 - 1


def test_the_header_shows_what_others_use() -> None:
    """Places of others reduce the burst, the more they use."""
    budget = ApiBudget(FakeClock())
    budget.release(budget.acquire(), "5/40")
    assert free_requests(budget) == 15 - 1


@pytest.mark.parametrize("percent", [50, 10])
def test_the_burst_is_limited_by_the_share(percent: int) -> None:
    """It is three quarters of the share, rounded up."""
    burst = {50: 15, 10: 3}
    assert free_requests(ApiBudget(FakeClock(), percent)) == burst[percent]


@pytest.mark.parametrize("seconds", [0.5, 7.0, 300.0])
def test_a_pause_lasts_at_least_as_long_as_retry_after(seconds: float) -> None:
    """No request is sent earlier, however empty the window seems."""
    budget = ApiBudget(FakeClock())
    budget.refuse(budget.acquire(), "40/40", seconds)
    assert budget.acquire().waited_seconds >= seconds


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    """Answers to requests in flight arrive in any order."""
    budget = ApiBudget(FakeClock())
    first, second = budget.acquire(), budget.acquire()
    budget.refuse(first, None, 100.0)
    budget.refuse(second, None, 1.0)
    assert budget.acquire().waited_seconds >= 100.0


@pytest.mark.parametrize("seconds", [None, 0.0], ids=["unknown", "zero"])
def test_a_refusal_without_retry_after_fills_the_window(
    seconds: float | None,
) -> None:
    """Others hold 39 places for an unknown time of at most 20 s."""
    budget = ApiBudget(FakeClock())
    budget.refuse(budget.acquire(), "40/40", seconds)
    assert budget.acquire().waited_seconds == pytest.approx(20.0, abs=0.1)


def test_the_permit_contains_its_waiting_time() -> None:
    """The summary of the run adds the times up."""
    clock = FakeClock()
    budget = ApiBudget(clock)
    waited = []
    for _ in range(60):
        permit = budget.acquire()
        budget.release(permit, None)
        waited.append(permit.waited_seconds)
    assert sum(waited) == pytest.approx(sum(clock.sleeps))
    assert sum(waited) > 20


def test_the_last_count_is_shown_unchanged() -> None:
    """It comes with the period that it is about."""
    budget = ApiBudget(FakeClock())
    assert budget.call_limit is None
    budget.release(budget.acquire(), "38/40")
    assert budget.call_limit == "38/40 in the last 20 s"


def test_the_used_share_is_that_of_the_time_with_work() -> None:
    """40 requests in two windows of work are half; time without work is ignored."""
    clock = FakeClock()
    budget = ApiBudget(clock)
    for _ in range(40):
        permit = budget.acquire()
        clock.now += 1.0
        budget.release(permit, None)
        clock.now += 100.0
    assert budget.used_share == pytest.approx(0.5)


def test_a_short_run_is_compared_with_one_window() -> None:
    """Ten requests at once are a quarter of a window."""
    budget = ApiBudget(FakeClock())
    for _ in range(10):
        budget.release(budget.acquire(), None)
    assert budget.used_share == pytest.approx(0.25)


def test_the_used_share_is_relative_to_the_configured_share() -> None:
    """The tap may not use the rest."""
    budget = ApiBudget(FakeClock(), 50)
    for _ in range(10):
        budget.release(budget.acquire(), None)
    assert budget.used_share == pytest.approx(0.5)


class InterruptedClock(FakeClock):
    """A clock on which every sleep is interrupted."""

    meanwhile: Callable[[], None] | None = None
    """A callback that runs during the next sleep."""

    @override
    def sleep(self, seconds: float) -> None:
        """Run the callback, then raise an interruption."""
        if callback := self.meanwhile:
            self.meanwhile = None
            callback()
        raise KeyboardInterrupt


def test_time_after_an_interruption_is_not_time_of_work() -> None:
    """A signal may end the wait of a thread."""
    clock = InterruptedClock()
    budget = ApiBudget(clock)
    for _ in range(30):
        budget.release(budget.acquire(), None)
    with pytest.raises(KeyboardInterrupt):
        budget.acquire()
    clock.now += 1000
    assert budget.used_share == pytest.approx(30 / 40)


def test_an_interrupted_thread_lets_the_next_one_pass() -> None:
    """Its place in the queue becomes free."""
    clock = InterruptedClock()
    budget = ApiBudget(clock)
    budget.release(budget.acquire(), "0/1")
    with pytest.raises(KeyboardInterrupt):
        budget.acquire()
    clock.now += 1000
    assert budget.acquire().waited_seconds == 0


def test_a_permit_of_an_interrupted_thread_is_returned() -> None:
    """Another thread may grant it during the interruption."""
    clock = InterruptedClock()
    budget = ApiBudget(clock)
    budget.release(budget.acquire(), "0/1")

    def acquire_later() -> None:
        clock.now += 1000
        with pytest.raises(KeyboardInterrupt):
            budget.acquire()

    clock.meanwhile = acquire_later
    with pytest.raises(KeyboardInterrupt):
        budget.acquire()
    clock.now += 1000
    assert budget.acquire().waited_seconds == 0


def test_the_log_shows_how_fully_the_budget_was_used(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It includes the last count, and is silent if no answer had one."""
    caplog.set_level(logging.INFO)
    budget = ApiBudget(FakeClock())
    budget.log(logging.getLogger("tests.budget"))
    for number in range(10):
        budget.release(budget.acquire(), f"{number}/40")
    budget.log(logging.getLogger("tests.budget"))
    (line,) = caplog.messages
    assert line == (
        "Summary of the budget: 25% of the allowed rate used while there was work, "
        "9/40 in the last 20 s at the end."
    )
