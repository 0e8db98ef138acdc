"""Progress messages of streams that take long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_gorgias import timestamps

if TYPE_CHECKING:
    import logging

    from tap_gorgias.replication.bookmarks import Position
    from tap_gorgias.run.context import Run

SECONDS_BETWEEN_LINES = 30.0


class ProgressLogger:
    """Logs how far a stream has been read, at most every 30 seconds.

    Args:
        run: The run, for its clock, counts and budget.
        stream_name: Name of the stream.
        logger: The logger.
    """

    def __init__(self, run: Run, stream_name: str, logger: logging.Logger) -> None:
        self._run = run
        self._stream_name = stream_name
        self._logger = logger
        self._logged_at = run.clock.monotonic()
        self._logged_requests = 0

    @property
    def is_due(self) -> bool:
        """Whether it is time for the next message."""
        elapsed = self._run.clock.monotonic() - self._logged_at
        return elapsed >= SECONDS_BETWEEN_LINES

    def log(self, reached: str | None = None, position: Position | None = None) -> None:
        """Log a message.

        Args:
            reached: Timestamp of the last row; None if rows have no order.
            position: The position that was reached.
        """
        now = self._run.clock.monotonic()
        usage = self._run.summary.streams[self._stream_name]
        new_requests = usage.requests - self._logged_requests
        rate = new_requests / (now - self._logged_at)
        parts = [f"{usage.rows} rows"]
        if reached is not None:
            is_newest_first = position is not None and position.walk is not None
            parts.append(f"{'back' if is_newest_first else 'up'} to {reached[:19]}Z")
        if reached is not None and position is not None:
            parts += _remaining(reached, position)
        parts += [f"{usage.requests} requests", f"{rate:.1f} a second"]
        if call_limit := self._run.client.limiter.call_limit:
            count = f"{call_limit.used}/{call_limit.limit}"
            parts.append(
                f"budget used {count} in the last {call_limit.window_seconds:.0f} s"
            )
        self._logger.info("Progress: %s.", ", ".join(parts))
        self._logged_at, self._logged_requests = now, usage.requests


def _remaining(reached: str, position: Position) -> list[str]:
    walk = position.walk
    if walk is None or walk.newest is None or walk.floor is None:
        return []
    newest, floor, current = map(timestamps.parse, (walk.newest, walk.floor, reached))
    if floor >= newest:
        return []
    fraction = min(max((current - floor) / (newest - floor), 0.0), 1.0)
    return [f"{fraction:.0%} of the time since {walk.floor[:10]} left"]
