"""The rate limit, in each form that the documentation and recordings suggest."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections import deque
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from tests.sandbox.compat import override

if TYPE_CHECKING:
    from collections.abc import Callable


class Decision(NamedTuple):
    """What the limiter makes of a request."""

    used: int
    """What the header of the answer says."""
    wait_seconds: int | None
    """What a refusal asks to wait; None if the request passes."""


class Limiter(ABC):
    """Lets `limit` requests pass in `seconds`."""

    def __init__(
        self,
        limit: int = 40,
        seconds: float = 20.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start empty.

        Args:
            limit: How many requests pass.
            seconds: In which time.
            clock: Returns seconds that never go back.
        """
        self.limit = limit
        self.seconds = seconds
        self.clock = clock
        self._lock = Lock()

    def take(self) -> Decision:
        """Count a request, or refuse it."""
        with self._lock:
            return self._take(self.clock())

    @abstractmethod
    def _take(self, now: float) -> Decision:
        """Decide, alone at it."""


class SlidingWindow(Limiter):
    """Lets them pass in any `seconds`, as recorded headers show it.

    The header counts the requests before the one that is answered.
    """

    def __init__(
        self,
        limit: int = 40,
        seconds: float = 20.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start empty; the arguments are those of every limiter."""
        super().__init__(limit, seconds, clock)
        self._passed: deque[float] = deque()

    @override
    def _take(self, now: float) -> Decision:
        passed = self._passed
        while passed and passed[0] + self.seconds <= now:
            passed.popleft()
        used = len(passed)
        if used >= self.limit:
            return Decision(used, _whole(passed[0] + self.seconds - now))
        passed.append(now)
        return Decision(used, None)


class LeakyBucket(Limiter):
    """Holds `limit` requests and drains as many in `seconds`, as is documented.

    The header counts the request that is answered, rounded up.
    """

    _level = 0.0
    _seen = 0.0

    @override
    def _take(self, now: float) -> Decision:
        rate = self.limit / self.seconds
        # Rounded, so that a level of exactly 3 is not taken for a bit above.
        level = round(max(self._level - (now - self._seen) * rate, 0.0), 6)
        over = level + 1 - self.limit
        self._level = level if over > 0 else level + 1
        self._seen = now
        wait = _whole(over / rate) if over > 0 else None
        return Decision(math.ceil(self._level), wait)


class FixedWindows(Limiter):
    """Lets them pass in each window of `seconds`, of which one begins at 0.

    The header counts the request that is answered.
    """

    _number = -1
    _used = 0

    @override
    def _take(self, now: float) -> Decision:
        number = int(now // self.seconds)
        if number != self._number:
            self._number, self._used = number, 0
        if self._used >= self.limit:
            return Decision(self._used, _whole((number + 1) * self.seconds - now))
        self._used += 1
        return Decision(self._used, None)


def _whole(seconds: float) -> int:
    return max(math.ceil(seconds), 1)


LIMITERS: dict[str, type[Limiter]] = {
    "sliding": SlidingWindow,
    "leaky": LeakyBucket,
    "fixed": FixedWindows,
}
