"""The summary of a run fits into a terminal."""

from __future__ import annotations

import pytest

from tap_gorgias.run.progress import duration
from tap_gorgias.run.report import table
from tests.support.logs import summary_of

ROWS = [
    ("events", 98_765_432, 1_234_567, "failed: answered 403"),
    ("sign-in", 0, 1, ""),
    ("statistics_" + "long_" * 20, 7, 12, "complete"),
    ("tickets", 600, 6, "failed: " + "no " * 50),
]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (51.4, "51 s"),
        (119, "119 s"),
        (121, "2 min"),
        (7_190, "120 min"),
        (7_260, "2 h 1 min"),
        (86_399, "24 h 0 min"),
        (172_800, "2 d 0 h"),
        (275_000, "3 d 4 h"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds: float, text: str) -> None:
    """The smaller one would not be exact in an estimate anyway."""
    assert duration(seconds) == text


def test_the_table_is_aligned_and_fits() -> None:
    """Whatever the names, counts and results are."""
    lines = list(table(ROWS))
    head, rule, *rows, last = lines

    assert max(map(len, lines)) <= 80
    end = head.index("requests") + len("requests")
    assert {line[end : end + 2] for line in (head, *rows)} <= {"  "}
    assert not any(line[end - 1].isspace() for line in (head, *rows))
    assert set(rule) == set(last) == {"-"}
    assert summary_of("Summary of the run:\n" + "\n".join(lines))["events"] == (
        98_765_432,
        1_234_567,
        "failed: answered 403",
    )
