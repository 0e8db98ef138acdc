"""Which failures get another try, after how long, and when retrying ends."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

import backoff

from tap_gorgias.errors import TransientApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_gorgias.clock import Clock

GIVE_UP_AFTER_SECONDS = 300.0
MAX_WAIT_SECONDS = 60.0

T = TypeVar("T")


class Outage:
    """Knows whether the API fails for all streams, so that not each waits in vain.

    An outage begins when one stream has used up its retries and no stream has had an
    answer since the first of its failures. It ends with the next answer.
    """

    def __init__(self) -> None:
        self.is_known = False
        self._last_answer = -math.inf

    def report_failure(self, first_failure: float) -> None:
        """Note that a stream has used up its retries.

        Args:
            first_failure: When its failures began, in seconds of the clock.
        """
        self.is_known = self._last_answer < first_failure

    def report_answer(self, now: float) -> None:
        """Note an answer.

        Args:
            now: Seconds of the clock.
        """
        self._last_answer = now
        self.is_known = False


def retry(
    function: Callable[[], T],
    *,
    clock: Clock,
    outage: Outage,
    on_retry: Callable[[TransientApiError, float], None],
    patience_seconds: float = GIVE_UP_AFTER_SECONDS,
) -> T:
    """Call a function until it succeeds or the time for retries is up.

    The waits are 1, 2, 4, ... 32, 60, 60, ... seconds, each with up to a second of
    jitter on top. During an outage nothing is tried again.

    Args:
        function: Raises `TransientApiError` to be called again.
        clock: Returns the time and waits.
        outage: What all callers know of the API.
        on_retry: Called with each failure and the seconds until the next try.
        patience_seconds: No try begins later than this after the first failure.

    Returns:
        What the function returned.

    Raises:
        TransientApiError: The last failure.
    """
    waits = backoff.expo(base=2, factor=1, max_value=MAX_WAIT_SECONDS)
    next(waits)
    first_failure: float | None = None
    while True:
        try:
            result = function()
        except TransientApiError as error:  # noqa: PERF203 (waiting costs more)
            now = clock.monotonic()
            first_failure = now if first_failure is None else first_failure
            seconds = backoff.random_jitter(next(waits))
            is_late = now + seconds > first_failure + patience_seconds
            if is_late or outage.is_known:
                outage.report_failure(first_failure)
                raise
            on_retry(error, seconds)
            clock.sleep(seconds)
        else:
            outage.report_answer(clock.monotonic())
            return result
