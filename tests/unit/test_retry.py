"""What is tried again, after how long, and when it is enough."""

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
    """Fails some times, then succeeds, and counts."""

    def __init__(self, clock: FakeClock, failures: int, lasting: float = 0.0) -> None:
        """Say how often to fail and how long each attempt takes."""
        self.clock = clock
        self.failures = failures
        self.lasting = lasting
        self.begun: list[float] = []

    def __call__(self) -> str:
        """Make one attempt."""
        self.begun.append(self.clock.now)
        self.clock.now += self.lasting
        if len(self.begun) <= self.failures:
            raise BUSY
        return "done"


def quiet(error: TransientApiError, seconds: float) -> None:
    """Hear of a retry."""


def test_success_waits_for_nothing() -> None:
    """The usual case costs nothing."""
    clock = FakeClock()
    attempt = Attempts(clock, failures=0)
    assert retry(attempt, clock=clock, outage=Outage(), on_retry=quiet) == "done"
    assert clock.sleeps == []


def test_waits_double_up_to_a_minute() -> None:
    """Each wait has up to a second of jitter on top."""
    clock = FakeClock()
    retry(Attempts(clock, failures=8), clock=clock, outage=Outage(), on_retry=quiet)
    for waited, least in zip(clock.sleeps, [1, 2, 4, 8, 16, 32, 60, 60], strict=True):
        assert least <= waited <= least + 1


def test_who_is_less_patient_gives_up_earlier() -> None:
    """No try begins later than that after the first failure."""
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
    assert attempt.begun[-1] - attempt.begun[0] <= 30
    assert len(attempt.begun) >= 4


def test_clients_that_fail_together_do_not_come_back_together() -> None:
    """That is what jitter is for."""
    clock = FakeClock()
    for _ in range(20):
        retry(Attempts(clock, failures=1), clock=clock, outage=Outage(), on_retry=quiet)
    assert len(set(clock.sleeps)) > 10


@pytest.mark.parametrize("lasting", [0.0, 5.0, 70.0])
def test_it_is_enough_after_five_minutes(lasting: float) -> None:
    """No attempt begins later, and hardly any time is left unused."""
    clock = FakeClock()
    attempt = Attempts(clock, failures=10**6, lasting=lasting)
    with pytest.raises(TransientApiError) as failed:
        retry(attempt, clock=clock, outage=Outage(), on_retry=quiet)
    assert failed.value is BUSY
    first_failure = attempt.begun[0] + lasting
    last = attempt.begun[-1] - first_failure
    assert GIVE_UP_AFTER_SECONDS - 61 - lasting <= last <= GIVE_UP_AFTER_SECONDS


def test_the_last_failure_is_not_waited_after() -> None:
    """Who gives up does so at once."""
    clock = FakeClock()
    attempt = Attempts(clock, failures=10**6)
    with pytest.raises(TransientApiError):
        retry(attempt, clock=clock, outage=Outage(), on_retry=quiet)
    assert clock.now == attempt.begun[-1]


@pytest.mark.parametrize(
    "error", [REFUSED, ValueError("bug")], ids=["refusal", "any other error"]
)
def test_what_another_try_cannot_mend_is_raised_at_once(error: Exception) -> None:
    """A 403 stays a 403."""
    clock = FakeClock()

    def attempt() -> None:
        raise error

    with pytest.raises(type(error)):
        retry(attempt, clock=clock, outage=Outage(), on_retry=quiet)
    assert clock.sleeps == []


def test_each_retry_is_told_before_its_wait() -> None:
    """The log says why nothing happens, while nothing happens."""
    clock = FakeClock()
    told: list[tuple[float, float]] = []

    def on_retry(error: TransientApiError, seconds: float) -> None:
        assert error is BUSY
        told.append((clock.now, seconds))

    retry(Attempts(clock, failures=3), clock=clock, outage=Outage(), on_retry=on_retry)
    assert [seconds for _, seconds in told] == clock.sleeps
    assert told[0][0] == 1000.0


def test_a_second_use_starts_afresh() -> None:
    """Time spent on one request is no debt of the next."""
    clock = FakeClock()
    use: Callable[[], str] = lambda: retry(  # noqa: E731
        Attempts(clock, failures=7), clock=clock, outage=Outage(), on_retry=quiet
    )
    assert [use(), use(), use()] == ["done"] * 3


def test_an_outage_that_somebody_waited_for_is_not_waited_for_again() -> None:
    """Each of the others gets one try."""
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
    """From then on failures are tried again as usual."""
    clock, outage = FakeClock(), Outage()
    with pytest.raises(TransientApiError):
        retry(
            Attempts(clock, failures=10**6), clock=clock, outage=outage, on_retry=quiet
        )
    for failures in (0, 5):
        attempt = Attempts(clock, failures=failures)
        assert retry(attempt, clock=clock, outage=outage, on_retry=quiet) == "done"


def test_one_endpoint_that_fails_is_no_outage() -> None:
    """Others were answered while its failures went on."""
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
