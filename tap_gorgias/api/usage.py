"""What a run did and what it cost, told at its end."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from tap_gorgias.compat import override

if TYPE_CHECKING:
    import logging


@dataclass
class Usage:
    """Counts of one stream, or of all."""

    rows: int = 0
    requests: int = 0
    retries: int = 0
    waited_seconds: float = 0.0

    @override
    def __str__(self) -> str:
        """Read as one phrase of a log line."""
        return (
            f"{self.rows} rows, {self.requests} requests, "
            f"{self.waited_seconds:.1f} s waited for the budget, "
            f"{self.retries} retries"
        )


class RunSummary:
    """Counts rows, requests, retries and waiting for each stream."""

    def __init__(self) -> None:
        """Start from zero."""
        self.streams: defaultdict[str, Usage] = defaultdict(Usage)
        self._lock = threading.Lock()

    def count(self, stream: str, **amounts: float) -> None:
        """Add to a stream's counts, from any thread.

        Args:
            stream: Its name.
            amounts: What to add, by the names of the counts.
        """
        with self._lock:
            usage = self.streams[stream]
            for name, amount in amounts.items():
                setattr(usage, name, getattr(usage, name) + amount)

    @property
    def total(self) -> Usage:
        """The sum over all streams."""
        return Usage(
            *(
                sum(getattr(usage, count.name) for usage in self.streams.values())
                for count in fields(Usage)
            )
        )

    def log(self, logger: logging.Logger) -> None:
        """Write a line for each stream that asked for something, and one for all.

        Args:
            logger: Where the lines go.
        """
        for name, usage in sorted(self.streams.items()):
            logger.info("Summary of %s: %s.", name, usage)
        logger.info("Summary of the run: %s.", self.total)
