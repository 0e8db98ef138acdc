"""The rate limit, in each form that the documentation or observations suggest."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from tests.sandbox.compat import override

if TYPE_CHECKING:
    from collections.abc import Callable


class Decision(NamedTuple):
    """The limiter's decision about a request."""

    used: int
    """The usage that the header of the answer reports."""
    wait_seconds: int | None
    """The Retry-After of a refusal; None if the request passes."""


@dataclass
class Limiter(ABC):
    """Admits `limit` requests in `seconds`.

    Attributes:
        limit: The number of requests that pass.
        seconds: The period in which they pass.
        clock: A monotonic clock, in seconds.
    """

    limit: int = 40
    seconds: float = 20.0
    clock: Callable[[], float] = time.monotonic
    _lock: Lock = field(default_factory=Lock, init=False)

    def take(self) -> Decision:
        """Count a request, or refuse it."""
        with self._lock:
            return self._take(self.clock())

    @abstractmethod
    def _take(self, now: float) -> Decision:
        """Decide about a request while holding the lock."""


@dataclass
class SlidingWindow(Limiter):
    """Admits `limit` requests in any period of `seconds`, as observed.

    The header counts the requests before the answered one.
    """

    _passed: deque[float] = field(default_factory=deque, init=False)

    @override
    def _take(self, now: float) -> Decision:
        passed = self._passed
        while passed and passed[0] + self.seconds <= now:
            passed.popleft()
        used = len(passed)
        if used >= self.limit:
            return Decision(used, _whole_seconds(passed[0] + self.seconds - now))
        passed.append(now)
        return Decision(used, None)


class LeakyBucket(Limiter):
    """Holds `limit` requests and drains them in `seconds`, as documented.

    The header includes the answered request, rounded up.
    """

    _level = 0.0
    _seen = 0.0

    @override
    def _take(self, now: float) -> Decision:
        rate = self.limit / self.seconds
        # Rounding keeps a level of exactly 3 from appearing slightly higher.
        level = round(max(self._level - (now - self._seen) * rate, 0.0), 6)
        over = level + 1 - self.limit
        self._level = level if over > 0 else level + 1
        self._seen = now
        wait = _whole_seconds(over / rate) if over > 0 else None
        return Decision(math.ceil(self._level), wait)


class FixedWindows(Limiter):
    """Admits `limit` requests in each fixed window of `seconds`, aligned to 0.

    The header includes the answered request.
    """

    _number = -1
    _used = 0

    @override
    def _take(self, now: float) -> Decision:
        number = int(now // self.seconds)
        if number != self._number:
            self._number, self._used = number, 0
        if self._used >= self.limit:
            return Decision(
                self._used, _whole_seconds((number + 1) * self.seconds - now)
            )
        self._used += 1
        return Decision(self._used, None)


def _whole_seconds(seconds: float) -> int:
    return max(math.ceil(seconds), 1)


LIMITERS: dict[str, type[Limiter]] = {
    "sliding": SlidingWindow,
    "leaky": LeakyBucket,
    "fixed": FixedWindows,
}
