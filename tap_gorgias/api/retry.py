"""Which failures get another try, after how long, and when it is enough."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

import backoff

from tap_gorgias.errors import TransientApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_gorgias.clock import Clock

GIVE_UP_AFTER_SECONDS = 300.0
LONGEST_WAIT_SECONDS = 60.0

T = TypeVar("T")


class Outage:
    """Knows whether the API fails for everybody, so that not all wait for it in vain.

    It is known from the moment at which somebody gave up and nobody has had an answer
    since the first of the failures. It ends with the next answer.
    """

    def __init__(self) -> None:
        """Take the API for available."""
        self.is_known = False
        self._last_answer = -math.inf

    def give_up(self, first_failure: float) -> None:
        """Note that somebody gave up.

        Args:
            first_failure: When the failures began, in seconds of the clock.
        """
        self.is_known = self._last_answer < first_failure

    def end(self, now: float) -> None:
        """Note an answer.

        Args:
            now: Seconds of the clock.
        """
        self._last_answer = now
        self.is_known = False


def retried(
    attempt: Callable[[], T],
    *,
    clock: Clock,
    outage: Outage,
    on_retry: Callable[[TransientApiError, float], None],
    patience_seconds: float = GIVE_UP_AFTER_SECONDS,
) -> T:
    """Try again for some minutes, or not at all during an outage.

    The waits are 1, 2, 4, ... 32, 60, 60, ... seconds, each with up to a second of
    jitter on top.

    Args:
        attempt: What to try. It raises `TransientApiError` to be tried again.
        clock: Tells the time and waits.
        outage: What all who try know of the API.
        on_retry: Told of each failure and of the seconds until the next try.
        patience_seconds: No new try begins later than this after the first failure.

    Returns:
        What the attempt returned.

    Raises:
        TransientApiError: The last failure, when time is up.
    """
    waits = backoff.expo(base=2, factor=1, max_value=LONGEST_WAIT_SECONDS)
    next(waits)
    first_failure: float | None = None
    while True:
        try:
            result = attempt()
        except TransientApiError as error:  # noqa: PERF203 (waiting costs more)
            now = clock.monotonic()
            first_failure = now if first_failure is None else first_failure
            seconds = backoff.random_jitter(next(waits))
            is_late = now + seconds > first_failure + patience_seconds
            if is_late or outage.is_known:
                outage.give_up(first_failure)
                raise
            on_retry(error, seconds)
            clock.sleep(seconds)
        else:
            outage.end(clock.monotonic())
            return result
