"""Which failures get another try, after how long, and when it is enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import backoff

from tap_gorgias.errors import TransientApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_gorgias.clock import Clock

GIVE_UP_AFTER_SECONDS = 300.0
LONGEST_WAIT_SECONDS = 60.0

T = TypeVar("T")


def retried(
    attempt: Callable[[], T],
    *,
    clock: Clock,
    on_retry: Callable[[TransientApiError, float], None],
) -> T:
    """Try again for about five minutes.

    The waits are 1, 2, 4, ... 32, 60, 60, ... seconds, each with up to a second of
    jitter on top. No new try begins later than 300 s after the first failure.

    Args:
        attempt: What to try. It raises `TransientApiError` to be tried again.
        clock: Tells the time and waits.
        on_retry: Told of each failure and of the seconds until the next try.

    Returns:
        What the attempt returned.

    Raises:
        TransientApiError: The last failure, when time is up.
    """
    waits = backoff.expo(base=2, factor=1, max_value=LONGEST_WAIT_SECONDS)
    next(waits)
    deadline: float | None = None
    while True:
        try:
            return attempt()
        except TransientApiError as error:  # noqa: PERF203 (waiting costs more)
            now = clock.monotonic()
            deadline = deadline or now + GIVE_UP_AFTER_SECONDS
            seconds = backoff.random_jitter(next(waits))
            if now + seconds > deadline:
                raise
            on_retry(error, seconds)
            clock.sleep(seconds)
