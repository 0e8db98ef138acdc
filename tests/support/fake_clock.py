"""A clock that moves only when a test sets it or a caller sleeps."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta, timezone

from tap_gorgias.clock import Clock
from tap_gorgias.compat import override

STARTED = datetime(2026, 11, 2, 8, 0, 0, 500_000, timezone.utc)
"""The current time of the sandbox's shop."""

YIELD_SECONDS = 0.002
"""Real time, in which the other threads begin to sleep, too."""

FACTOR = 50
"""How much faster a `FastClock` runs."""


class FakeClock(Clock):
    """Replaces `tap_gorgias.clock.Clock`, so that no test waits in real time.

    Args:
        now: The first value of `monotonic`, in seconds.
    """

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now
        self.started = now
        self.sleeps: list[float] = []

    @override
    def monotonic(self) -> float:
        """Return the seconds since an arbitrary start."""
        return self.now

    @override
    def utc(self) -> datetime:
        """Return the current time."""
        return STARTED + timedelta(seconds=self.now - self.started)

    @override
    def sleep(self, seconds: float) -> None:
        """Advance the clock at once and record the duration."""
        self.sleeps.append(seconds)
        self.now += seconds


class SharedClock(FakeClock):
    """A clock for rates: threads that sleep at the same time share their seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    @override
    def sleep(self, seconds: float) -> None:
        """Advance the clock, unless another thread has done so meanwhile."""
        with self._lock:
            end = self.now + seconds
        time.sleep(YIELD_SECONDS)
        with self._lock:
            self.now = max(self.now, end)


class FastClock(FakeClock):
    """A clock that runs fifty times as fast, while threads work as well as sleep."""

    @override
    def monotonic(self) -> float:
        """Return the seconds since an arbitrary start."""
        return time.monotonic() * FACTOR

    @override
    def sleep(self, seconds: float) -> None:
        """Sleep for a fraction of the seconds."""
        time.sleep(seconds / FACTOR)
