"""Read a state from stdin, edit it, and write it to stdout.

forget STREAM ...       read the streams again, from the start
rewind DATE STREAM ...  set the bookmarks of the streams back to a date
retry STREAM ID ...     request tickets or customers again

It also accepts the output of `meltano state get`.
"""

from __future__ import annotations

import json
import sys
from typing import Any

KEPT = ("replication_key", "query")
"""Keys that do not depend on how far a stream was read."""

ONE_BY_ONE = ("customer_details", "ticket_details", "ticket_messages")
"""The streams that request the tickets or customers in their `retry` first."""


def rewound(entry: dict[str, Any], date: str) -> dict[str, Any]:
    """Return the entry of a stream that was read up to a date."""
    kept = {name: entry[name] for name in KEPT if name in entry}
    return {**kept, "replication_key_value": date}


def edited(document: dict[str, Any], action: str, *words: str) -> dict[str, Any]:
    """Return the state after an action.

    Raises:
        SystemExit: If it has no entry for one of the streams, or none to retry.
    """
    state = document.get("singer_state", document)
    date, streams = (words[0], words[1:]) if action == "rewind" else ("", words)
    if action == "retry":
        streams = words[:1]
        if words[0] not in ONE_BY_ONE:
            message = f"Only these streams can retry: {', '.join(ONE_BY_ONE)}."
            raise SystemExit(message)
    for stream in streams:
        entry = state["bookmarks"].pop(stream, None)
        if entry is None:
            message = f"The state has no entry for `{stream}`."
            raise SystemExit(message)
        if action == "rewind":
            state["bookmarks"][stream] = rewound(entry, date)
        elif action == "retry":
            ids = [*map(int, words[1:]), *(entry["retry"] or [])]
            state["bookmarks"][stream] = {**entry, "retry": ids}
    return document


if __name__ == "__main__":
    arguments = sys.argv[1:]
    needed = {"forget": 2, "retry": 3, "rewind": 3}.get(
        arguments[0] if arguments else ""
    )
    if not needed or len(arguments) < needed:
        raise SystemExit(__doc__)
    sys.stdout.write(json.dumps(edited(json.load(sys.stdin), *arguments)) + "\n")
