"""Streams that hang on the rows of another, and the streams that they hang on.

A child is asked for each row of its parent that changed. How far it has come is its own
bookmark, because it may be selected later than its parent, or pause for a while. The
parent walks as far down as the neediest of its readers.

While a walk of the parent is unfinished, the entry of a child that has taken part in it
from its beginning holds `parent_walk`, the walk's `newest`. The entry of a parent that
was walked for its children alone holds `emitted`, the bookmark up to which its own
records went out, until they have caught up; and `emitting`, false, while a walk is
unfinished of which not all its own records went out.

One private part of the SDK is replaced: `Stream._process_record` would leave out the
children of a record that a stream map filters.
"""

from __future__ import annotations

import contextlib
import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.exceptions import AbortedSyncFailedException, AbortedSyncPausedException
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE

from tap_gorgias import order, reading
from tap_gorgias.ahead import ReadAhead, one_ahead
from tap_gorgias.compat import override
from tap_gorgias.errors import ApiError
from tap_gorgias.pages import pages
from tap_gorgias.positions import Position, bookmark_from
from tap_gorgias.stream import GorgiasStream
from tap_gorgias.ways import FeedStream, IncrementalStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from singer_sdk import metrics
    from singer_sdk.helpers import types

    from tap_gorgias.pages import Fetch, Page, Row
    from tap_gorgias.positions import Walk
    from tap_gorgias.reading import Step

GONE = {301, 404}
"""What Gorgias answers for a parent that was merged or deleted meanwhile."""


class PerParentStream(GorgiasStream):
    """A request for each parent, sent ahead of the parents' records."""

    state_partitioning_keys = ()
    context_key: ClassVar[str]
    """The parent's id in a context and in the stream's records."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Make a stream of one tap; see `GorgiasStream`."""
        super().__init__(*args, **kwargs)
        self.ahead: ReadAhead[int, Page] = ReadAhead(lambda key: self.of(key)(None))

    def of(self, parent: int) -> Fetch:
        """Bind the request to a parent.

        Args:
            parent: Its id.

        Returns:
            What gets a page of the parent's rows, given its cursor.
        """
        return self.fetch(**{self.context_key: str(parent)})

    def wants(self, row: Row) -> bool:  # noqa: ARG002 (others look at it)
        """Tell whether a parent is to be asked for.

        Args:
            row: The parent's row as Gorgias sent it, but with an `id` that is a number.
        """
        return True

    def catch_up(self) -> None:
        """Read what no parent's row will lead to, before the parents are read."""

    @override
    def steps(self) -> Iterator[Step]:
        return iter(())

    @override
    def get_records(self, context: types.Context | None) -> Iterable[types.Record]:
        if context is None:
            yield from super().get_records(None)
        elif self.ahead.expects(context[self.context_key]):
            with self.page_errors_explained():
                yield from self._rows_of(context[self.context_key])

    def _rows_of(self, parent: int) -> Iterator[Row]:
        try:
            first = self.ahead.take(parent)
        except ApiError as error:
            if error.status not in GONE:
                raise
            self.logger.info("%s It was deleted or merged: skipped.", error)
            return
        fetch = self.of(parent)
        answers = pages(lambda cursor: first if cursor is None else fetch(cursor))
        for page in one_ahead(answers, lambda page: page.next_cursor is not None):
            self.run.summary.count(self.name, rows=len(page.rows))
            for row in page.rows:
                yield self.completed(row, parent)
            if self.progress.due:
                self.progress.tell()

    def completed(self, row: Row, parent: int) -> Row:
        """Add to a row what only its parent knows.

        Args:
            row: As Gorgias sent it.
            parent: The parent's id.
        """
        return {self.context_key: parent, **row}

    @override
    def log(self, message: str, *args: Any, **kwargs: Any) -> None:
        # The SDK tells of every parent; our log grows with pages.
        if self.context is None and "with context keys" not in message:
            super().log(message, *args, **kwargs)

    @override
    def get_record_counter(self, **kwargs: Any) -> metrics.Counter:
        counter = super().get_record_counter(**kwargs)
        return counter if self.context is None else _silenced(counter)

    @override
    def get_sync_timer(self) -> metrics.Timer:
        timer = super().get_sync_timer()
        return timer if self.context is None else _silenced(timer)


class FollowerStream(PerParentStream, IncrementalStream):
    """Follows the changes of a feed, with a bookmark of its own in the feed's order."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Make a stream of one tap; see `GorgiasStream`."""
        super().__init__(*args, **kwargs)
        self._floor: str | None = None

    @cached_property
    def bookmark(self) -> str | None:
        """Rows of all parents that changed up to here are out; None: of no parent."""
        return bookmark_from(self.saved(), self.name)

    def begin_walk(self) -> str | None:
        """Get ready for a new walk of the parent.

        Returns:
            How far down it has to go for this stream; None for all the way.
        """
        self._floor = reading.floor_of(self.bookmark, self.start, reading.FEED_OVERLAP)
        return self._floor

    @override
    def wants(self, row: Row) -> bool:
        return not order.is_before(row.get("updated_datetime"), self._floor)

    def resume_walk(self, walk: Walk) -> bool:
        """Get ready for the rest of an unfinished walk.

        Args:
            walk: The parent's walk.

        Returns:
            Whether it has been followed from its beginning.
        """
        if self.bookmark is None:
            self._floor = walk.floor
        saved = self.saved()
        return "parent_walk" in saved and bool(saved["parent_walk"] == walk.newest)

    def note_walk(self, newest: str | None) -> None:
        """Remember that an unfinished walk was followed so far.

        Args:
            newest: The walk's newest moment.
        """
        self._save_entry({**self.stream_state, "parent_walk": newest})

    def leave_walk(self) -> None:
        """Remember that an unfinished walk has a gap for this stream."""
        if "parent_walk" in self.stream_state:
            entry = dict(self.stream_state)
            del entry["parent_walk"]
            self._save_entry(entry)

    def finish_walk(self, bookmark: str | None) -> None:
        """Remember that a walk was followed from its beginning to its end.

        Args:
            bookmark: The parent's bookmark after it.
        """
        self.bookmark = bookmark
        self._save_entry(Position(bookmark).to_state(self.replication_key))

    def _save_entry(self, entry: dict[str, Any]) -> None:
        if self.replication_method != REPLICATION_FULL_TABLE:
            self.state_manager.save(entry)


class ParentStream(GorgiasStream):
    """A stream that others hang on."""

    @property
    def readers(self) -> list[PerParentStream]:
        """The selected streams that hang on this one."""
        return [
            child
            for child in self.child_streams
            if isinstance(child, PerParentStream) and child.selected
        ]

    @override
    def get_records(self, context: types.Context | None) -> Iterable[types.Record]:
        for reader in self.readers:
            with contextlib.suppress(
                AbortedSyncFailedException, AbortedSyncPausedException
            ):
                reader.catch_up()
        try:
            yield from super().get_records(context)
        finally:
            for reader in self.readers:
                reader.ahead.close()

    @property
    @override
    def holds_positions(self) -> bool:
        # A child's BATCH is followed by STATE while rows of its parent still wait for
        # theirs.
        return bool(self.readers) and self.get_batch_config(self.config) is not None

    @override
    def announce(self, rows: list[Row]) -> None:
        if not self.readers:
            return
        ids = [self.converter.convert({"id": row.get("id")}) for row in rows]
        parents = [row | own for row, own in zip(rows, ids, strict=True)]
        known = [row for row in parents if row["id"] is not None]
        for reader in self.readers:
            reader.ahead.expect(row["id"] for row in known if reader.wants(row))

    @override
    def _process_record(
        self,
        record: types.Record,
        child_context: types.Context | None = None,
        partition_context: types.Context | None = None,
    ) -> None:
        for context in self.generate_child_contexts(record, child_context):
            self._sync_children(context)

    @override
    def generate_child_contexts(
        self, record: types.Record, context: types.Context | None
    ) -> Iterable[types.Context | None]:
        for reader in self.readers:
            if reader.ahead.expects(record["id"]):
                yield {reader.context_key: record["id"]}
                return


class ParentFeedStream(ParentStream, FeedStream):
    """A feed that others follow."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Make a stream of one tap; see `GorgiasStream`."""
        super().__init__(*args, **kwargs)
        self._following: set[FollowerStream] = set()
        self._emitting = False
        self._emitted: str | None = None

    @property
    def followers(self) -> list[FollowerStream]:
        """The selected streams that follow this one."""
        return [one for one in self.readers if isinstance(one, FollowerStream)]

    @override
    def position(self, floor: Callable[[str | None], str | None]) -> Position:
        saved = self.saved()
        key = "emitted" if "emitted" in saved else "replication_key_value"
        self._emitted = bookmark_from(saved, self.name, key)
        return super().position(floor)

    @override
    def steps_from(self, position: Position) -> Iterator[Step]:
        if (walk := position.walk) is not None:
            saved = self.saved()
            self._emitting = self.selected and saved.get("emitting") is not False
            self._following = {
                follower for follower in self.followers if follower.resume_walk(walk)
            }
        return super().steps_from(position)

    @override
    def floor(self, bookmark: str | None) -> str | None:
        self._emitting = self.selected
        self._following = set(self.followers)
        floors = [follower.begin_walk() for follower in self.followers]
        if self.selected:
            floors.append(super().floor(self._emitted))
        return None if None in floors else min(filter(None, floors), default=None)

    @override
    def state_entry(self, position: Position) -> dict[str, Any]:
        entry = super().state_entry(position)
        if entry and self._emitted != position.bookmark:
            entry["emitted"] = self._emitted
        if position.walk is not None and not self._emitting:
            entry["emitting"] = False
        return entry

    @override
    def save(self, position: Position) -> None:
        if position.walk is None and self._emitting:
            self._emitted = position.bookmark
        for child in self.child_streams:
            if not isinstance(child, FollowerStream):
                continue
            if child not in self._following:
                child.leave_walk()
            elif position.walk is None:
                child.finish_walk(position.bookmark)
            else:
                child.note_walk(position.walk.newest)
        super().save(position)


def _silenced(meter: Any) -> Any:  # noqa: ANN401 (a counter or a timer)
    meter.logger = _SILENT
    return meter


_SILENT = logging.getLogger("tap-gorgias.silent")
_SILENT.disabled = True
