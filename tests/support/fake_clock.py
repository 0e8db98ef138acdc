"""A clock that only moves when somebody waits or sets it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

STARTED = datetime(2026, 11, 2, 8, 0, 0, 500_000, timezone.utc)
"""The present of the sandbox's shop."""


class FakeClock:
    """Stands in for `tap_gorgias.clock.Clock`, so that no test has to wait."""

    def __init__(self, now: float = 1000.0) -> None:
        """Start at some moment.

        Args:
            now: Seconds that `monotonic` tells at first.
        """
        self.now = now
        self.started = now
        self.sleeps: list[float] = []

    def monotonic(self) -> float:
        """Seconds since some fixed moment."""
        return self.now

    def utc(self) -> datetime:
        """The present."""
        return STARTED + timedelta(seconds=self.now - self.started)

    def sleep(self, seconds: float) -> None:
        """Let time pass at once, and remember how much.

        Args:
            seconds: How long.
        """
        self.sleeps.append(seconds)
        self.now += seconds
