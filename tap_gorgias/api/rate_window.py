"""Detection of the rate limit's window: 20 seconds, or 10 on an Enterprise plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_gorgias.api.request_log import Count, RequestLog

STANDARD_SECONDS = 20.0
"""Window of API keys and OAuth2 apps (reference/limitations)."""

ENTERPRISE_SECONDS = 10.0
"""Window of the same limits on an Enterprise plan (reference/limitations)."""

CLOCK_TOLERANCE_SECONDS = 0.01
"""Maximum rounding of the limiter's clock."""

_COUNT_TOLERANCE = 1
"""A count may be rounded, and may or may not include the request that it answers."""

_MIN_UTILIZATION = 0.25
"""Below this fraction of the limit, a shorter window would not speed up the tap."""

_MIN_SECONDS_BETWEEN_DROPS = 0.9 * STANDARD_SECONDS


class WindowDetector:
    """Assumes a window of 20 seconds until the reported counts rule it out.

    Requests of other apps can only increase a count. So a count that is too low rules
    out a kind of limiter, whatever other apps do. Once a sliding window, a leaky bucket
    and fixed windows of 20 seconds are all ruled out, the account is on an Enterprise
    plan.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Assume a window of 20 seconds again."""
        self.seconds = STANDARD_SECONDS
        self._may_be_sliding = True
        self._may_be_leaky = True
        self._may_be_fixed = True
        self._last_drop: tuple[Count, Count] | None = None

    def observe(self, log: RequestLog, count: Count, limit: int) -> None:
        """Compare a reported count with the tap's own requests.

        Args:
            log: The requests of the last 20 seconds, without this count.
            count: The count.
            limit: Requests that the account may send in a window.
        """
        recent = log.max_counted_since(count.sent_at - STANDARD_SECONDS)
        if self.seconds == ENTERPRISE_SECONDS or recent < _MIN_UTILIZATION * limit:
            return
        leaked_per_second = limit / STANDARD_SECONDS
        for earlier, between in log.counts_before(count):
            missing = earlier.used + between - count.used
            if missing > 0:
                self._observe_drop(earlier, count)
            leaked = leaked_per_second * (count.received_at - earlier.sent_at)
            if missing > leaked + 1 + _COUNT_TOLERANCE:
                self._may_be_leaky = False
        start = count.received_at - STANDARD_SECONDS + CLOCK_TOLERANCE_SECONDS
        expected = log.min_counted_between(start, count.sent_at)
        if count.used < expected - _COUNT_TOLERANCE:
            self._may_be_sliding = False
        if not (self._may_be_sliding or self._may_be_leaky or self._may_be_fixed):
            self.seconds = ENTERPRISE_SECONDS

    def _observe_drop(self, earlier: Count, later: Count) -> None:
        """Rule out fixed windows if the count drops twice within 20 seconds.

        Args:
            earlier: A count before the drop.
            later: A count after it.
        """
        if self._last_drop is not None:
            before, after = self._last_drop
            if earlier is not after and earlier.sent_at < after.received_at:
                return  # This may be the same drop.
            if later.received_at - before.sent_at < _MIN_SECONDS_BETWEEN_DROPS:
                self._may_be_fixed = False
        self._last_drop = earlier, later
