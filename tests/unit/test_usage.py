"""Tests of the summary at the end of a run."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tap_gorgias.api.usage import RunSummary, Usage
from tap_gorgias.compat import override

if TYPE_CHECKING:
    import pytest


def summary() -> RunSummary:
    """Return the summary of a run of two streams."""
    summary = RunSummary()
    summary.count("tickets", rows=200, requests=2, retries=1, waited_seconds=0.5)
    summary.count("tickets", requests=1)
    summary.count("events", rows=7, requests=1)
    return summary


def test_counts_of_a_stream_add_up() -> None:
    """Each call adds to the counts that it names."""
    assert summary().streams["tickets"] == Usage(200, 3, 1, 0.5)


def test_the_total_adds_up_all_streams() -> None:
    """Each count exactly once."""
    assert summary().total == Usage(207, 4, 1, 0.5)


def test_the_total_of_no_streams_is_zero() -> None:
    """If no stream sent a request."""
    assert RunSummary().total == Usage()


def test_there_is_a_line_for_each_stream_and_one_for_the_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Streams are in alphabetical order."""
    caplog.set_level(logging.INFO)
    summary().log(logging.getLogger("tests.summary"))
    cost = "{} rows, {} requests, {} s waited for the budget, {} retries."
    assert caplog.messages == [
        f"Summary of events: {cost.format(7, 1, 0.0, 0)}",
        f"Summary of tickets: {cost.format(200, 3, 0.5, 1)}",
        f"Summary of the run: {cost.format(207, 4, 0.5, 1)}",
    ]


def test_the_summary_can_be_logged_repeatedly(caplog: pytest.LogCaptureFixture) -> None:
    """It does not change the counts."""
    caplog.set_level(logging.INFO)
    run = summary()
    assert run.total == run.total
    run.log(logging.getLogger("tests.summary"))
    assert run.streams.keys() == {"tickets", "events"}


def test_streams_may_still_count_while_the_total_is_computed() -> None:
    """Threads of an interrupted run do; the summary must not replace its end."""
    run = summary()
    late: list[str] = []

    class Rows(int):
        """A number during whose addition another stream begins to count."""

        @override
        def __radd__(self, other: int) -> int:
            if late:
                run.count(late.pop(), requests=1)
            return Rows(other + int(self))

    run.count("customers", rows=Rows(3))
    late.append("users")

    assert run.total == Usage(210, 4, 1, 0.5)
    assert run.streams["users"] == Usage(requests=1)
