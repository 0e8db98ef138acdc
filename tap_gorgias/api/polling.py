"""How long to wait for an answer that Gorgias is still working on."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import backoff

from tap_gorgias.errors import NotReadyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_gorgias.clock import Clock

GIVE_UP_AFTER_SECONDS = 300.0
LONGEST_WAIT_SECONDS = 16

T = TypeVar("T")


def until_ready(
    ask: Callable[[], T],
    *,
    clock: Clock,
    on_wait: Callable[[int], None],
    patience_seconds: float = GIVE_UP_AFTER_SECONDS,
) -> T:
    """Ask again until the answer is ready, for some minutes.

    The waits are 1, 2, 4, 8, 16, 16, ... seconds, as in Gorgias' own web app. It is no
    failure, so it is not counted as another try.

    Args:
        ask: Asks. It raises `NotReadyError` to be asked again.
        clock: Tells the time and waits.
        on_wait: Told the seconds until the next time.
        patience_seconds: How long to ask again.

    Returns:
        The answer.

    Raises:
        NotReadyError: If it is not ready in time.
    """
    waits = backoff.expo(base=2, factor=1, max_value=LONGEST_WAIT_SECONDS)
    next(waits)
    deadline: float | None = None
    while True:
        try:
            return ask()
        except NotReadyError:  # noqa: PERF203 (waiting costs more)
            now = clock.monotonic()
            deadline = deadline or now + patience_seconds
            seconds = int(next(waits))
            if now + seconds > deadline:
                raise
            on_wait(seconds)
            clock.sleep(seconds)
