"""The account's rate limit, shared by all threads."""

from __future__ import annotations

import math
import re
import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tap_gorgias.api.sliding_window import SlidingWindow

if TYPE_CHECKING:
    from tap_gorgias.clock import Clock

MAX_SLEEP_SECONDS = 1.0
"""A waiting thread checks again after this time, because a response to another thread
may have reported a higher limit."""

OLDEST_WAITER_INTERVAL = 3
"""Every third permit goes to the thread that has waited longest."""

_ROOM = 0.75
"""A count below this fraction of the limit does not explain a refusal."""

_ID = re.compile(r"\d+")
_CALL_LIMIT = re.compile(r"\s*([0-9]{1,6})\s*/\s*([1-9][0-9]{0,5})\s*", re.ASCII)


class CallLimit(NamedTuple):
    """The last reported count: requests in the window, and how many it allows."""

    used: int
    limit: int
    window_seconds: float


class Pause(NamedTuple):
    """How long to wait after a 429."""

    seconds: float
    is_for_all: bool
    """Whether the limiter lets all requests wait, or only the refused one should."""


@dataclass(eq=False)
class Permit:
    """Permission to send one request, or the request for it."""

    stream_name: str
    path: str
    """Without ids."""
    sent_at: float = math.inf
    """When the permission was given."""


class RateLimiter:
    """Issues permits to send requests at the rate that `SlidingWindow` permits.

    Every third permit goes to the thread that has waited longest, the others to the
    stream with the fewest requests so far. So no thread starves, large streams do not
    delay small ones, and a large stream that begins late catches up.

    A refusal pauses all requests, unless it concerns its path alone: its own count
    shows that the account has room, or a request of another path has passed since the
    last refusal of this one, which waits to find that out.
    """

    def __init__(self, clock: Clock, rate_limit_percent: int = 100) -> None:
        self._clock = clock
        self._window = SlidingWindow(rate_limit_percent)
        self._lock = threading.Lock()
        self._waiters: list[Permit] = []
        self._permits: Counter[str] = Counter()
        """By stream."""
        self._in_flight: Counter[str] = Counter()
        """By path."""
        self._held_back_seconds = 0.0
        self._measured_at = 0.0
        self._used: int | None = None
        self._refused_at: dict[str, float] = {}
        """When each path that has not passed since was last refused."""
        self._refused_alone: set[str] = set()
        """Those of them since whose refusal another path has passed."""

    @property
    def call_limit(self) -> CallLimit | None:
        """The last reported count; None if no response has reported one."""
        with self._lock:
            if self._used is None:
                return None
            return CallLimit(self._used, self._window.limit, self._window.seconds)

    @property
    def held_back_seconds(self) -> float:
        """How long at least one request waited for a permit."""
        with self._lock:
            self._measure()
            return self._held_back_seconds

    def acquire(self, stream_name: str = "", path: str = "") -> Permit:
        """Wait for a permit, which then goes to `release` or `refuse`."""
        permit = Permit(stream_name, _ID.sub("*", path))
        with self._lock:
            self._measure()
            self._waiters.append(permit)
        while True:
            with self._lock:
                seconds = self._issue_permits()
                if permit.sent_at < math.inf:
                    return permit
            self._clock.sleep(min(seconds, MAX_SLEEP_SECONDS))

    def release(
        self, permit: Permit, call_limit: str | None, *, has_passed: bool = True
    ) -> None:
        """Record that a request has ended, with or without a response (`has_passed`).

        `call_limit` is the header `X-Gorgias-Account-Api-Call-Limit`, for example
        `10/80` (used/limit); None and invalid values are ignored.
        """
        used, limit = _parse_call_limit(call_limit)
        with self._lock:
            now = self._end(permit, used)
            self._window.add_response(permit.sent_at, now, used, limit)
            if has_passed:
                self._refused_at.pop(permit.path, None)
                self._refused_alone.discard(permit.path)
                self._refused_alone |= {
                    path
                    for path, refused_at in self._refused_at.items()
                    if permit.sent_at > refused_at
                }

    def refuse(
        self, permit: Permit, call_limit: str | None, seconds: float | None
    ) -> Pause:
        """Pause all requests, or those of one path, after a 429.

        `seconds` is the wait that the response asks for; None if unknown. The pause is
        longer if the window is full for longer.
        """
        used, limit = _parse_call_limit(call_limit)
        with self._lock:
            now = self._end(permit, used)
            if self._concerns_only(permit.path, used, limit):
                pause = Pause(seconds or 0.0, is_for_all=False)
                self._window.add_response(permit.sent_at, now, None, None)
            else:
                self._window.add_refusal(permit.sent_at, now, limit, seconds)
                pause = Pause(self._window.seconds_to_wait(now), is_for_all=True)
            self._refused_at[permit.path] = now
            self._refused_alone.discard(permit.path)
            return pause

    def _concerns_only(self, path: str, used: int | None, limit: int | None) -> bool:
        if path in self._refused_alone:
            return True
        has_room = used is not None and limit and used < _ROOM * limit
        return bool(has_room) and not (self._refused_at.keys() - {path})

    def _issue_permits(self) -> float:
        """Issue all permits that are possible now, also to other threads.

        Returns the seconds until the next one is possible.
        """
        now = self._measure()
        while (seconds := self._window.seconds_to_wait(now)) <= 0 and self._waiters:
            permit = self._next_waiter()
            if permit is None:
                return MAX_SLEEP_SECONDS
            self._window.add_request(now)
            self._waiters.remove(permit)
            self._in_flight[permit.path] += 1
            self._permits[permit.stream_name] += 1
            permit.sent_at = now
        return seconds

    def _measure(self) -> float:
        """Add the time since the last call if a request waited; return the time."""
        now = self._clock.monotonic()
        if self._waiters:
            self._held_back_seconds += now - self._measured_at
        self._measured_at = now
        return now

    def _next_waiter(self) -> Permit | None:
        """Return the waiter whose turn it is; None if each waits for another path."""
        unclear = self._refused_at.keys() - self._refused_alone
        waiters = [one for one in self._waiters if one.path not in unclear]
        if not waiters:
            if self._in_flight.keys() - unclear:
                return None
            waiters = self._waiters
        if (self._permits.total() + 1) % OLDEST_WAITER_INTERVAL == 0:
            return waiters[0]
        return min(waiters, key=lambda one: self._permits[one.stream_name])

    def _end(self, permit: Permit, used: int | None) -> float:
        """Record that a request is no longer in flight, and return the time."""
        self._in_flight[permit.path] -= 1
        self._in_flight += Counter()  # drops those without requests
        self._used = self._used if used is None else used
        return self._clock.monotonic()


def _parse_call_limit(call_limit: str | None) -> tuple[int, int] | tuple[None, None]:
    match = _CALL_LIMIT.fullmatch(call_limit or "")
    return (int(match[1]), int(match[2])) if match else (None, None)
