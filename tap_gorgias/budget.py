"""The account's request budget: a leaky bucket that other apps drink from too."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tap_gorgias.clock import Clock

PERIOD_SECONDS = 20.0
"""Time in which a full bucket drains (reference/limitations). An Enterprise bucket
drains in half of it, which the header of each answer shows soon enough."""

INITIAL_LIMIT = 40
"""Size of the bucket until an answer tells: that of an API key, the smallest."""

_CALL_LIMIT = re.compile(r"\s*([0-9]{1,6})\s*/\s*([1-9][0-9]{0,5})\s*", re.ASCII)
_FREE_PLACES = 2
_FREE_PLACES_PER_REQUEST_IN_FLIGHT = 3
_OBSERVED_SECONDS = 10.0
_FAST = 1.5
_ROUNDING_SECONDS = 1e-6


@dataclass(frozen=True)
class Permit:
    """Leave to send one request."""

    waited_seconds: float
    number: int
    """How many requests the tap has sent, this one included."""
    level_if_alone: float
    """Level of a bucket that only the tap uses, with this request in it."""


class _Observation(NamedTuple):
    """What a header told."""

    moment: float
    used: int
    answered: int
    """How many requests of ours had been answered."""


class ApiBudget:
    """Says when the next request may leave.

    The level of the account's bucket is estimated: it rises with each request of ours,
    drains with time, and is set anew by the header of every answer, which shows other
    apps' requests as well.

    Two places in the bucket stay free: one because the header is a whole number, so
    that the true level may be higher, and one so that another app that starts to work
    is let in and noticed. Once it is noticed, a quarter of the bucket stays free. That
    costs no throughput, because a bucket drains as fast when it is not quite full.

    Several taps may share the bucket without knowing of one another. While requests of
    ours are in flight, so may theirs be, which no header shows yet: for each of ours
    three places stay free. And a tap that has a fast bucket to itself must notice one
    that joins, so it finds out how fast the bucket drains.

    With a `rate_limit_percent` below 100 the tap's requests have to fit a second,
    smaller bucket, too, which drains as on a standard plan.
    """

    def __init__(self, clock: Clock, rate_limit_percent: int = 100) -> None:
        """Start with an empty bucket.

        Args:
            clock: Tells the time and waits.
            rate_limit_percent: Share of the account's budget to use, 1 to 100.
        """
        self.call_limit: str | None = None
        """What the last answer said: used/limit."""
        self._clock = clock
        self._share = rate_limit_percent / 100
        self._lock = threading.Lock()
        self._limit = INITIAL_LIMIT
        self._level = 0.0
        self._level_if_alone = 0.0
        self._level_of_share = 0.0
        self._free_places = _FREE_PLACES
        self._in_flight = 0
        self._sent = 0
        self._period_if_alone = PERIOD_SECONDS
        self._observed: _Observation | None = None
        self._updated_at = clock.monotonic()
        self._paused_until = self._updated_at

    def acquire(self) -> Permit:
        """Wait until a request may leave, and count it.

        Returns:
            The permit, to be handed back with `release`.
        """
        waited = 0.0
        while True:
            with self._lock:
                seconds = self._seconds_to_wait()
                if seconds <= 0:
                    self._level += 1
                    self._level_if_alone += 1
                    self._level_of_share += 1
                    self._in_flight += 1
                    self._sent += 1
                    return Permit(waited, self._sent, self._level_if_alone)
            self._clock.sleep(seconds)
            waited += seconds

    def release(self, permit: Permit, call_limit: str | None) -> None:
        """Learn from an answer, or from the lack of one.

        Args:
            permit: What `acquire` gave for the request.
            call_limit: Value of `X-Gorgias-Account-Api-Call-Limit`, such as `10/80`
                (used/limit); None or anything else when there is none.
        """
        with self._lock:
            self._drain()
            self._in_flight -= 1
            match = _CALL_LIMIT.fullmatch(call_limit or "")
            if not match:
                return
            self._limit = int(match[2])
            # A bucket holds no more than its limit, whatever the header says.
            used = min(int(match[1]), self._limit)
            self.call_limit = f"{used}/{self._limit}"
            # Requests of ours that left later may have been counted before this one.
            ours_at_most = permit.level_if_alone + self._sent - permit.number
            if used - ours_at_most >= _FREE_PLACES:
                self._free_places = max(_FREE_PLACES, self._limit // 4)
            self._level = float(used + self._in_flight)
            self._observe(used)

    def pause(self, seconds: float | None) -> None:
        """Hold all requests back after a 429.

        Args:
            seconds: How long Gorgias asks to wait; None if it does not say, in which
                case the bucket is taken to be full.
        """
        with self._lock:
            self._drain()
            self._level = max(self._level, float(self._limit))
            until = self._updated_at + (seconds or 0.0)
            self._paused_until = max(self._paused_until, until)
            self._observed = None  # A refused request did not enter the bucket.

    def _observe(self, used: int) -> None:
        """Recognise a bucket that drains in half the time.

        Requests of others hide some of the drain and never add to it.
        """
        seen = _Observation(self._updated_at, used, self._sent - self._in_flight)
        before = self._observed or seen
        seconds = seen.moment - before.moment
        if self._observed is None or seconds >= _OBSERVED_SECONDS:
            self._observed = seen
            drained = before.used - used + seen.answered - before.answered
            if drained > _FAST * seconds * self._limit / PERIOD_SECONDS:
                self._period_if_alone = PERIOD_SECONDS / 2

    def _seconds_to_wait(self) -> float:
        self._drain()
        pause = self._paused_until - self._updated_at
        if pause > 0:
            return pause
        rate = self._limit / PERIOD_SECONDS
        unseen = self._in_flight * _FREE_PLACES_PER_REQUEST_IN_FLIGHT
        capacity = max(self._limit - max(self._free_places, unseen), 1)
        wait = (self._level + 1 - capacity) / rate
        if self._share < 1:
            capacity_of_share = max(self._limit * self._share, 1)
            over = self._level_of_share + 1 - capacity_of_share
            wait = max(wait, over / (rate * self._share))
        return wait if wait > _ROUNDING_SECONDS else 0.0

    def _drain(self) -> None:
        now = self._clock.monotonic()
        passed = (now - self._updated_at) * self._limit
        drained = passed / PERIOD_SECONDS
        drained_if_alone = passed / self._period_if_alone
        self._level = max(self._level - drained, 0.0)
        self._level_if_alone = max(self._level_if_alone - drained_if_alone, 0.0)
        self._level_of_share = max(self._level_of_share - drained * self._share, 0.0)
        self._updated_at = now
