"""Tests of the summary at the end of a run."""

from __future__ import annotations

from tap_gorgias.api.usage import RunSummary, Usage
from tap_gorgias.compat import override


def test_counts_add_up_for_each_stream_and_in_total() -> None:
    """Each call adds to the counts that it names."""
    summary = RunSummary()
    assert summary.total == Usage()
    summary.count("tickets", rows=200, requests=2, retries=1)
    summary.count("tickets", requests=1)
    summary.count("events", rows=7, requests=1)
    assert summary.streams["tickets"] == Usage(200, 3, 1)
    assert summary.total == Usage(207, 4, 1)


def test_streams_may_still_count_while_the_total_is_computed() -> None:
    """Threads of an interrupted run do; the summary must not replace its end."""
    run = RunSummary()
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

    assert run.total == Usage(rows=3)
    assert run.streams["users"] == Usage(requests=1)
