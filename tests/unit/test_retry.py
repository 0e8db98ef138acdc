"""Which failures are retried, after which wait, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_gorgias.api.retry import GIVE_UP_AFTER_SECONDS, Outage, retry
from tap_gorgias.errors import ApiError, TransientApiError
from tests.support.fake_clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable

BUSY = TransientApiError("busy", stream="tickets", path="/api/tickets", status=503)
REFUSED = ApiError("no", stream="tickets", path="/api/tickets", status=403)


class Attempts:
    """Fails a number of times, then succeeds, and records its attempts."""

    def __init__(self, clock: FakeClock, failures: int, duration: float = 0.0) -> None:
        """Set the number of failures and the duration of each attempt."""
        self.clock = clock
        self.failures = failures
        self.duration = duration
        self.started: list[float] = []

    def __call__(self) -> str:
        """Make one attempt."""
        self.started.append(self.clock.now)
        self.clock.now += self.duration
        if len(self.started) <= self.failures:
            raise BUSY
        return "done"


def quiet(error: TransientApiError, seconds: float) -> None:
    """Ignore a retry."""


def test_a_success_causes_no_wait() -> None:
    """The common case costs nothing."""
    clock = FakeClock()
    attempt = Attempts(clock, failures=0)
    assert retry(attempt, clock=clock, outage=Outage(), on_retry=quiet) == "done"
    assert clock.sleeps == []


def test_waits_double_up_to_a_minute() -> None:
    """Each wait has up to a second of jitter."""
    clock = FakeClock()
    retry(Attempts(clock, failures=8), clock=clock, outage=Outage(), on_retry=quiet)
    for waited, least in zip(clock.sleeps, [1, 2, 4, 8, 16, 32, 60, 60], strict=True):
        assert least <= waited <= least + 1


def test_the_limit_can_be_lowered() -> None:
    """No attempt starts later than that after the first failure."""
    clock = FakeClock()
    attempt = Attempts(clock, failures=99)
    with pytest.raises(TransientApiError):
        retry(
            attempt,
            clock=clock,
            outage=Outage(),
            on_retry=quiet,
            patience_seconds=30.0,
        )
    assert attempt.started[-1] - attempt.started[0] <= 30
    assert len(attempt.started) >= 4


def test_clients_that_fail_together_retry_at_different_times() -> None:
    """This is the purpose of jitter."""
    clock = FakeClock()
    for _ in range(20):
        retry(Attempts(clock, failures=1), clock=clock, outage=Outage(), on_retry=quiet)
    assert len(set(clock.sleeps)) > 10


@pytest.mark.parametrize("duration", [0.0, 5.0, 70.0])
def test_retries_end_after_five_minutes(duration: float) -> None:
    """No attempt starts later, and hardly any time is left unused."""
    clock = FakeClock()
    attempt = Attempts(clock, failures=10**6, duration=duration)
    with pytest.raises(TransientApiError) as failed:
        retry(attempt, clock=clock, outage=Outage(), on_retry=quiet)
    assert failed.value is BUSY
    first_failure = attempt.started[0] + duration
    last = attempt.started[-1] - first_failure
    assert GIVE_UP_AFTER_SECONDS - 61 - duration <= last <= GIVE_UP_AFTER_SECONDS


def test_the_last_failure_is_raised_without_a_wait() -> None:
    """Giving up takes no time."""
    clock = FakeClock()
    attempt = Attempts(clock, failures=10**6)
    with pytest.raises(TransientApiError):
        retry(attempt, clock=clock, outage=Outage(), on_retry=quiet)
    assert clock.now == attempt.started[-1]


@pytest.mark.parametrize(
    "error", [REFUSED, ValueError("bug")], ids=["refusal", "any other error"]
)
def test_permanent_errors_are_raised_at_once(error: Exception) -> None:
    """A retry would not change a 403."""
    clock = FakeClock()

    def attempt() -> None:
        raise error

    with pytest.raises(type(error)):
        retry(attempt, clock=clock, outage=Outage(), on_retry=quiet)
    assert clock.sleeps == []


def test_each_retry_is_reported_before_its_wait() -> None:
    """The log explains the pause when it starts."""
    clock = FakeClock()
    reported: list[tuple[float, float]] = []

    def on_retry(error: TransientApiError, seconds: float) -> None:
        assert error is BUSY
        reported.append((clock.now, seconds))

    retry(Attempts(clock, failures=3), clock=clock, outage=Outage(), on_retry=on_retry)
    assert [seconds for _, seconds in reported] == clock.sleeps
    assert reported[0][0] == 1000.0


def test_each_call_has_its_own_limit() -> None:
    """Time spent on one request does not count for the next."""
    clock = FakeClock()
    use: Callable[[], str] = lambda: retry(  # noqa: E731
        Attempts(clock, failures=7), clock=clock, outage=Outage(), on_retry=quiet
    )
    assert [use(), use(), use()] == ["done"] * 3


def test_a_known_outage_is_not_waited_for_again() -> None:
    """Each other caller tries once."""
    clock, outage = FakeClock(), Outage()
    for _ in range(3):
        with pytest.raises(TransientApiError):
            retry(
                Attempts(clock, failures=10**6),
                clock=clock,
                outage=outage,
                on_retry=quiet,
            )
    assert clock.now <= 1000.0 + GIVE_UP_AFTER_SECONDS


def test_the_next_answer_ends_an_outage() -> None:
    """Later failures are retried as usual."""
    clock, outage = FakeClock(), Outage()
    with pytest.raises(TransientApiError):
        retry(
            Attempts(clock, failures=10**6), clock=clock, outage=outage, on_retry=quiet
        )
    for failures in (0, 5):
        attempt = Attempts(clock, failures=failures)
        assert retry(attempt, clock=clock, outage=outage, on_retry=quiet) == "done"


def test_the_failure_of_one_endpoint_is_not_an_outage() -> None:
    """Other requests were answered between its failures."""
    clock, outage = FakeClock(), Outage()

    def answer_another(_error: TransientApiError, _seconds: float) -> None:
        retry(Attempts(clock, 0), clock=clock, outage=outage, on_retry=quiet)

    with pytest.raises(TransientApiError):
        retry(
            Attempts(clock, failures=10**6),
            clock=clock,
            outage=outage,
            on_retry=answer_another,
        )
    assert not outage.is_known
