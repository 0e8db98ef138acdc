"""Reads the STATE that version 0.1.0 wrote.

There a child had no walk of its own. While a walk of its parent was unfinished, the
child's entry held `parent_walk`, the `newest` of that walk. The parent's entry held
`emitted`, the bookmark of its own records, if it had been walked for its children only,
and `emitting`, false, if its own records did not go out in the unfinished walk.

The bookmark of `ticket_messages` was a moment in the order of the tickets' changes, and
its own walk, while there was one, had such a moment for its `newest`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tap_gorgias import timestamps

if TYPE_CHECKING:
    from collections.abc import Mapping

    Entry = Mapping[str, Any]

PARENTS = {
    "ticket_details": "tickets",
    "ticket_messages": "tickets",
    "customer_details": "customers",
}
BOOKMARK = "replication_key_value"
MESSAGE_MOVES_TICKET_WITHIN = timedelta(hours=1)
"""A message moves its ticket within a second of its own date (recorded)."""
OVERLAP = timedelta(minutes=2)
"""How far behind its bookmark version 0.1.0 read a feed again."""


def upgraded(bookmarks: Mapping[str, Entry]) -> dict[str, Entry]:
    """Turn entries of version 0.1.0 into those of this version.

    Args:
        bookmarks: Of each stream its entry in STATE.

    Returns:
        The same for this version; entries that it wrote are left as they are.
    """
    new = dict(bookmarks)
    for child, parent in PARENTS.items():
        if child in bookmarks:
            entry = _with_own_walk(bookmarks[child], bookmarks.get(parent, {}))
            is_old = child == "ticket_messages" and "settled" not in entry
            new[child] = _settled(entry) if is_old else entry
    for parent in set(PARENTS.values()):
        if parent in bookmarks:
            new[parent] = _for_own_records(bookmarks[parent])
    return new


def _with_own_walk(entry: Entry, parent: Entry) -> Entry:
    """Give a child the parent's walk, if it has followed that from its beginning."""
    if "parent_walk" not in entry:
        return entry
    own = {key: value for key, value in entry.items() if key != "parent_walk"}
    walk = parent.get("walk")
    if not isinstance(walk, dict) or walk.get("newest") != entry["parent_walk"]:
        return own
    bookmark, since = entry.get(BOOKMARK), entry.get("since")
    if bookmark is None:
        return {**own, "walk": walk}
    floor = timestamps.earlier(timestamps.normalized(bookmark), OVERLAP)
    if since is not None:
        floor = min(floor, timestamps.normalized(since))
    return {**own, "walk": {**walk, "floor": floor}}


def _settled(entry: Entry) -> Entry:
    """Part the list of messages from the tickets that were asked one by one."""
    own = {key: value for key, value in entry.items() if key not in {"walk", BOOKMARK}}
    walk = entry.get("walk")
    bookmark = entry.get(BOOKMARK)
    if bookmark is not None:
        settled = {**own, "settled": bookmark, BOOKMARK: _in_list(bookmark)}
        return settled if walk is None else {**settled, "settling": walk}
    if not isinstance(walk, dict) or "newest" not in walk:
        return own
    newest, since = walk["newest"], walk.get("floor")
    marks = (
        {"settled": newest} if since is None else {"settled": newest, "since": since}
    )
    return {**own, **marks, "walk": {**walk, "newest": newest and _in_list(newest)}}


def _in_list(moment: str) -> str:
    """Turn a ticket's change into a date down to which all messages are out."""
    exact = timestamps.normalized(moment)
    return timestamps.earlier(exact, MESSAGE_MOVES_TICKET_WITHIN)


def _for_own_records(entry: Entry) -> Entry:
    """Let the position of a parent be that of its own records."""
    own = {
        key: value for key, value in entry.items() if key not in {"emitted", "emitting"}
    }
    if "emitted" in entry:
        own[BOOKMARK] = entry["emitted"]
    if entry.get("emitting") is False:
        own.pop("walk", None)
    return own
