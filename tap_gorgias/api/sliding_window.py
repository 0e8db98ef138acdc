"""The rules for when a request may be sent, without clock, threads and HTTP."""

from __future__ import annotations

import random
from bisect import bisect_right
from typing import NamedTuple

STANDARD_SECONDS = 20.0
"""Window of API keys and OAuth2 apps (reference/limitations)."""

ENTERPRISE_SECONDS = 10.0
"""Window of the same limits on an Enterprise plan (reference/limitations)."""

CLOCK_TOLERANCE_SECONDS = 0.01
"""Maximum rounding of the limiter's clock."""

INITIAL_LIMIT = 40
"""Limit of an API key, which is the lowest. Responses report the actual limit."""

INITIAL_BURST = 0.75
"""Fraction of the free slots that a run uses immediately when it begins."""

_COUNT_TOLERANCE = 1
"""A count may be rounded, and may or may not include the request that it answers."""

_MIN_UTILIZATION = 0.25
"""Below this fraction of the limit, a shorter window would not speed up the tap."""

_MIN_SECONDS_OF_LOW_COUNTS = 13.0
"""The counts of a leaky bucket or of fixed windows of 20 s can also be low enough, but
for 10 seconds at most."""

_MIN_REQUESTS_OF_OTHERS = 2
"""A single request may result from rounding in the limiter."""

_BURST_RESERVE_PER_REQUEST_OF_OTHERS = 4
"""Slots that the burst leaves free for each request of other apps, which may be
starting with a burst as well."""

_RESERVE_PER_OWN_REQUEST = 0.2
_RESERVE_PER_REQUEST_OF_OTHERS = 0.3
_RESERVE_OF_LIMIT = 0.08
"""While other apps send requests, the smallest of these three reserves stays free, and
at least one slot.

The values were found by simulating three taps, and a tap next to another app."""

_MAX_JITTER_SECONDS = 1.0
"""Taps that were refused at the same time resume at different times."""

_MIN_WAIT_SECONDS = 1e-6
"""Shorter waits are rounding errors."""


class Count(NamedTuple):
    """The number of requests in the limiter's window, as a response reported it."""

    sent_at: float
    received_at: float
    used: int


class SlidingWindow:
    """Models the account's rate limit as a sliding window.

    Recorded headers fit a sliding window of 20 seconds. A tap that respects it is never
    refused by a leaky bucket or by fixed windows of the same size, and reaches the same
    rate with them. The rules:

    - A request is sent as soon as the window has a free slot, whenever the limiter may
      have counted the earlier ones: at some time between sending a request and
      receiving its response. One slot stays free, so that requests of other apps can be
      detected. Once they are, a few more do, and the more requests the tap itself has
      in the window, so that several taps on one account converge to equal shares.
    - A run begins with a burst, then spreads its requests evenly. Another burst would
      block other apps for the rest of each window.
    - After a refusal, the window is considered full. The refused request counts as
      well. Several taps do not resume at the same time.
    - An account is on an Enterprise plan if its counts stay too low for a window of 20
      seconds, but not for one of 10: requests of other apps can only increase them.
      After a refusal, the rest of the run stays with 20 seconds.

    All times are seconds of one monotonic clock, and never decrease.
    `rate_limit_percent` is the percentage of the limit that the tap may use, 5 to 100.
    """

    def __init__(
        self,
        rate_limit_percent: int = 100,
        random_generator: random.Random | None = None,
    ) -> None:
        self.limit = INITIAL_LIMIT
        self.seconds = STANDARD_SECONDS
        """Length of the window, as far as it is known."""
        self._percent = rate_limit_percent
        self._random = random_generator or random.Random()  # noqa: S311 (nothing secret)
        self._in_flight = 0
        self._sent: list[float] = []
        self._received: list[float] = []
        self._counts: list[Count] = []
        """Of responses other than 429. Whether a refused request counts is unknown."""
        self._others: list[float] = []
        """When each request of other apps was detected."""
        self._others_updated_at = float("-inf")
        self._uncertain = 0
        """Own requests in the last count that may be requests of other apps."""
        self._is_bursting = True
        self._was_refused = False
        self._low_counts_since: float | None = None
        self._last_due_at = float("-inf")
        self._paused_until = float("-inf")

    @property
    def own_limit(self) -> float:
        """Requests that the tap may send in a window."""
        return max(self.limit * self._percent / 100, 1.0)

    def seconds_to_wait(self, now: float) -> float:
        """Return how long to wait before asking again; 0 if a request may be sent."""
        self._others = [time for time in self._others if time + self.seconds > now]
        until = now - STANDARD_SECONDS - CLOCK_TOLERANCE_SECONDS
        self._sent = _after(self._sent, until)
        self._received = _after(self._received, until)
        self._counts = [count for count in self._counts if count.received_at > until]
        seconds = max(self._paused_until - now, self._seconds_to_free_slot(now))
        if seconds <= 0:
            seconds = self._due_at(now) - now
            return seconds if seconds > _MIN_WAIT_SECONDS else 0.0
        return max(seconds, _MIN_WAIT_SECONDS)

    def add_request(self, now: float) -> None:
        """Record a request that is sent while `seconds_to_wait` returns 0."""
        # If all threads were busy when this request was due, the next one is due
        # earlier, by one interval at most, so that no burst accumulates.
        delay = max(now - self._due_at(now), 0.0)
        interval = self.seconds / self._max_own_requests(now)
        self._last_due_at = now if self._is_bursting else now - min(delay, interval)
        self._in_flight += 1
        self._sent.append(now)

    def add_response(
        self, sent_at: float, now: float, used: int | None, limit: int | None
    ) -> None:
        """Record that a request has ended, with or without a response.

        `used` and `limit` are the requests in the limiter's window and how many it
        allows; None if unknown.
        """
        self._end(now)
        if used is None or limit is None:
            return
        self.limit = limit
        count = Count(sent_at, now, min(used, limit))
        self._detect_enterprise(count)
        self._counts.append(count)
        self._update_others(count)

    def add_refusal(
        self, sent_at: float, now: float, limit: int | None, seconds: float | None
    ) -> None:
        """Record that a request was refused with 429: the window is full.

        `seconds` is the wait that the response asks for; None if unknown.
        """
        self.limit = limit or self.limit
        self._end(now)
        jitter = self._random.uniform(0.0, _MAX_JITTER_SECONDS)
        self._paused_until = max(self._paused_until, now + (seconds or 0.0) + jitter)
        self._is_bursting = False
        self._was_refused = True
        self.seconds = STANDARD_SECONDS
        self._update_others(Count(sent_at, now, self.limit))

    def _end(self, now: float) -> None:
        self._in_flight -= 1
        self._received.append(now)

    def _max_counted_since(self, start: float) -> int:
        """Return how many requests the limiter can have counted since a time."""
        return self._in_flight + len(_after(self._received, start))

    def _min_counted_between(self, start: float, end: float) -> int:
        """Return how many requests the limiter has certainly counted between times."""
        return sum(
            count.sent_at >= start and count.received_at <= end
            for count in self._counts
        )

    def _detect_enterprise(self, count: Count) -> None:
        recent = self._max_counted_since(count.sent_at - STANDARD_SECONDS)
        if self._was_refused or recent < _MIN_UTILIZATION * self.limit:
            return
        now = count.received_at + CLOCK_TOLERANCE_SECONDS
        standard, enterprise = (
            self._min_counted_between(now - seconds, count.sent_at)
            for seconds in (STANDARD_SECONDS, ENTERPRISE_SECONDS)
        )
        if not enterprise <= count.used + _COUNT_TOLERANCE < standard:
            self._low_counts_since = None
        elif self._low_counts_since is None:
            self._low_counts_since = count.received_at
        elif count.sent_at - self._low_counts_since > _MIN_SECONDS_OF_LOW_COUNTS:
            self.seconds = ENTERPRISE_SECONDS

    def _update_others(self, count: Count) -> None:
        """Derive the number of requests of other apps from a count.

        Each of them is kept for a window from its detection, unless a later request
        shows that there are fewer.
        """
        own = self._max_counted_since(count.sent_at - self.seconds) - 1
        others = max(count.used - own, 0)
        self._uncertain = 0
        if others >= _MIN_REQUESTS_OF_OTHERS:
            start = count.received_at - self.seconds
            self._uncertain = own - self._min_counted_between(start, count.sent_at)
        known = len(self._others)
        if others > known:
            self._others += [count.received_at] * (others - known)
        elif count.sent_at >= self._others_updated_at:
            del self._others[: known - others]
        self._others_updated_at = max(self._others_updated_at, count.sent_at)

    def _seconds_to_free_slot(self, now: float) -> float:
        """Return 0 if the window has a free slot, or seconds until a request expires.

        The limiter's window must have one however late it counts requests. The tap's
        own part must have one if the limiter counts each request when it is sent.
        """
        window = self.seconds + CLOCK_TOLERANCE_SECONDS
        start = now - window
        others = len(self._others)
        reserved = others + self._uncertain if others >= _MIN_REQUESTS_OF_OTHERS else 0
        is_full = self._max_counted_since(start) + reserved >= self.limit
        sent = _after(self._sent, start)
        if not is_full and len(sent) + 1 <= self._max_own_requests(now):
            return 0.0
        received = _after(self._received, start)
        times = [*received[:1], *sent[:1], *self._others[:1]]
        return min(times, default=now) - start

    def _max_own_requests(self, now: float) -> float:
        """Return how many requests the tap should have in the window at most."""
        others = len(self._others)
        if others < _MIN_REQUESTS_OF_OTHERS:
            available = float(self.limit - 1)
        else:
            own = len(_after(self._sent, now - self.seconds))
            reserve = min(
                _RESERVE_PER_OWN_REQUEST * own,
                _RESERVE_PER_REQUEST_OF_OTHERS * others,
                _RESERVE_OF_LIMIT * self.limit,
            )
            available = self.limit - others - max(reserve, 1.0)
        return max(min(available, self.own_limit), 1.0)

    def _due_at(self, now: float) -> float:
        """Return when the next request is due if requests are spread evenly."""
        sent = _after(self._sent, now - self.seconds)
        own = len(sent)
        if self._is_bursting:
            reserve = 1 + _BURST_RESERVE_PER_REQUEST_OF_OTHERS * len(self._others)
            available = min(self.limit - reserve, self.own_limit)
            self._is_bursting = own < INITIAL_BURST * available
        if self._is_bursting or own == 0:
            return now
        max_own = self._max_own_requests(now)
        interval = self.seconds / max_own
        if own < max_own:
            # The slots that the burst left free must last until its own expire.
            expires_at = sent[0] + self.seconds
            remaining = max_own - own + 1
            interval = max(interval, (expires_at - self._last_due_at) / remaining)
        return self._last_due_at + interval


def _after(times: list[float], start: float) -> list[float]:
    return times[bisect_right(times, start) :]
