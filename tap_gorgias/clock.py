"""The clock of the tap."""

from __future__ import annotations

import time
from datetime import datetime, timezone


class Clock:
    """The system clock. Tests replace it to run without waiting."""

    def monotonic(self) -> float:
        """Return the seconds since an arbitrary point in time; never decreases."""
        return time.monotonic()

    def utc(self) -> datetime:
        """Return the current time in UTC.

        It may be wrong: prefer the time in the responses of Gorgias.
        """
        return datetime.now(timezone.utc)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
