"""Threads wait for the account's budget, and learn from one another's answers."""

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
    """Count how many requests may leave now, one after another, without waiting."""
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
    """Make a thread that reads until a moment."""

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
    """However many there are, together they use the whole rate and no more."""
    clock = TurnClock()
    limiter = SlidingWindow(clock=clock.monotonic)
    budget = ApiBudget(clock)
    until = clock.now + 60
    arrived: list[float] = []
    readers = [reading(clock, budget, limiter, arrived, until) for _ in range(threads)]
    clock.run(*readers)
    assert 0.95 * 120 <= len(arrived) <= 120


def test_who_waits_longest_is_next() -> None:
    """No thread starves beside others that come back for more at once."""
    clock = TurnClock()
    budget = ApiBudget(clock)
    until = clock.now + 60
    permitted: list[tuple[float, int]] = []

    def program(number: int) -> Callable[[], None]:
        def read() -> None:
            while clock.now < until:
                permit = budget.acquire()
                permitted.append((permit.request.sent, number))
                # The later threads are always the first to be back.
                clock.sleep(0.4 - 0.05 * number)
                budget.release(permit, None)

        return read

    threads = range(8)
    clock.run(*map(program, threads))
    after_the_burst = [number for _, number in sorted(permitted)][50:-8]
    assert len(after_the_burst) > 40
    for begin in range(len(after_the_burst) - 7):
        assert set(after_the_burst[begin : begin + 8]) == set(threads)


def test_a_stream_that_begins_late_catches_up() -> None:
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


def test_who_waits_looks_again_every_second() -> None:
    """An answer to another thread may show more room than was known."""
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


def test_nobody_waits_without_sleeping() -> None:
    """Each look at the budget that finds no room is followed by time that passes."""
    clock = FakeClock()
    budget = ApiBudget(clock)
    for _ in range(200):
        budget.release(budget.acquire(), "0/40")
    assert all(seconds > 0 for seconds in clock.sleeps)
    assert len(clock.sleeps) < 1000


def test_the_burst_is_three_quarters_of_all_places_but_one() -> None:
    """One place is left to others from the beginning."""
    assert free_requests(ApiBudget(FakeClock())) == 30


@pytest.mark.parametrize("header", ["0/80", " 0 / 80 ", "00/80"])
def test_the_limit_is_learnt_from_the_header(header: str) -> None:
    """An OAuth app has 80 places, of which the first request took one."""
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
def test_an_answer_without_usable_header_only_counts_as_one(header: str | None) -> None:
    """The tap goes on with its own count."""
    budget = ApiBudget(FakeClock())
    budget.release(budget.acquire(), header)
    assert budget.call_limit is None
    assert free_requests(budget) == 30 - 1


def test_the_header_shows_what_others_use() -> None:
    """Places of others are no part of the burst, and the busier, the smaller it is."""
    budget = ApiBudget(FakeClock())
    budget.release(budget.acquire(), "5/40")
    assert free_requests(budget) == 15 - 1


@pytest.mark.parametrize("percent", [50, 10])
def test_a_share_of_the_burst_is_kept(percent: int) -> None:
    """Three quarters of the share, rounded up."""
    burst = {50: 15, 10: 3}
    assert free_requests(ApiBudget(FakeClock(), percent)) == burst[percent]


@pytest.mark.parametrize("seconds", [0.5, 7.0, 300.0])
def test_a_pause_lasts_at_least_as_long_as_gorgias_asks(seconds: float) -> None:
    """No request leaves earlier, however empty the window seems."""
    budget = ApiBudget(FakeClock())
    budget.refuse(budget.acquire(), "40/40", seconds)
    assert budget.acquire().waited_seconds >= seconds


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    """Answers to several requests in flight come in any order."""
    budget = ApiBudget(FakeClock())
    first, second = budget.acquire(), budget.acquire()
    budget.refuse(first, None, 100.0)
    budget.refuse(second, None, 1.0)
    assert budget.acquire().waited_seconds >= 100.0


@pytest.mark.parametrize("seconds", [None, 0.0], ids=["unknown", "zero"])
def test_a_refusal_without_a_time_says_that_the_window_is_full(
    seconds: float | None,
) -> None:
    """39 places are taken by others for nobody knows how long, 20 s at most."""
    budget = ApiBudget(FakeClock())
    budget.refuse(budget.acquire(), "40/40", seconds)
    assert budget.acquire().waited_seconds == pytest.approx(20.0, abs=0.1)


def test_the_permit_tells_how_long_it_took() -> None:
    """The summary of the run adds it up."""
    clock = FakeClock()
    budget = ApiBudget(clock)
    waited = []
    for _ in range(60):
        permit = budget.acquire()
        budget.release(permit, None)
        waited.append(permit.waited_seconds)
    assert sum(waited) == pytest.approx(sum(clock.sleeps))
    assert sum(waited) > 20


def test_the_count_is_told_as_it_is() -> None:
    """With the time that it is about."""
    budget = ApiBudget(FakeClock())
    assert budget.call_limit is None
    budget.release(budget.acquire(), "38/40")
    assert budget.call_limit == "38/40 in the last 20 s"


def test_the_used_share_is_that_of_the_time_with_work() -> None:
    """40 requests in two windows of work are half; time without work is none."""
    clock = FakeClock()
    budget = ApiBudget(clock)
    for _ in range(40):
        permit = budget.acquire()
        clock.now += 1.0
        budget.release(permit, None)
        clock.now += 100.0
    assert budget.used_share == pytest.approx(0.5)


def test_a_short_run_is_compared_with_one_window() -> None:
    """Ten requests at once are a quarter of what a window allows."""
    budget = ApiBudget(FakeClock())
    for _ in range(10):
        budget.release(budget.acquire(), None)
    assert budget.used_share == pytest.approx(0.25)


def test_the_used_share_is_that_of_the_own_part() -> None:
    """The rest is not the tap's to use."""
    budget = ApiBudget(FakeClock(), 50)
    for _ in range(10):
        budget.release(budget.acquire(), None)
    assert budget.used_share == pytest.approx(0.5)


class Interrupted(FakeClock):
    """A clock on which nobody sleeps to the end."""

    meanwhile: Callable[[], None] | None = None
    """What happens during the next sleep."""

    @override
    def sleep(self, seconds: float) -> None:
        """Be called away."""
        if happen := self.meanwhile:
            self.meanwhile = None
            happen()
        raise KeyboardInterrupt


def test_who_is_called_away_no_longer_has_work() -> None:
    """A signal may end the wait; the time after it is no time of work."""
    clock = Interrupted()
    budget = ApiBudget(clock)
    for _ in range(30):
        budget.release(budget.acquire(), None)
    with pytest.raises(KeyboardInterrupt):
        budget.acquire()
    clock.now += 1000
    assert budget.used_share == pytest.approx(30 / 40)


def test_who_is_called_away_lets_the_next_one_through() -> None:
    """Nobody waits for one that no longer does."""
    clock = Interrupted()
    budget = ApiBudget(clock)
    budget.release(budget.acquire(), "0/1")
    with pytest.raises(KeyboardInterrupt):
        budget.acquire()
    clock.now += 1000
    assert budget.acquire().waited_seconds == 0


def test_a_permit_that_comes_too_late_is_given_back() -> None:
    """Another thread may permit what a thread can no longer send."""
    clock = Interrupted()
    budget = ApiBudget(clock)
    budget.release(budget.acquire(), "0/1")

    def ask() -> None:
        clock.now += 1000
        with pytest.raises(KeyboardInterrupt):
            budget.acquire()

    clock.meanwhile = ask
    with pytest.raises(KeyboardInterrupt):
        budget.acquire()
    clock.now += 1000
    assert budget.acquire().waited_seconds == 0


def test_the_end_of_a_run_tells_how_fully_the_budget_was_used(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """And the last count; nothing if no answer told one."""
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
