"""The summary of a run: a table of its streams, and a line for the run."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from tap_gorgias.errors import ApiError, IncompleteError
from tap_gorgias.run.progress import duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_gorgias.run.context import Run

WIDTH = 80
MAX_NAME = 32


def summary_of(run: Run) -> str:
    """Return the table, which counts what signing in cost; empty if nothing was read.

    Then the error says it all.
    """
    runner, total, counts = run.runner, run.summary.total, run.summary.streams
    if not runner or not (total.rows or runner.completed or runner.failures):
        return ""
    rows = []
    for name in sorted({*runner.names, *counts}):
        result = "not finished" if name in runner.names else ""
        if name in runner.failures:
            result = f"failed: {_cause_of(runner.failures[name])}"
        elif name in runner.completed:
            result = "complete"
        rows.append((name, counts[name].rows, counts[name].requests, result))
    spent = duration(run.progress.seconds)
    held_back = duration(run.client.limiter.held_back_seconds)
    end = (
        f"{len(runner.names)} streams, {total.rows} rows, {total.requests} requests, "
        f"{total.retries} retries in {spent} ({held_back} at the rate limit)"
    )
    return "\n".join(["Summary of the run:", *table(rows), *textwrap.wrap(end, WIDTH)])


def table(rows: Sequence[tuple[str, int, int, str]]) -> Iterator[str]:
    """Format rows as a table with lines of at most 80 characters."""
    head = ("stream", "rows", "requests", "result")
    width = min(max(len(row[0]) for row in (head, *rows)), MAX_NAME)
    lines = [
        f"{shortened(name, width):<{width}}  {count:>10}  {requests:>8}  {result}"
        for name, count, requests, result in (head, *rows)
    ]
    rule = "-" * WIDTH
    for line in (lines[0], rule, *lines[1:], rule):
        yield shortened(line, WIDTH)


def _cause_of(error: Exception) -> str:
    """Return the cause of a failure in a few words; its line in the log says more."""
    if isinstance(error, ApiError):
        return f"answered {error.status}" if error.status else "no usable answer"
    return "incomplete" if isinstance(error, IncompleteError) else "see above"


def shortened(text: str, width: int) -> str:
    """Return at most so many characters of a text."""
    return text if len(text) <= width else f"{text[: width - 3]}..."
