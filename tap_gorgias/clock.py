"""The clock of the tap. Tests replace it to run without waiting."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Protocol

from tap_gorgias.compat import override


class Clock(Protocol):
    """Source of time."""

    def monotonic(self) -> float:
        """Return the seconds since an arbitrary point in time; never decreases."""

    def utc(self) -> datetime:
        """Return the current time in UTC.

        It may be wrong: prefer the time in the responses of Gorgias.
        """

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock(Clock):
    """The system clock."""

    @override
    def monotonic(self) -> float:
        return time.monotonic()

    @override
    def utc(self) -> datetime:
        return datetime.now(timezone.utc)

    @override
    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
