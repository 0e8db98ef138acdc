"""Everything that replaces the SDK's own handling of STATE, and why.

The SDK moves a bookmark with every record, keeps progress markers and signposts beside
it, and calls an unsorted stream not resumable. Here a position moves with every page,
after the records of that page are out (see `replication/walks.py`), so all of that is
switched off: `CheckpointManager` does nothing where the SDK's manager would mark
progress.

Private parts of the SDK that this leans on, each guarded by a test:

- `singer_sdk.streams._state.StreamStateManager`, to be replaced through the public
  property `Stream.state_manager`. A record or the end of a stream changes STATE through
  this object only.
- `Stream._write_state_message`, which the SDK calls every `STATE_MSG_FREQUENCY` records
  and at the end, writes nothing while `state_manager.is_flushed`. Here that is always
  so: streams that are read at the same time write STATE with their own rows only, see
  `GorgiasStream.publish`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.streams._state import StreamStateManager

from tap_gorgias.compat import override

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from singer_sdk.helpers import types


class CheckpointManager(StreamStateManager):
    """Holds a stream's entry in STATE, which changes by `publish` alone."""

    _staged: dict[str, Any] | None = None

    @property
    @override
    def stream_state(self) -> dict[str, Any]:
        """The entry of the stream; a loose empty one if STATE has none.

        The SDK's creates one, so that snapshots would fill STATE with empty entries.
        """
        entry: dict[str, Any] = self.tap_state.get("bookmarks", {}).get(
            self.stream_name, {}
        )
        return entry

    def stage(self, entry: Mapping[str, Any]) -> None:
        """Remember an entry that holds once the rows before it are out.

        Args:
            entry: What the next run has to know; an empty one takes no room in STATE.
        """
        self._staged = dict(entry)

    def publish(self) -> None:
        """Replace the entry of the stream by the staged one, if there is one.

        The bookmarks are replaced as a whole, so that other threads never see them
        change.
        """
        if self._staged is None:
            return
        entry, self._staged = self._staged, None
        bookmarks = dict(self.tap_state.get("bookmarks", {}))
        bookmarks.pop(self.stream_name, None)
        if entry:
            bookmarks[self.stream_name] = entry
        self.tap_state["bookmarks"] = bookmarks

    @property  # type: ignore[explicit-override]  # a plain attribute in the SDK
    def is_flushed(self) -> bool:
        """Always true: the SDK never writes STATE by itself."""
        return True

    @is_flushed.setter
    def is_flushed(self, value: bool) -> None:
        """Ignore what the SDK says about it."""

    @override
    def get_context_state(self, context: types.Context | None) -> dict[str, Any]:
        return self.stream_state

    @override
    def write_starting_replication_value(self, *args: Any, **kwargs: Any) -> None:
        """Leave no trace: the way of reading keeps its own floor."""

    @override
    def write_replication_key_signpost(
        self,
        value: dt.datetime | str | float | None,
        *,
        context: types.Context | None = None,
    ) -> None:
        """Leave no trace: bookmarks are values seen, never the local clock."""

    @override
    def increment_state(self, *args: Any, **kwargs: Any) -> None:
        """Leave the position where the last whole page put it."""

    @override
    def finalize_state(self, state: dict[str, Any] | None = None) -> None:
        """Leave the position as it is: there are no markers to promote."""

    @override
    def finalize_progress_markers(self, *args: Any, **kwargs: Any) -> None:
        """Leave the position as it is: there are no markers to promote."""
