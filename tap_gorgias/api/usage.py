"""What a run read and what it cost."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import astuple, dataclass, replace


@dataclass
class Usage:
    """Counts of one stream, or of all streams."""

    rows: int = 0
    requests: int = 0
    retries: int = 0


class RunSummary:
    """Counts rows, requests and retries of each stream. Safe to use from threads."""

    def __init__(self) -> None:
        self._streams: defaultdict[str, Usage] = defaultdict(Usage)
        self._lock = threading.Lock()

    def count(
        self, stream_name: str, *, rows: int = 0, requests: int = 0, retries: int = 0
    ) -> None:
        """Add to the counts of a stream."""
        with self._lock:
            usage = self._streams[stream_name]
            usage.rows += rows
            usage.requests += requests
            usage.retries += retries

    @property
    def streams(self) -> defaultdict[str, Usage]:
        """The counts of each stream now, a copy: threads may still count."""
        with self._lock:
            counts = {name: replace(usage) for name, usage in self._streams.items()}
        return defaultdict(Usage, counts)

    @property
    def total(self) -> Usage:
        """The sum over all streams."""
        return Usage(*map(sum, zip(*map(astuple, self.streams.values()), strict=True)))
