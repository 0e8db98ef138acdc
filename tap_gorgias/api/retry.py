"""Retries of failed requests."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

import backoff

from tap_gorgias.errors import RateLimitError, TransientApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_gorgias.clock import Clock

MAX_RETRY_SECONDS = 300.0
MAX_WAIT_SECONDS = 60.0

T = TypeVar("T")


class Outage:
    """Detects that the API fails for all streams, so that only one of them retries.

    An outage begins when a request has used up its retries and no other request has
    succeeded since its first failure. It ends with the next success. All times are
    seconds of one monotonic clock.
    """

    def __init__(self) -> None:
        self.is_active = False
        self._last_success = -math.inf
        self._has_probed = False

    def may_probe(self) -> bool:
        """Return whether to look for what succeeds: once in an outage."""
        may_probe = not (self.is_active and self._has_probed)
        self._has_probed = self.is_active
        return may_probe

    def record_failure(self, first_failure: float) -> None:
        """Record that a request has used up its retries."""
        self.is_active = self._last_success < first_failure

    def record_success(self, now: float) -> None:
        """Record that a request succeeded."""
        self._last_success = now
        self.is_active = False


def retry(
    function: Callable[[], T],
    *,
    clock: Clock,
    outage: Outage,
    on_retry: Callable[[TransientApiError, float], None],
    max_retry_seconds: float = MAX_RETRY_SECONDS,
) -> T:
    """Call a function until it succeeds or the time for retries is over.

    The waits are 1, 2, 4, ... 32, 60, 60, ... seconds, each plus up to one second of
    jitter. If the rate limiter lets all requests wait, there is no other wait. During
    an outage there are no retries.

    The last wait begins at most `max_retry_seconds` after the first failure, and ends
    by then unless it is that of the rate limiter. `on_retry` gets each failure and the
    seconds until the next call.
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
            is_paused = isinstance(error, RateLimitError) and error.is_for_all
            if isinstance(error, RateLimitError):
                longer = max(seconds, error.wait_seconds)
                seconds = error.wait_seconds if is_paused else longer
            # A pause that Gorgias asks for is waited out, however late it ends.
            begins = now if is_paused else now + seconds
            is_late = begins > first_failure + max_retry_seconds
            if is_late or outage.is_active:
                if max_retry_seconds:  # A single request shows no outage.
                    outage.record_failure(first_failure)
                raise
            on_retry(error, seconds)
            if not is_paused:
                clock.sleep(seconds)
        else:
            outage.record_success(clock.monotonic())
            return result
