"""The rate limit: a bucket that leaks."""

from __future__ import annotations

import math
import time
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Bucket:
    """Holds `limit` requests, and drains as many in `period_seconds`."""

    def __init__(
        self,
        limit: int = 40,
        period_seconds: float = 20.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start with an empty bucket.

        Args:
            limit: How many requests it holds.
            period_seconds: How long a full bucket takes to drain.
            clock: Returns seconds that never go back.
        """
        self.limit = limit
        self.clock = clock
        self._rate = limit / period_seconds
        self._level = 0.0
        self._seen: float | None = None
        self._lock = Lock()

    @property
    def level(self) -> float:
        """How many requests the bucket holds now."""
        with self._lock:
            return self._drained()

    def take(self) -> int | None:
        """Add a request; return the seconds to wait if there is no room for it."""
        with self._lock:
            level = self._drained()
            if level + 1 > self.limit:
                return max(math.ceil((level + 1 - self.limit) / self._rate), 1)
            self._level = level + 1
            return None

    def usage(self) -> str:
        """Return how full the bucket is, as the API's header says it."""
        return f"{math.ceil(self.level)}/{self.limit}"

    def _drained(self) -> float:
        """Let out what leaked since the last look."""
        now = self.clock()
        passed = 0.0 if self._seen is None else now - self._seen
        self._seen = now
        # Rounded, so that a level of exactly 3 is not taken for a bit above.
        self._level = round(max(self._level - passed * self._rate, 0.0), 6)
        return self._level
