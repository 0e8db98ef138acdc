"""The clock of the tap. Tests replace it to run without waiting."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Protocol


class Clock(Protocol):
    """Source of time."""

    def monotonic(self) -> float:
        """Return the seconds since an arbitrary point in time; never decreases."""

    def utc(self) -> datetime:
        """Return the current time in UTC.

        It may be wrong: prefer the time in the responses of Gorgias.
        """

    def sleep(self, seconds: float) -> None:
        """Wait.

        Args:
            seconds: Duration of the wait.
        """


class SystemClock:
    """The system clock."""

    def monotonic(self) -> float:
        """Return the seconds since an arbitrary point in time."""
        return time.monotonic()

    def utc(self) -> datetime:
        """Return the current time in UTC."""
        return datetime.now(timezone.utc)

    def sleep(self, seconds: float) -> None:
        """Wait.

        Args:
            seconds: Duration of the wait.
        """
        time.sleep(seconds)
