"""The summary at the end of a run."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tap_gorgias.api.usage import RunSummary, Usage

if TYPE_CHECKING:
    import pytest


def summary() -> RunSummary:
    """Return the summary of a run of two streams."""
    made = RunSummary()
    made.streams["tickets"] = Usage(200, 3, 1, 0.5)
    made.streams["events"].rows += 7
    made.streams["events"].requests += 1
    return made


def test_the_total_adds_up_all_streams() -> None:
    """Every count is included once."""
    assert summary().total == Usage(207, 4, 1, 0.5)


def test_an_empty_run_has_no_costs() -> None:
    """No stream has sent a request."""
    assert RunSummary().total == Usage()


def test_there_is_a_line_for_each_stream_and_one_for_the_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Streams are sorted by name."""
    caplog.set_level(logging.INFO)
    summary().log(logging.getLogger("tests.summary"))
    cost = "{} rows, {} requests, {} s waited for the budget, {} retries."
    assert caplog.messages == [
        f"Summary of events: {cost.format(7, 1, 0.0, 0)}",
        f"Summary of tickets: {cost.format(200, 3, 0.5, 1)}",
        f"Summary of the run: {cost.format(207, 4, 0.5, 1)}",
    ]


def test_the_total_has_no_side_effects(caplog: pytest.LogCaptureFixture) -> None:
    """Computing it twice gives the same result."""
    caplog.set_level(logging.INFO)
    run = summary()
    assert run.total == run.total
    run.log(logging.getLogger("tests.summary"))
    assert run.streams.keys() == {"tickets", "events"}
