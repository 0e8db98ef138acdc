"""Settings and streams in the guide for users of other connectors exist."""

from __future__ import annotations

import re

from tap_gorgias.streams import STREAMS
from tap_gorgias.tap import TapGorgias
from tests.support.documents import OPERATORS, text
from tests.support.memory import CONFIG

HEADING = "\n## Migrate from other taps and connectors\n"
NAME = re.compile(r"`([^`]+)`")


def rows(first_column: str) -> list[list[str]]:
    """Return the rows of the table whose header starts like this."""
    section = text(OPERATORS).partition(HEADING)[2]
    lines = section.partition(f"| {first_column} |")[2].splitlines()[2:]
    cut = next(n for n, line in enumerate(lines) if not line.startswith("|"))
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines[:cut]]


def test_settings_are_those_of_the_tap() -> None:
    """They form a complete config."""
    table = rows("connector")
    assert len(table) >= 6
    for _, theirs, ours in table:
        config = {name: CONFIG.get(name, "2026-01-01") for name in NAME.findall(ours)}
        assert TapGorgias(config=config).settings
        assert len(config) == theirs.count(",") + 1


def test_streams_are_those_of_the_tap() -> None:
    """They cover each stream that another connector also has."""
    table = rows("stream of this tap")
    named = [name for row in table for name in NAME.findall(row[0])]
    assert len(named) == len(set(named))
    assert set(named) <= {stream.name for stream in STREAMS}
    assert all(len(row) == 7 for row in table)
    assert all(any(cell != "-" for cell in row[1:]) for row in table)


def test_names_differ_only_where_the_table_says() -> None:
    """Most streams have the same name in both connectors."""
    differing = {
        (ours[0], name)
        for row in rows("stream of this tap")
        for cell in row[1:]
        for name in NAME.findall(cell)
        if name not in (ours := NAME.findall(row[0]))
    }
    assert differing == {
        ("custom_fields", "custom-fields"),
        ("satisfaction_surveys", "satisfaction-surveys"),
        ("view_items", "views_items"),
    }
