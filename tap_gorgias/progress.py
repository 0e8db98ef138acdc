"""How far a long read has come, told now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_gorgias import timestamps

if TYPE_CHECKING:
    import logging

    from tap_gorgias.positions import Position
    from tap_gorgias.run import Run

SECONDS_BETWEEN_LINES = 30.0


class Progress:
    """Writes a line for a stream at most every 30 seconds."""

    def __init__(self, run: Run, stream: str, logger: logging.Logger) -> None:
        """Begin to watch a stream.

        Args:
            run: Whose clock, counts and budget to look at.
            stream: Name of the stream.
            logger: Where the lines go.
        """
        self._run = run
        self._stream = stream
        self._logger = logger
        self._told_at = run.clock.monotonic()
        self._requests_told = 0

    @property
    def due(self) -> bool:
        """Whether it is time for a line."""
        waited = self._run.clock.monotonic() - self._told_at
        return waited >= SECONDS_BETWEEN_LINES

    def tell(
        self, reached: str | None = None, position: Position | None = None
    ) -> None:
        """Write a line.

        Args:
            reached: Moment of the last row, rendered; None if rows have no order.
            position: How far the stream is read.
        """
        now = self._run.clock.monotonic()
        usage = self._run.summary.streams[self._stream]
        rate = (usage.requests - self._requests_told) / (now - self._told_at)
        parts = [f"{usage.rows} rows"]
        if reached is not None:
            downwards = position is not None and position.walk is not None
            parts.append(f"{'back' if downwards else 'up'} to {reached[:19]}Z")
        if reached is not None and position is not None:
            parts += _left(reached, position)
        parts += [f"{usage.requests} requests", f"{rate:.1f} a second"]
        if call_limit := self._run.client.budget.call_limit:
            parts.append(f"budget used {call_limit}")
        self._logger.info("Progress: %s.", ", ".join(parts))
        self._told_at, self._requests_told = now, usage.requests


def _left(reached: str, position: Position) -> list[str]:
    walk = position.walk
    if walk is None or walk.newest is None or walk.floor is None:
        return []
    newest, floor, here = map(timestamps.parse, (walk.newest, walk.floor, reached))
    if not floor < newest:
        return []
    share = min(max((here - floor) / (newest - floor), 0.0), 1.0)
    return [f"{share:.0%} of the time since {walk.floor[:10]} left"]
