"""How far a stream has been read: what STATE holds for it, and reading that back.

    {"replication_key": "updated_datetime",
     "replication_key_value": "2026-10-31T23:54:41.739132Z",
     "walk": {"newest": "2026-11-02T08:00:00.500000Z", "cursor": "WyJuZXh0Ii...",
              "floor": "2026-10-31T23:52:41.739132Z"}}

`replication_key_value` is the bookmark: every change up to it has been emitted. `walk`
is there only while a walk from the newest row down to `floor` is unfinished. A child
may stop in the middle of a page of parents: the rows above `reached` are done then, and
`cursor` is that of the page, null for the first one.

`imports` says up to when the creation of tickets has been followed in the events.

A list that is read by its cursor has, in place of a walk, the `cursor` of the last page
that was read; none while that is the first page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tap_gorgias import timestamps
from tap_gorgias.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Mapping


MOMENT_KEYS = ("replication_key_value", "emitted", "since", "settled", "imports")
"""What in an entry has to be a date-time."""

WALK_KEYS = {"newest", "cursor", "floor", "reached"}

CLOCKS_DIFFER_AT_MOST = timedelta(days=1)


class UnusableWalkError(ValueError):
    """A saved walk that this version cannot go on with."""


class UnusableCursorError(ValueError):
    """A saved cursor that cannot be one."""


@dataclass(frozen=True)
class Walk:
    """An unfinished read from the newest row down. All moments are rendered texts."""

    newest: str | None
    """The bookmark once this walk is complete; None if no row had a value yet."""
    cursor: str | None
    """Cursor of the next page; None for the first page, which then has `reached`."""
    floor: str | None
    """Where the walk ends; None at the last page."""
    reached: str | None = None
    """Rows above it are done, if the walk stopped in the middle of a page."""

    def to_state(self) -> dict[str, str | None]:
        """Write the walk as it stands in STATE."""
        state = {"newest": self.newest, "cursor": self.cursor, "floor": self.floor}
        return state if self.reached is None else {**state, "reached": self.reached}


@dataclass(frozen=True)
class Position:
    """How far a stream has been read."""

    bookmark: str | None = None
    walk: Walk | None = None
    cursor: str | None = None
    """Cursor of the last page, of a list that is read by its cursor."""
    imports: str | None = None
    """Tickets that entered the account up to here have been emitted."""

    def to_state(self, replication_key: str) -> dict[str, Any]:
        """Write the entry of the stream in STATE.

        Args:
            replication_key: The stream's replication key.

        Returns:
            The entry; empty if nothing is known yet.
        """
        state: dict[str, Any] = {}
        if self.bookmark is not None:
            state["replication_key"] = replication_key
            state["replication_key_value"] = self.bookmark
        if self.walk is not None:
            state["replication_key"] = replication_key
            state["walk"] = self.walk.to_state()
        if self.cursor is not None:
            state["replication_key"] = replication_key
            state["cursor"] = self.cursor
        if self.imports is not None:
            state["imports"] = self.imports
        return state


def bookmark_from(
    state: Mapping[str, Any], stream: str, key: str = "replication_key_value"
) -> str | None:
    """Read the bookmark, whoever wrote it.

    Args:
        state: The entry of the stream in STATE.
        stream: Its name.
        key: Where in the entry it stands.

    Returns:
        The bookmark as a rendered moment, None if there is none.

    Raises:
        StateError: If the value is no date-time.
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
            f"Mend or remove `{key}`."
        )
        raise StateError(message) from None


def check_past(entries: Mapping[str, Mapping[str, Any]], now: str) -> None:
    """Refuse bookmarks of the future: they would hide every change until then.

    The tap writes none, but STATE may come from another program, or from a hand.

    Args:
        entries: Of each stream its entry in STATE.
        now: The present, rendered.

    Raises:
        StateError: If a bookmark lies more than a day ahead.
    """
    for stream, entry in entries.items():
        for key in MOMENT_KEYS:
            bookmark = bookmark_from(entry, stream, key)
            if bookmark and timestamps.earlier(bookmark, CLOCKS_DIFFER_AT_MOST) > now:
                message = (
                    f"STATE of stream `{stream}`: the bookmark {bookmark!r} is in the "
                    "future and would hide all changes until then. Mend or remove "
                    f"`{key}`."
                )
                raise StateError(message)


def walk_from(
    state: Mapping[str, Any], floor: str | None, key: str = "walk"
) -> Walk | None:
    """Read the unfinished walk.

    Args:
        state: The entry of the stream in STATE.
        floor: Where the walk ends if the entry does not say.
        key: Where in the entry it stands.

    Returns:
        The walk, None if there is none.

    Raises:
        UnusableWalkError: If it is malformed, or has parts that this version does not
            know.
    """
    saved = state.get(key)
    if saved is None:
        return None
    if not isinstance(saved, dict) or not saved.keys() <= WALK_KEYS:
        raise UnusableWalkError
    cursor = saved.get("cursor")
    is_first_page = cursor is None and saved.get("reached") is not None
    if not is_first_page and (not isinstance(cursor, str) or not cursor):
        raise UnusableWalkError
    try:
        return Walk(
            newest=_moment(saved["newest"]),
            cursor=cursor,
            floor=_moment(saved["floor"]) if "floor" in saved else floor,
            reached=_moment(saved.get("reached")),
        )
    except (KeyError, ValueError):
        raise UnusableWalkError from None


def cursor_from(state: Mapping[str, Any]) -> str | None:
    """Read the cursor of the last page.

    Args:
        state: The entry of the stream in STATE.

    Returns:
        The cursor, None if there is none.

    Raises:
        UnusableCursorError: If it is no text, or an empty one.
    """
    cursor = state.get("cursor")
    if cursor is None:
        return None
    if not isinstance(cursor, str) or not cursor:
        raise UnusableCursorError
    return cursor


def _moment(value: Any) -> str | None:  # noqa: ANN401
    return None if value is None else timestamps.normalized(value)
