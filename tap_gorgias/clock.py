"""Time as the tap sees it: replaceable, so that no test has to wait."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Protocol


class Clock(Protocol):
    """What the tap needs to know about time."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back."""

    def utc(self) -> datetime:
        """The present, which may be wrong; Gorgias' own clock goes first."""

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

    def utc(self) -> datetime:
        """The present."""
        return datetime.now(timezone.utc)

    def sleep(self, seconds: float) -> None:
        """Wait.

        Args:
            seconds: How long.
        """
        time.sleep(seconds)
