"""A run tells at its end what it did and what it cost."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tap_gorgias.api.usage import RunSummary, Usage

if TYPE_CHECKING:
    import pytest


def summary() -> RunSummary:
    """Make the summary of a run of two streams."""
    made = RunSummary()
    made.streams["tickets"] = Usage(200, 3, 1, 0.5)
    made.streams["events"].rows += 7
    made.streams["events"].requests += 1
    return made


def test_the_total_adds_up_all_streams() -> None:
    """Every count, none twice."""
    assert summary().total == Usage(207, 4, 1, 0.5)


def test_a_run_of_nothing_cost_nothing() -> None:
    """No stream asked for anything."""
    assert RunSummary().total == Usage()


def test_there_is_a_line_for_each_stream_and_one_for_the_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Streams in the order of their names."""
    caplog.set_level(logging.INFO)
    summary().log(logging.getLogger("tests.summary"))
    cost = "{} rows, {} requests, {} s waited for the budget, {} retries."
    assert caplog.messages == [
        f"Summary of events: {cost.format(7, 1, 0.0, 0)}",
        f"Summary of tickets: {cost.format(200, 3, 0.5, 1)}",
        f"Summary of the run: {cost.format(207, 4, 0.5, 1)}",
    ]


def test_the_total_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Asking twice gives the same."""
    caplog.set_level(logging.INFO)
    run = summary()
    assert run.total == run.total
    run.log(logging.getLogger("tests.summary"))
    assert run.streams.keys() == {"tickets", "events"}
