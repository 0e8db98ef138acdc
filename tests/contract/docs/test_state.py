"""The STATE examples of the documents are valid."""

from __future__ import annotations

import copy
import json
from typing import Any

from tap_gorgias.replication import bookmarks
from tap_gorgias.replication.bookmarks import CURSOR_KEYS, NO_WALK, SETTLED_KEYS
from tap_gorgias.replication.walks import OVERLAP
from tap_gorgias.stream_types.replication import IncrementalStream
from tap_gorgias.tap import TapGorgias
from tap_gorgias.timestamps import earlier
from tests.support.documents import blocks, table
from tests.support.memory import CONFIG


def states() -> list[dict[str, Any]]:
    """Return the examples of STATE."""
    return [one for one in map(json.loads, blocks("json")) if "bookmarks" in one]


def test_state_examples_are_what_the_tap_reads_and_writes() -> None:
    """The tap accepts each entry and would write it back unchanged."""
    named: set[str] = set()
    for state in states():
        tap = TapGorgias(config=dict(CONFIG), state=copy.deepcopy(state))
        for name, entry in state["bookmarks"].items():
            stream = tap.streams[name]
            assert isinstance(stream, IncrementalStream)
            assert stream.entry_at_start() == entry
            named |= entry.keys()
    assert named == {*SETTLED_KEYS, *CURSOR_KEYS}


def test_every_key_of_state_is_explained() -> None:
    """Of the entries of all streams, and of a walk."""
    entries = (bookmarks.EVENT_KEYS, bookmarks.STATISTICS_KEYS, NO_WALK)
    known = {"helpdesk", *SETTLED_KEYS, *CURSOR_KEYS}.union(*entries)
    assert {key.strip("`") for key, *_ in table("key", "streams")} == known


def test_the_walk_of_an_example_ends_where_that_of_a_run_would() -> None:
    """At the bookmark minus the overlap."""
    entries = [entry for state in states() for entry in state["bookmarks"].values()]
    floors = [
        (entry["walk"]["floor"], entry["replication_key_value"])
        for entry in entries
        if entry.get("walk", {}).get("floor")
    ]
    assert floors
    assert all(earlier(bookmark, OVERLAP) == floor for floor, bookmark in floors)
