"""Convert the STATE of version 0.1.0.

There a child had no walk of its own. While a walk of its parent was unfinished, the
child's entry held `parent_walk`, the `newest` of that walk. The parent's entry held
`emitted`, the bookmark of its own records, if it had been walked for its children only,
and `emitting`, false, if the unfinished walk did not emit its own records.

The bookmark of `ticket_messages` was a timestamp in the order of ticket changes, and so
was the `newest` of its unfinished walk.
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
MESSAGE_UPDATES_TICKET_WITHIN = timedelta(hours=1)
"""A message updates its ticket within a second of its own date (recorded)."""
OVERLAP = timedelta(minutes=2)
"""How far behind its bookmark version 0.1.0 read a feed again."""


def upgraded(bookmarks: Mapping[str, Entry]) -> dict[str, Entry]:
    """Convert entries of version 0.1.0.

    Args:
        bookmarks: The entries of STATE by stream.

    Returns:
        The entries for this version; those that it wrote itself are unchanged.
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
    """Give a child the walk of its parent, if it took part from the start."""
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
    """Separate the list of messages from the tickets that were settled."""
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


def _in_list(change: str) -> str:
    """Return the date up to which all messages of tickets have been emitted."""
    return timestamps.earlier(
        timestamps.normalized(change), MESSAGE_UPDATES_TICKET_WITHIN
    )


def _for_own_records(entry: Entry) -> Entry:
    """Make the position of a parent that of its own records."""
    own = {
        key: value for key, value in entry.items() if key not in {"emitted", "emitting"}
    }
    if "emitted" in entry:
        own[BOOKMARK] = entry["emitted"]
    if entry.get("emitting") is False:
        own.pop("walk", None)
    return own
