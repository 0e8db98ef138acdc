"""The summary of a run: a table of its streams, and a line for the run."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, NamedTuple

from tap_gorgias.errors import short_cause

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_gorgias.api.usage import RunSummary, Usage
    from tap_gorgias.run.runner import StreamRunner

WIDTH = 80
MAX_NAME = 32
_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60


class StreamResult(NamedTuple):
    """What a run brought of a stream."""

    stream: str
    rows: int
    requests: int
    result: str
    """A few words, such as `complete`."""


def results_of(summary: RunSummary, runner: StreamRunner) -> list[StreamResult]:
    """Return the result of each stream by name, and what signing in cost."""
    counts = summary.streams
    results = []
    for name in sorted({*runner.names, *counts}):
        failure = runner.failures.get(name)
        if failure is not None:
            result = f"failed: {short_cause(failure)}"
        elif name in runner.completed:
            result = "complete"
        else:
            result = "not finished" if name in runner.names else ""
        rows, requests = counts[name].rows, counts[name].requests
        results.append(StreamResult(name, rows, requests, result))
    return results


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
        rows, requests = str(result.rows), str(result.requests)
        yield _row(width, result.stream, rows, requests, result.result)
    yield "-" * WIDTH
    streams = sum(bool(result.result) for result in results)
    counts = f"{streams} streams, {total.rows} rows, {total.requests} requests"
    retries = f"{total.retries} retries"
    time = f"{duration(seconds)} ({duration(held_back_seconds)} at the rate limit)"
    yield from textwrap.wrap(f"{counts}, {retries} in {time}", WIDTH)


def duration(seconds: float) -> str:
    """Return a duration in its one or two largest units, for example `1 h 20 min`."""
    whole = round(seconds)
    if whole < 2 * _MINUTE:
        return f"{whole} s"
    if whole < 2 * _HOUR:
        return f"{round(whole / _MINUTE)} min"
    large, small = (_DAY, _HOUR) if whole >= 2 * _DAY else (_HOUR, _MINUTE)
    units = ("d", "h") if large == _DAY else ("h", "min")
    first, rest = divmod(round(whole / small) * small, large)
    return f"{first} {units[0]} {rest // small} {units[1]}"


def _row(width: int, name: str, rows: str, requests: str, result: str) -> str:
    line = f"{shortened(name, width):<{width}}  {rows:>10}  {requests:>8}  {result}"
    return shortened(line, WIDTH)


def shortened(text: str, width: int) -> str:
    """Return at most so many characters of a text."""
    return text if len(text) <= width else f"{text[: width - 3]}..."
