"""Tests of the rate limit that all threads share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_gorgias.api.limiter import MAX_SLEEP_SECONDS, CallLimit, Pause, RateLimiter
from tests.sandbox import SlidingWindow
from tests.support.fake_clock import FakeClock
from tests.support.turns import TurnClock

if TYPE_CHECKING:
    from collections.abc import Callable

LATENCY_SECONDS = 0.2


def wait_in(clock: FakeClock, rate_limiter: RateLimiter, path: str = "") -> float:
    """Acquire a permit, and return how long that took."""
    began = clock.now
    rate_limiter.release(rate_limiter.acquire(path, path), None)
    return clock.now - began


def free_requests(percent: int = 100, header: str | None = None) -> int:
    """Return how many requests can be sent without waiting, after one response."""
    clock = FakeClock()
    rate_limiter = RateLimiter(clock, percent)
    rate_limiter.release(rate_limiter.acquire(), header)
    count = 1
    while wait_in(clock, rate_limiter) == 0:
        count += 1
    return count


@pytest.fixture
def clock() -> FakeClock:
    """The clock of the limiter."""
    return FakeClock()


@pytest.fixture
def rate_limiter(clock: FakeClock) -> RateLimiter:
    """The limiter under test."""
    return RateLimiter(clock)


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_threads_share_one_budget(threads: int) -> None:
    """Together they use the full rate and not more, however many there are."""
    clock = TurnClock()
    limiter = SlidingWindow(clock=clock.monotonic)
    rate_limiter = RateLimiter(clock)
    until = clock.now + 60
    counted = 0

    def read() -> None:
        nonlocal counted
        while (permit := rate_limiter.acquire()).sent_at < until:
            clock.sleep(LATENCY_SECONDS)
            used, wait = limiter.take()
            assert wait is None
            counted += 1
            rate_limiter.release(permit, f"{used}/{limiter.limit}")

    clock.run(*[read] * threads)
    assert 0.95 * 120 <= counted <= 120


def test_no_thread_starves() -> None:
    """Although other threads request their next permit sooner."""
    clock = TurnClock()
    rate_limiter = RateLimiter(clock)
    until = clock.now + 60
    permitted: list[tuple[float, int]] = []

    def program(number: int) -> Callable[[], None]:
        def read() -> None:
            while clock.now < until:
                permit = rate_limiter.acquire()
                permitted.append((permit.sent_at, number))
                # Threads with higher numbers always return first.
                clock.sleep(0.4 - 0.05 * number)
                rate_limiter.release(permit, None)

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
    rate_limiter = RateLimiter(clock)
    sent: dict[str, int] = {}
    middle, end = clock.now + 60, clock.now + 120

    def program(stream_name: str) -> Callable[[], None]:
        def read() -> None:
            while clock.now < end:
                permit = rate_limiter.acquire(stream_name)
                sent[stream_name] = sent.get(stream_name, 0) + 1
                clock.sleep(LATENCY_SECONDS)
                rate_limiter.release(permit, None)

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
    rate_limiter = RateLimiter(clock)
    waited: list[float] = []

    def read() -> None:
        first, last = rate_limiter.acquire(), rate_limiter.acquire()
        rate_limiter.release(first, "39/40")
        clock.start(wait)
        clock.sleep(5.5)
        rate_limiter.release(last, "39/80")

    def wait() -> None:
        waited.append(wait_in(clock, rate_limiter))

    clock.run(read)
    assert waited
    assert 5.5 <= waited[0] <= 5.5 + MAX_SLEEP_SECONDS


def test_each_check_is_followed_by_a_sleep(
    rate_limiter: RateLimiter, clock: FakeClock
) -> None:
    """A waiting thread does not use CPU time."""
    for _ in range(200):
        rate_limiter.release(rate_limiter.acquire(), "0/40")
    assert all(seconds > 0 for seconds in clock.sleeps)
    assert len(clock.sleeps) < 1000


@pytest.mark.parametrize("header", ["0/80", " 0 / 80 ", "00/80"])
def test_the_limit_comes_from_the_header(header: str) -> None:
    """An OAuth2 app may send 80 requests, of which three quarters at once."""
    assert free_requests(header=header) == 60


NO_LIMITS = (None, "", "rubbish", "x/40", "20/", "/40", "20", "-1/40", "20/0", "20/-40")
NO_NUMBERS = ("20/40/60", "20.5/40", "20/4e1", "\u0662/40", "9999999/40", "20/40\nX: 1")


@pytest.mark.parametrize("header", [*NO_LIMITS, *NO_NUMBERS])
def test_an_invalid_header_is_ignored(
    rate_limiter: RateLimiter, header: str | None
) -> None:
    """The tap relies on its own count: the burst is three quarters of 40."""
    rate_limiter.release(rate_limiter.acquire(), header)
    assert rate_limiter.call_limit is None
    assert free_requests(header=header) == 30


def test_requests_of_others_reduce_the_burst() -> None:
    """Each of them takes its own slot and a reserve of four."""
    assert free_requests(header="5/40") == 15


@pytest.mark.parametrize(("percent", "burst"), [(50, 15), (10, 3)])
def test_the_burst_respects_the_own_limit(percent: int, burst: int) -> None:
    """It is three quarters of the own limit, rounded up."""
    assert free_requests(percent) == burst


@pytest.mark.parametrize("seconds", [0.5, 7.0, 300.0])
def test_a_pause_lasts_at_least_as_long_as_gorgias_requests(
    rate_limiter: RateLimiter, clock: FakeClock, seconds: float
) -> None:
    """No request is sent earlier, even if the window has free slots."""
    rate_limiter.refuse(rate_limiter.acquire(), "40/40", seconds)
    assert wait_in(clock, rate_limiter) >= seconds


def test_a_shorter_pause_does_not_end_a_longer_one(
    rate_limiter: RateLimiter, clock: FakeClock
) -> None:
    """Responses to parallel requests arrive in any order."""
    first, second = rate_limiter.acquire(), rate_limiter.acquire()
    rate_limiter.refuse(first, None, 100.0)
    rate_limiter.refuse(second, None, 1.0)
    assert wait_in(clock, rate_limiter) >= 100.0


@pytest.mark.parametrize("seconds", [None, 0.0], ids=["unknown", "zero"])
def test_after_a_refusal_without_a_time_the_window_is_full(
    rate_limiter: RateLimiter, clock: FakeClock, seconds: float | None
) -> None:
    """39 slots are taken by other apps, for 20 s at most."""
    rate_limiter.refuse(rate_limiter.acquire(), "40/40", seconds)
    assert wait_in(clock, rate_limiter) == pytest.approx(20.0, abs=0.1)


def test_the_time_in_which_a_request_waits_is_measured(
    rate_limiter: RateLimiter, clock: FakeClock
) -> None:
    """Time between requests does not count."""
    waited = 0.0
    for _ in range(60):
        waited += wait_in(clock, rate_limiter)
        clock.now += 0.1
    assert waited > 10
    assert rate_limiter.held_back_seconds == pytest.approx(waited)


def test_time_during_which_several_threads_wait_counts_once() -> None:
    """So a run is never held back for longer than it takes."""
    clock = TurnClock()
    rate_limiter = RateLimiter(clock)
    rate_limiter.refuse(rate_limiter.acquire(), None, 10.0)
    began, measured = clock.now, [0.0]

    def wait(seconds: float) -> Callable[[], None]:
        def acquire() -> None:
            clock.sleep(seconds)
            measured.append(rate_limiter.held_back_seconds - (clock.now - began))
            rate_limiter.release(rate_limiter.acquire(), None)

        return acquire

    clock.run(wait(0.0), wait(3.0), wait(4.0))
    assert 10.0 <= rate_limiter.held_back_seconds <= clock.now - began
    assert max(measured) <= 0.0


def test_the_call_limit_includes_the_window(rate_limiter: RateLimiter) -> None:
    """20 s, or 10 s on an Enterprise plan."""
    rate_limiter.release(rate_limiter.acquire(), "38/40")
    assert rate_limiter.call_limit == CallLimit(38, 40, 20.0)


def send(rate_limiter: RateLimiter, path: str, header: str = "39/40") -> None:
    """Send a request that passes."""
    rate_limiter.release(rate_limiter.acquire(path, path), header)


def test_a_refusal_pauses_all_paths(
    rate_limiter: RateLimiter, clock: FakeClock
) -> None:
    """The account has used its limit."""
    pause = rate_limiter.refuse(rate_limiter.acquire("a", "/a"), "40/40", 7.0)
    assert pause.is_for_all
    assert pause.seconds >= 7.0
    assert wait_in(clock, rate_limiter, "/b") == pytest.approx(pause.seconds, abs=1.1)


def test_a_refusal_whose_count_shows_room_concerns_its_path(
    rate_limiter: RateLimiter, clock: FakeClock
) -> None:
    """The other paths do not wait."""
    pause = rate_limiter.refuse(rate_limiter.acquire("a", "/a"), "3/40", 7.0)
    assert pause == Pause(7.0, is_for_all=False)
    assert wait_in(clock, rate_limiter, "/b") == 0


def test_two_paths_that_are_refused_concern_the_account(
    rate_limiter: RateLimiter,
) -> None:
    """Whatever their counts show."""
    first, second = rate_limiter.acquire("a", "/a"), rate_limiter.acquire("b", "/b")
    assert not rate_limiter.refuse(first, "3/40", 1.0).is_for_all
    assert rate_limiter.refuse(second, "3/40", 1.0).is_for_all


def test_a_path_that_is_refused_again_while_others_pass_waits_alone(
    rate_limiter: RateLimiter,
) -> None:
    """Its first refusal pauses all. Ids in a path do not matter."""
    for number in range(4):
        permit = rate_limiter.acquire("a", f"/a/{number}/b")
        assert rate_limiter.refuse(permit, None, 1.0).is_for_all == (number == 0)
        send(rate_limiter, "/c")


def test_a_path_that_passes_again_begins_anew(rate_limiter: RateLimiter) -> None:
    """Its next refusal is that of the account again."""
    rate_limiter.refuse(rate_limiter.acquire("a", "/a"), None, 1.0)
    send(rate_limiter, "/b")
    send(rate_limiter, "/a")
    assert rate_limiter.refuse(rate_limiter.acquire("a", "/a"), None, 1.0).is_for_all


def test_after_a_pause_another_path_goes_first() -> None:
    """So its response shows whether the refusal concerned the account."""
    clock = TurnClock()
    rate_limiter = RateLimiter(clock)
    order: list[str] = []

    def program(path: str) -> Callable[[], None]:
        def read() -> None:
            permit = rate_limiter.acquire(path, path)
            order.append(path)
            clock.sleep(LATENCY_SECONDS)
            rate_limiter.release(permit, None)

        return read

    def refused_first() -> None:
        rate_limiter.refuse(rate_limiter.acquire("/a", "/a"), None, 1.0)
        clock.start(program("/a"))
        clock.start(program("/b"))

    clock.run(refused_first)
    assert order == ["/b", "/a"]
