"""The STATE examples in docs/operators.md are valid."""

from __future__ import annotations

import json
from typing import Any

from tap_gorgias.replication.bookmarks import (
    Position,
    bookmark_from,
    cursor_from,
    walk_from,
)
from tap_gorgias.stream_types.replication import CursorStream, IncrementalStream
from tap_gorgias.streams import STREAMS
from tap_gorgias.streams.messages import TicketMessagesStream
from tap_gorgias.tap import TapGorgias
from tests.support.documents import OPERATORS, blocks
from tests.support.memory import CONFIG

BY_NAME = {stream.name: stream for stream in STREAMS}
EXTRA_KEYS: dict[str, type] = {
    "cursor": CursorStream,
    "imports": IncrementalStream,
    "settled": TicketMessagesStream,
    "settling": TicketMessagesStream,
    "since": TicketMessagesStream,
}


def states() -> list[dict[str, Any]]:
    """Return the examples of STATE."""
    return [
        one for one in map(json.loads, blocks("json", OPERATORS)) if "bookmarks" in one
    ]


def test_state_examples_are_what_the_tap_reads_and_writes() -> None:
    """The tap accepts each entry and would write it back unchanged."""
    named = set()
    for state in states():
        TapGorgias(config=dict(CONFIG), state=state)
        for name, entry in state["bookmarks"].items():
            stream = BY_NAME[name]
            assert entry["replication_key"] == stream.replication_key
            extra = entry.keys() & EXTRA_KEYS.keys()
            assert all(issubclass(stream, EXTRA_KEYS[key]) for key in extra)
            named |= extra
            position = Position(
                bookmark_from(entry, name), walk_from(entry, None), cursor_from(entry)
            )
            beside = {key: entry[key] for key in extra - {"cursor"}}
            written = {**position.to_state(str(stream.replication_key)), **beside}
            assert written == entry
    assert named == EXTRA_KEYS.keys()
