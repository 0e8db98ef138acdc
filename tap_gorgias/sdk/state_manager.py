"""STATE by page, in place of the SDK's STATE by record.

The SDK updates a bookmark with every record, along with progress markers and signposts,
and treats unsorted streams as not resumable. The tap saves a position with every page,
after the records of that page are written (see `replication/walks.py`). So the methods
with which the SDK tracks progress do nothing in `CheckpointManager`.

This depends on private parts of the SDK, each covered by a test:

- `singer_sdk.streams._state.StreamStateManager` is the only object that changes STATE
  on a record or at the end of a stream. The public property `Stream.state_manager`
  replaces it.
- `Stream._write_state_message`, which the SDK calls every `STATE_MSG_FREQUENCY` records
  and at the end, writes nothing if `state_manager.is_flushed`. This is always true
  here, because streams that are read at the same time write STATE together with their
  rows, see `GorgiasStream.publish`.
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
    """The entry of a stream in STATE. Only `publish` changes it."""

    _staged: dict[str, Any] | None = None

    @property
    @override
    def stream_state(self) -> dict[str, Any]:
        """The entry of the stream, or an empty dict that is not part of STATE.

        The SDK's manager adds missing entries, so that STATE would have empty entries
        for full-table streams.
        """
        entry: dict[str, Any] = self.tap_state.get("bookmarks", {}).get(
            self.stream_name, {}
        )
        return entry

    def stage(self, entry: Mapping[str, Any]) -> None:
        """Set the entry to publish once the preceding rows are written."""
        self._staged = dict(entry)

    def publish(self) -> None:
        """Replace the entry of the stream with the staged one, if there is one.

        Replaces the dict of all bookmarks, so that it never changes while another
        thread iterates over it.
        """
        if self._staged is None:
            return
        entry, self._staged = self._staged, None
        bookmarks = self.tap_state.get("bookmarks", {})
        self.tap_state["bookmarks"] = {**bookmarks, self.stream_name: entry}

    @property  # type: ignore[explicit-override]  # a plain attribute in the SDK
    def is_flushed(self) -> bool:
        """Always true, so that the SDK never writes STATE."""
        return True

    @is_flushed.setter
    def is_flushed(self, value: bool) -> None:
        """Ignore the value that the SDK sets."""

    @override
    def get_context_state(self, context: types.Context | None) -> dict[str, Any]:
        return self.stream_state

    @override
    def write_starting_replication_value(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: each replication method derives its own starting value."""

    @override
    def write_replication_key_signpost(
        self,
        value: dt.datetime | str | float | None,
        *,
        context: types.Context | None = None,
    ) -> None:
        """Do nothing: bookmarks are values of records, never of the local clock."""

    @override
    def increment_state(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: the position only changes after a complete page."""

    @override
    def finalize_state(self, state: dict[str, Any] | None = None) -> None:
        """Do nothing: there are no progress markers."""

    @override
    def finalize_progress_markers(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: there are no progress markers."""
