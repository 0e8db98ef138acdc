"""Finds out whether the account counts over 20 seconds or, on Enterprise, over 10."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_gorgias.request_log import Count, RequestLog

STANDARD_SECONDS = 20.0
"""Window of API keys and OAuth apps (reference/limitations)."""

ENTERPRISE_SECONDS = 10.0
"""Window of the same counts on an Enterprise plan (reference/limitations)."""

CLOCK_SECONDS = 0.01
"""By so much may the limiter's clock be rounded."""

_ROUNDING = 1
"""A count may be rounded, and may hold the request that it answers or not."""

_ENOUGH = 0.25
"""Who uses a smaller part of the limit has nothing to gain from a shorter window."""

_TOO_SOON_SECONDS = 0.9 * STANDARD_SECONDS


class WindowRecognition:
    """Takes the window for one of 20 seconds until headers rule that out.

    Requests of other apps only add to a count. So a count that is too small rules out a
    kind of limiter, whoever else is at work. When a sliding window, a leaky bucket and
    fixed windows of 20 seconds are all ruled out, the plan is Enterprise.
    """

    def __init__(self) -> None:
        """Start with the standard plan."""
        self.restart()

    def restart(self) -> None:
        """Forget what was found out."""
        self.seconds = STANDARD_SECONDS
        self._sliding = True
        self._leaky = True
        self._fixed = True
        self._fall: tuple[Count, Count] | None = None

    def learn(self, log: RequestLog, count: Count, limit: int) -> None:
        """Look at the count in an answer.

        Args:
            log: The requests of the last 20 seconds.
            count: What the answer told.
            limit: How many requests the account may make in a window.
        """
        few = log.at_most(count.sent - STANDARD_SECONDS) < _ENOUGH * limit
        if self.seconds == ENTERPRISE_SECONDS or few:
            return
        leak = limit / STANDARD_SECONDS
        for earlier, between in log.counts_before(count):
            missing = earlier.used + between - count.used
            if missing > 0:
                self._fell(earlier, count)
            if missing > leak * (count.answered - earlier.sent) + 1 + _ROUNDING:
                self._leaky = False
        begin = count.answered - STANDARD_SECONDS + CLOCK_SECONDS
        held = log.at_least(begin, count.sent)
        if count.used < held - _ROUNDING:
            self._sliding = False
        if not (self._sliding or self._leaky or self._fixed):
            self.seconds = ENTERPRISE_SECONDS

    def _fell(self, earlier: Count, later: Count) -> None:
        """Rule out fixed windows of 20 seconds when the count falls twice within one.

        Args:
            earlier: A count before it fell.
            later: A count after it.
        """
        if self._fall is not None:
            first, second = self._fall
            if earlier is not second and earlier.sent < second.answered:
                return  # It may be the same fall.
            if later.answered - first.sent < _TOO_SOON_SECONDS:
                self._fixed = False
        self._fall = earlier, later
