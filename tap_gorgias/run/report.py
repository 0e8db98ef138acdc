"""The summary of a run: a table of its streams, and a line for the run."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, NamedTuple

from tap_gorgias.errors import short_cause
from tap_gorgias.run.progress import duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_gorgias.api.usage import Usage
    from tap_gorgias.run.context import Run

WIDTH = 80
MAX_NAME = 32


class StreamResult(NamedTuple):
    """What a run brought of a stream."""

    stream: str
    rows: int
    requests: int
    result: str
    """A few words, such as `complete`."""


def summary_of(run: Run) -> str:
    """Return the table, which counts what signing in cost; empty if nothing was read.

    Then the error says it all.
    """
    runner, total = run.runner, run.summary.total
    if not runner or not (total.rows or runner.completed or runner.failures):
        return ""
    counts = run.summary.streams
    results = []
    for name in sorted({*runner.names, *counts}):
        result = "not finished" if name in runner.names else ""
        if name in runner.failures:
            result = f"failed: {short_cause(runner.failures[name])}"
        elif name in runner.completed:
            result = "complete"
        usage = counts[name]
        results.append(StreamResult(name, usage.rows, usage.requests, result))
    lines = lines_of(
        results,
        total,
        seconds=run.progress.seconds,
        held_back_seconds=run.client.limiter.held_back_seconds,
    )
    return "\n".join(["Summary of the run:", *lines])


def lines_of(
    results: Sequence[StreamResult],
    total: Usage,
    *,
    seconds: float,
    held_back_seconds: float,
) -> Iterator[str]:
    """Format the results as a table with lines of at most 80 characters."""
    names = [result.stream for result in results]
    width = min(max(map(len, ["stream", *names])), MAX_NAME)
    yield _row(width, "stream", "rows", "requests", "result")
    yield "-" * WIDTH
    for result in results:
        yield _row(width, *map(str, result))
    yield "-" * WIDTH
    streams = sum(bool(result.result) for result in results)
    counts = f"{streams} streams, {total.rows} rows, {total.requests} requests"
    retries = f"{total.retries} retries"
    time = f"{duration(seconds)} ({duration(held_back_seconds)} at the rate limit)"
    yield from textwrap.wrap(f"{counts}, {retries} in {time}", WIDTH)


def _row(width: int, name: str, rows: str, requests: str, result: str) -> str:
    line = f"{shortened(name, width):<{width}}  {rows:>10}  {requests:>8}  {result}"
    return shortened(line, WIDTH)


def shortened(text: str, width: int) -> str:
    """Return at most so many characters of a text."""
    return text if len(text) <= width else f"{text[: width - 3]}..."
