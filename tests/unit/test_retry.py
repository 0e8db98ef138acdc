"""Tests of retries: which failures, after how long, for how long."""

from __future__ import annotations

import pytest

from tap_gorgias.api.retry import MAX_RETRY_SECONDS, Retries
from tap_gorgias.errors import ApiError, TransientApiError
from tests.support.fake_clock import FakeClock

BUSY = TransientApiError("busy", stream="tickets", path="/api/tickets", status=503)
REFUSED = ApiError("no", stream="tickets", path="/api/tickets", status=403)
ALWAYS = 10**6


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


@pytest.fixture
def clock() -> FakeClock:
    """The clock of the retries."""
    return FakeClock()


@pytest.fixture
def retries(clock: FakeClock) -> Retries:
    """The retries under test."""
    return Retries(clock)


def give_up(retries: Retries, attempts: Attempts, seconds: float | None = None) -> None:
    """Call a function that fails for longer than it is retried."""
    with pytest.raises(TransientApiError) as failed:
        retries.call(attempts, ignore, seconds)
    assert failed.value is BUSY


def test_waits_double_up_to_a_minute(clock: FakeClock, retries: Retries) -> None:
    """The jitter is up to one second, and there is no wait before the first call."""
    assert retries.call(Attempts(clock, failures=8), ignore) == "done"
    for waited, minimum in zip(clock.sleeps, [1, 2, 4, 8, 16, 32, 60, 60], strict=True):
        assert minimum <= waited <= minimum + 1


def test_clients_that_fail_together_retry_at_different_times(
    clock: FakeClock, retries: Retries
) -> None:
    """The waits are random."""
    for _ in range(20):
        retries.call(Attempts(clock, failures=1), ignore)
    assert len(set(clock.sleeps)) > 10


@pytest.mark.parametrize("seconds", [None, 30.0])
@pytest.mark.parametrize("duration", [0.0, 5.0, 70.0])
def test_retries_end_after_five_minutes(
    clock: FakeClock, retries: Retries, duration: float, seconds: float | None
) -> None:
    """Or earlier, if asked for. No call begins later, and most of the time is used."""
    limit = MAX_RETRY_SECONDS if seconds is None else seconds
    attempts = Attempts(clock, ALWAYS, duration)
    give_up(retries, attempts, seconds)
    first_failure = attempts.started[0] + duration
    last = attempts.started[-1] - first_failure
    assert limit - 61 - duration <= last <= limit
    assert clock.now == attempts.started[-1] + duration


@pytest.mark.parametrize(
    "error", [REFUSED, ValueError("bug")], ids=["refusal", "any other error"]
)
def test_other_errors_are_not_retried(
    clock: FakeClock, retries: Retries, error: Exception
) -> None:
    """For example a 403."""

    def attempt() -> None:
        raise error

    with pytest.raises(type(error)):
        retries.call(attempt, ignore)
    assert clock.sleeps == []


def test_each_retry_is_reported_before_its_wait(
    clock: FakeClock, retries: Retries
) -> None:
    """The log explains the wait while it lasts."""
    reported: list[tuple[float, float]] = []

    def on_retry(error: TransientApiError, seconds: float) -> None:
        assert error is BUSY
        reported.append((clock.now, seconds))

    retries.call(Attempts(clock, failures=3), on_retry)
    assert [seconds for _, seconds in reported] == clock.sleeps
    assert reported[0][0] == clock.started


def test_during_an_outage_only_the_first_request_is_retried(
    clock: FakeClock, retries: Retries
) -> None:
    """Each of the others is sent once."""
    for _ in range(3):
        give_up(retries, Attempts(clock, ALWAYS))
    assert clock.now <= clock.started + MAX_RETRY_SECONDS


def test_a_success_ends_an_outage(clock: FakeClock, retries: Retries) -> None:
    """Later failures are retried as usual, each for its own time."""
    give_up(retries, Attempts(clock, ALWAYS))
    for failures in (0, 7, 7):
        assert retries.call(Attempts(clock, failures), ignore) == "done"


def test_the_failure_of_one_endpoint_is_not_an_outage(
    clock: FakeClock, retries: Retries
) -> None:
    """Other requests succeeded in the meantime."""

    def send_other_request(_error: TransientApiError, _seconds: float) -> None:
        retries.call(Attempts(clock, 0), ignore)

    with pytest.raises(TransientApiError):
        retries.call(Attempts(clock, ALWAYS), send_other_request)
    assert retries.call(Attempts(clock, failures=5), ignore) == "done"


def test_what_succeeds_is_looked_for_once_in_each_outage(
    clock: FakeClock, retries: Retries
) -> None:
    """A second page that fails alone is told from an outage like the first."""
    for _ in range(2):
        give_up(retries, Attempts(clock, ALWAYS))
        assert retries.may_probe()
        assert not retries.may_probe()
        retries.call(Attempts(clock, 0), ignore)
        clock.now += 1.0
