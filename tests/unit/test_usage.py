"""Tests of the summary at the end of a run."""

from __future__ import annotations

import pytest

from tap_gorgias.api.usage import RunSummary, Usage
from tap_gorgias.compat import override


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


@pytest.mark.parametrize(
    ("waits", "expected"),
    [
        ([], 0),
        ([(0, 3)], 3),
        ([(0, 3), (5, 6)], 4),
        ([(0, 3), (1, 4)], 4),
        ([(5, 6), (0, 7)], 7),
        ([(0, 1), (2, 3), (4, 5), (0, 6)], 6),
        ([(2 * n, 2 * n + 1) for n in range(500)], 500),
    ],
)
def test_time_during_which_several_streams_wait_counts_once(
    waits: list[tuple[float, float]], expected: float
) -> None:
    """So the run is never held back for longer than it takes."""
    now = 0.0
    run = RunSummary(lambda: now)
    for start, end in waits:
        now = end
        run.count("tickets", requests=1, waited_seconds=end - start)

    assert run.held_back_seconds == expected
    assert run.seconds == max((end for _, end in waits), default=0)


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
