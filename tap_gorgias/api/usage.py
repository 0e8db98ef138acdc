"""What a run read and what it cost, logged at its end."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tap_gorgias.compat import override

if TYPE_CHECKING:
    import logging


@dataclass
class Usage:
    """Counts of one stream, or of all streams."""

    rows: int = 0
    requests: int = 0
    retries: int = 0
    waited_seconds: float = 0.0

    @override
    def __str__(self) -> str:
        """Return the counts as part of a log line."""
        return (
            f"{self.rows} rows, {self.requests} requests, "
            f"{self.waited_seconds:.1f} s waited for the budget, "
            f"{self.retries} retries"
        )


class RunSummary:
    """Counts rows, requests, retries and waiting time of each stream."""

    def __init__(self) -> None:
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
        """Add to the counts of a stream. Thread-safe.

        Args:
            stream_name: Name of the stream.
            rows: Rows that were read.
            requests: Requests that were sent, including retries.
            retries: Requests that were sent again after a failure.
            waited_seconds: Time that requests waited for the budget.
        """
        with self._lock:
            usage = self._streams[stream_name]
            usage.rows += rows
            usage.requests += requests
            usage.retries += retries
            usage.waited_seconds += waited_seconds

    @property
    def total(self) -> Usage:
        """The sum over all streams."""
        usages = self.streams.values()
        return Usage(
            sum(usage.rows for usage in usages),
            sum(usage.requests for usage in usages),
            sum(usage.retries for usage in usages),
            sum(usage.waited_seconds for usage in usages),
        )

    def log(self, logger: logging.Logger) -> None:
        """Log a line for each stream with counts, and one for the run.

        Args:
            logger: The logger.
        """
        for name, usage in sorted(self.streams.items()):
            logger.info("Summary of %s: %s.", name, usage)
        logger.info("Summary of the run: %s.", self.total)
