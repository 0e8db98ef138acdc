"""Polling of reports that Gorgias is still preparing."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import backoff

from tap_gorgias.errors import NotReadyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_gorgias.clock import Clock

MAX_WAIT_SECONDS = 16

T = TypeVar("T")


def poll(
    function: Callable[[], T],
    *,
    clock: Clock,
    on_wait: Callable[[int], None],
    timeout_seconds: float,
) -> T:
    """Call a function until its result is ready.

    The waits are 1, 2, 4, 8, 16, 16, ... seconds, as in the web app of Gorgias. They do
    not count as retries, because nothing failed.

    Args:
        function: Raises `NotReadyError` to be called again.
        clock: Returns the time and waits.
        on_wait: Called with the seconds until the next call.
        timeout_seconds: How long to wait after the first call.

    Returns:
        The result of the function.

    Raises:
        NotReadyError: If the result is not ready in time.
    """
    waits = backoff.expo(base=2, factor=1, max_value=MAX_WAIT_SECONDS)
    next(waits)
    deadline: float | None = None
    while True:
        try:
            return function()
        except NotReadyError:  # noqa: PERF203 (waiting costs more)
            now = clock.monotonic()
            deadline = deadline or now + timeout_seconds
            seconds = int(next(waits))
            if now + seconds > deadline:
                raise
            on_wait(seconds)
            clock.sleep(seconds)
