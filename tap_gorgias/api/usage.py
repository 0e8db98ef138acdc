"""What a run read and what it cost."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_SEPARATE_WAITS = 100
"""Older waits are taken for ended: no request waits longer than the others together."""


@dataclass
class Usage:
    """Counts of one stream, or of all streams."""

    rows: int = 0
    requests: int = 0
    retries: int = 0
    waited_seconds: float = 0.0


class RunSummary:
    """Counts rows, requests, retries and waiting time of each stream."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._began_at = monotonic()
        self._waits: list[tuple[float, float]] = []
        self._waited_before = 0.0
        self._streams: defaultdict[str, Usage] = defaultdict(Usage)
        self._lock = threading.Lock()

    @property
    def streams(self) -> defaultdict[str, Usage]:
        """The counts of each stream now, a copy: threads may still count."""
        with self._lock:
            counts = {name: replace(usage) for name, usage in self._streams.items()}
        return defaultdict(Usage, counts)

    def count(
        self,
        stream_name: str,
        *,
        rows: int = 0,
        requests: int = 0,
        retries: int = 0,
        waited_seconds: float = 0.0,
    ) -> None:
        """Add to the counts of a stream. Thread-safe."""
        with self._lock:
            usage = self._streams[stream_name]
            usage.rows += rows
            usage.requests += requests
            usage.retries += retries
            usage.waited_seconds += waited_seconds
            if waited_seconds:
                self._add_wait(waited_seconds)

    @property
    def seconds(self) -> float:
        """How long the run has taken so far."""
        return self._monotonic() - self._began_at

    @property
    def held_back_seconds(self) -> float:
        """How long at least one request waited for the rate limit."""
        with self._lock:
            return self._waited_before + sum(end - start for start, end in self._waits)

    def _add_wait(self, seconds: float) -> None:
        """Add a wait that ends now to the union of all waits."""
        end = self._monotonic()
        start = end - seconds
        while self._waits and self._waits[-1][1] >= start:
            start = min(start, self._waits.pop()[0])
        self._waits.append((start, end))
        if len(self._waits) > MAX_SEPARATE_WAITS:
            first_start, first_end = self._waits.pop(0)
            self._waited_before += first_end - first_start

    @property
    def total(self) -> Usage:
        """The sum over all streams."""
        usages = self.streams.values()
        return Usage(
            *(sum(getattr(one, name) for one in usages) for name in vars(Usage()))
        )
