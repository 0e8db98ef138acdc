"""Time as the HTTP layer sees it: replaceable, so that no test has to wait."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What the HTTP layer needs to know about time."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back."""

    def sleep(self, seconds: float) -> None:
        """Wait.

        Args:
            seconds: How long.
        """


class SystemClock:
    """The clock of this machine."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait.

        Args:
            seconds: How long.
        """
        time.sleep(seconds)
