"""The position of a stream: how far it has been read, as an entry in STATE.

    {"replication_key": "updated_datetime",
     "replication_key_value": "2026-10-31T23:54:41.739132Z",
     "walk": {"newest": "2026-11-02T08:00:00.500000Z", "cursor": "WyJuZXh0Ii...",
              "floor": "2026-10-31T23:52:41.739132Z", "reached": null}}

Meltano merges a new state into an old one key by key, at every depth. So an entry
always has all of its keys, null for none. `walk` itself is never null: Meltano fails to
merge an object into null.

`replication_key_value` is the bookmark: every change up to it has been emitted. `walk`
is a walk from the newest row down to `floor` that is unfinished; its values are null if
there is none. A child can stop inside a page of parents. `cursor` is then the cursor of
that page (null: the first), and the parents newer than `reached` are done.

`imports` is the time up to which events have shown which tickets were created.

A list that is read by its cursor has no walk, but the `cursor` of the last page that
was read; null while that is the first page.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tap_gorgias import timestamps
from tap_gorgias.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence


LOG_KEYS = ("replication_key", "replication_key_value")
CURSOR_KEYS = (*LOG_KEYS, "cursor")
STATISTICS_KEYS = (*LOG_KEYS, "query")
FEED_KEYS = (*LOG_KEYS, "walk")
RETRY_KEYS = (*FEED_KEYS, "retry")
TICKET_KEYS = (*RETRY_KEYS, "imports")
EVENT_KEYS = (*LOG_KEYS, "types")
SETTLED_KEYS = (*TICKET_KEYS, "settled", "settling", "since")
"""The keys of an entry in STATE, by the way in which a stream is read."""

TIMESTAMP_KEYS = ("replication_key_value", "since", "settled", "imports")
"""Keys of an entry whose values must be date-times."""

NO_WALK = dict.fromkeys(("newest", "cursor", "floor", "reached"))

MAX_CLOCK_DIFFERENCE = timedelta(minutes=10)

_UNUSABLE = "not usable by this version"


@dataclass(frozen=True)
class Walk:
    """An unfinished walk from the newest row down. All timestamps are rendered."""

    newest: str | None
    """The bookmark once the walk is finished; None if no row had a timestamp yet."""
    cursor: str | None
    """Cursor of the next page; None for the first page, if there is `reached`."""
    floor: str | None
    """Where the walk ends; None at the last page."""
    reached: str | None = None
    """The rows above it are done, if the walk stopped in the middle of a page."""


@dataclass(frozen=True)
class Position:
    """How far a stream has been read."""

    bookmark: str | None = None
    walk: Walk | None = None
    cursor: str | None = None
    """Cursor of the last page, if the list is read by its cursor."""
    imports: str | None = None
    """All tickets that were created up to here have been emitted."""
    retry: tuple[int, ...] = ()
    """Ids of parents that could not be read, to be asked for again."""
    others: Mapping[str, Any] = field(default_factory=dict)
    """The values of further keys of the entry in STATE."""

    def to_state(self, replication_key: str, keys: Sequence[str]) -> dict[str, Any]:
        """Return the entry of a stream in STATE, with all of its keys."""
        values = {
            "replication_key": replication_key,
            "replication_key_value": self.bookmark,
            "walk": walk_to_state(self.walk),
            "cursor": self.cursor,
            "imports": self.imports,
            "retry": list(self.retry) or None,
            **self.others,
        }
        return {key: values.get(key) for key in keys}


def walk_to_state(walk: Walk | None) -> dict[str, str | None]:
    """Return a walk as it is stored in STATE."""
    return dict(NO_WALK) if walk is None else asdict(walk)


def bookmark_from(
    state: Mapping[str, Any], stream: str, key: str = "replication_key_value"
) -> str | None:
    """Read a bookmark from STATE, which any program may have written.

    Returns a rendered timestamp, None if there is no bookmark, and raises `StateError`
    if it is not a date-time.
    """
    value = state.get(key)
    if value is None:
        return None
    try:
        return timestamps.normalized(value)
    except ValueError:
        shown = repr(value)[:80]
        message = (
            f"STATE of stream `{stream}`: the bookmark {shown} is not a date-time. "
            f"Fix or remove `{key}`."
        )
        raise StateError(message) from None


def checked_entries(
    bookmarks: dict[str, Any], known: Container[str]
) -> dict[str, dict[str, Any]]:
    """Return the entries of known streams, without what the SDK leaves in them.

    Raises `StateError` if an entry is no object, or one of its bookmarks no date-time.
    """
    for stream, entry in bookmarks.items():
        if not isinstance(entry, dict):
            message = f"STATE of stream `{stream[:80]}` must be a JSON object."
            raise StateError(message)
        for leftover in ("partitions", "progress_markers"):
            entry.pop(leftover, None)
        for key in TIMESTAMP_KEYS if stream in known else ():
            bookmark_from(entry, stream, key)
    return {stream: entry for stream, entry in bookmarks.items() if stream in known}


def check_not_in_future(entries: Mapping[str, Mapping[str, Any]], now: str) -> None:
    """Raise `StateError` if a bookmark is more than ten minutes ahead of `now`.

    It would hide every change until then. The tap writes none, but another program or a
    user may have written STATE.
    """
    for stream, entry in entries.items():
        for key in TIMESTAMP_KEYS:
            bookmark = bookmark_from(entry, stream, key)
            if bookmark and timestamps.earlier(bookmark, MAX_CLOCK_DIFFERENCE) > now:
                message = (
                    f"STATE of stream `{stream}`: the bookmark {bookmark!r} is in the "
                    "future and would hide all changes until then. Fix or remove "
                    f"`{key}`."
                )
                raise StateError(message)


def walk_from(state: Mapping[str, Any], key: str = "walk") -> Walk | None:
    """Read an unfinished walk from STATE; None if there is none.

    Raises `ValueError` if it is malformed, or has keys that this version does not know.
    """
    saved = state.get(key)
    if saved is None or saved == NO_WALK:
        return None
    known = NO_WALK.keys()
    if isinstance(saved, dict) and {"newest", "floor"} <= saved.keys() <= known:
        dates = [saved.get(name) for name in ("newest", "floor", "reached")]
        newest, floor, reached = (
            None if date is None else timestamps.normalized(date) for date in dates
        )
        cursor = cursor_from(saved)
        if cursor or reached:
            return Walk(newest, cursor, floor, reached)
    raise ValueError(_UNUSABLE)


def cursor_from(state: Mapping[str, Any]) -> str | None:
    """Read the cursor of a page; raises `ValueError` if it cannot be sent."""
    cursor = state.get("cursor")
    if cursor is None:
        return None
    # A lone surrogate cannot be sent.
    text = cursor.encode(errors="ignore").decode() if isinstance(cursor, str) else ""
    if not text or text != cursor:
        raise ValueError(_UNUSABLE)
    return text


def retry_from(state: Mapping[str, Any]) -> tuple[int, ...]:
    """Read the ids of parents that could not be read, without what is no id."""
    ids = state.get("retry")
    known = ids if isinstance(ids, list) else ()
    return tuple(parent for parent in known if type(parent) is int)
