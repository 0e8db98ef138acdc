"""Settings and streams in the guide for users of other connectors exist."""

from __future__ import annotations

import re

from tap_gorgias.streams import STREAMS
from tap_gorgias.tap import TapGorgias
from tests.support.documents import table
from tests.support.memory import CONFIG

NAME = re.compile(r"`([^`]+)`")


def test_settings_are_those_of_the_tap() -> None:
    """They form a complete config."""
    rows = table("connector", "its settings")
    assert len(rows) >= 6
    for _, theirs, ours in rows:
        config = {name: CONFIG.get(name, "2026-01-01") for name in NAME.findall(ours)}
        assert TapGorgias(config=config).settings
        assert len(config) == theirs.count(",") + 1


def test_streams_are_those_of_the_tap() -> None:
    """They cover each stream that another connector also has."""
    rows = table("stream of this tap")
    named = [name for row in rows for name in NAME.findall(row[0])]
    assert len(named) == len(set(named))
    assert set(named) <= {stream.name for stream in STREAMS}
    assert all(len(row) == 7 for row in rows)
    assert all(any(cell != "-" for cell in row[1:]) for row in rows)


def test_names_differ_only_where_the_table_says() -> None:
    """Most streams have the same name in both connectors."""
    differing = {
        (ours[0], name)
        for row in table("stream of this tap")
        for cell in row[1:]
        for name in NAME.findall(cell)
        if name not in (ours := NAME.findall(row[0]))
    }
    assert differing == {
        ("custom_fields", "custom-fields"),
        ("satisfaction_surveys", "satisfaction-surveys"),
        ("view_items", "views_items"),
    }
