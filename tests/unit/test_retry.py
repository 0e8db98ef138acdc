"""Tests of retries: which failures, after how long, for how long."""

from __future__ import annotations

import pytest

from tap_gorgias.api.retry import MAX_RETRY_SECONDS, Outage, retry
from tap_gorgias.errors import ApiError, TransientApiError
from tests.support.fake_clock import FakeClock

BUSY = TransientApiError("busy", stream="tickets", path="/api/tickets", status=503)
REFUSED = ApiError("no", stream="tickets", path="/api/tickets", status=403)


class Attempts:
    """A function that fails several times, then succeeds; each call takes some time."""

    def __init__(self, clock: FakeClock, failures: int, duration: float = 0.0) -> None:
        self.clock = clock
        self.failures = failures
        self.duration = duration
        self.started: list[float] = []

    def __call__(self) -> str:
        """Fail or succeed."""
        self.started.append(self.clock.now)
        self.clock.now += self.duration
        if len(self.started) <= self.failures:
            raise BUSY
        return "done"


def ignore(error: TransientApiError, seconds: float) -> None:
    """Do not log a retry."""


def test_a_success_takes_no_waiting_time() -> None:
    """There is no wait before the first call."""
    clock = FakeClock()
    attempt = Attempts(clock, failures=0)
    assert retry(attempt, clock=clock, outage=Outage(), on_retry=ignore) == "done"
    assert clock.sleeps == []


def test_waits_double_up_to_a_minute() -> None:
    """The jitter is up to one second."""
    clock = FakeClock()
    retry(Attempts(clock, failures=8), clock=clock, outage=Outage(), on_retry=ignore)
    for waited, minimum in zip(clock.sleeps, [1, 2, 4, 8, 16, 32, 60, 60], strict=True):
        assert minimum <= waited <= minimum + 1


def test_the_time_for_retries_can_be_shorter() -> None:
    """The last call begins within 30 s of the first failure."""
    clock = FakeClock()
    attempt = Attempts(clock, failures=99)
    with pytest.raises(TransientApiError):
        retry(
            attempt,
            clock=clock,
            outage=Outage(),
            on_retry=ignore,
            max_retry_seconds=30.0,
        )
    assert attempt.started[-1] - attempt.started[0] <= 30
    assert len(attempt.started) >= 4


def test_clients_that_fail_together_retry_at_different_times() -> None:
    """The waits are random."""
    clock = FakeClock()
    for _ in range(20):
        retry(
            Attempts(clock, failures=1), clock=clock, outage=Outage(), on_retry=ignore
        )
    assert len(set(clock.sleeps)) > 10


@pytest.mark.parametrize("duration", [0.0, 5.0, 70.0])
def test_retries_end_after_five_minutes(duration: float) -> None:
    """No call begins later, and most of the time is used."""
    clock = FakeClock()
    attempt = Attempts(clock, failures=10**6, duration=duration)
    with pytest.raises(TransientApiError) as failed:
        retry(attempt, clock=clock, outage=Outage(), on_retry=ignore)
    assert failed.value is BUSY
    first_failure = attempt.started[0] + duration
    last = attempt.started[-1] - first_failure
    assert MAX_RETRY_SECONDS - 61 - duration <= last <= MAX_RETRY_SECONDS


def test_the_last_failure_is_raised_at_once() -> None:
    """There is no wait after it."""
    clock = FakeClock()
    attempt = Attempts(clock, failures=10**6)
    with pytest.raises(TransientApiError):
        retry(attempt, clock=clock, outage=Outage(), on_retry=ignore)
    assert clock.now == attempt.started[-1]


@pytest.mark.parametrize(
    "error", [REFUSED, ValueError("bug")], ids=["refusal", "any other error"]
)
def test_other_errors_are_not_retried(error: Exception) -> None:
    """For example a 403."""
    clock = FakeClock()

    def attempt() -> None:
        raise error

    with pytest.raises(type(error)):
        retry(attempt, clock=clock, outage=Outage(), on_retry=ignore)
    assert clock.sleeps == []


def test_each_retry_is_reported_before_its_wait() -> None:
    """The log explains the wait while it lasts."""
    clock = FakeClock()
    reported: list[tuple[float, float]] = []

    def on_retry(error: TransientApiError, seconds: float) -> None:
        assert error is BUSY
        reported.append((clock.now, seconds))

    retry(Attempts(clock, failures=3), clock=clock, outage=Outage(), on_retry=on_retry)
    assert [seconds for _, seconds in reported] == clock.sleeps
    assert reported[0][0] == 1000.0


def test_each_use_has_its_own_time_for_retries() -> None:
    """Retries of one request do not shorten those of the next."""
    clock = FakeClock()
    for _ in range(3):
        attempt = Attempts(clock, failures=7)
        result = retry(attempt, clock=clock, outage=Outage(), on_retry=ignore)
        assert result == "done"


def test_during_an_outage_only_the_first_request_is_retried() -> None:
    """Each of the others is sent once."""
    clock, outage = FakeClock(), Outage()
    for _ in range(3):
        with pytest.raises(TransientApiError):
            retry(
                Attempts(clock, failures=10**6),
                clock=clock,
                outage=outage,
                on_retry=ignore,
            )
    assert clock.now <= 1000.0 + MAX_RETRY_SECONDS


def test_a_success_ends_an_outage() -> None:
    """Later failures are retried as usual."""
    clock, outage = FakeClock(), Outage()
    with pytest.raises(TransientApiError):
        retry(
            Attempts(clock, failures=10**6), clock=clock, outage=outage, on_retry=ignore
        )
    for failures in (0, 5):
        attempt = Attempts(clock, failures=failures)
        assert retry(attempt, clock=clock, outage=outage, on_retry=ignore) == "done"


def test_the_failure_of_one_endpoint_is_not_an_outage() -> None:
    """Other requests succeeded in the meantime."""
    clock, outage = FakeClock(), Outage()

    def send_other_request(_error: TransientApiError, _seconds: float) -> None:
        retry(Attempts(clock, 0), clock=clock, outage=outage, on_retry=ignore)

    with pytest.raises(TransientApiError):
        retry(
            Attempts(clock, failures=10**6),
            clock=clock,
            outage=outage,
            on_retry=send_other_request,
        )
    assert not outage.is_active


def test_what_succeeds_is_looked_for_once_in_each_outage() -> None:
    """A second page that fails alone is told from an outage like the first."""
    outage = Outage()
    for start in (100.0, 300.0):
        outage.record_failure(start)
        assert outage.may_probe()
        assert not outage.may_probe()
        outage.record_success(start + 100)
