"""A base for each way of reading; the ways stand in `replication/walks.py`."""

from __future__ import annotations

from abc import ABC
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL

from tap_gorgias import timestamps
from tap_gorgias.compat import override
from tap_gorgias.replication import walks
from tap_gorgias.replication.bookmarks import (
    Position,
    UnusableCursorError,
    UnusableWalkError,
    bookmark_from,
    cursor_from,
    walk_from,
)
from tap_gorgias.replication.walks import WalkPlan
from tap_gorgias.stream_types.base import GorgiasStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import timedelta
    from typing import Any

    from tap_gorgias.replication.bookmarks import Walk
    from tap_gorgias.replication.pagination import Fetch
    from tap_gorgias.replication.walks import Step


class SnapshotStream(GorgiasStream):
    """A small table, read whole each time, in the order in which it grows."""

    order_by: ClassVar[str | None] = "created_datetime:asc"

    reads: ClassVar[tuple[Mapping[str, str], ...]] = ({},)
    """Query parameters of each read that the table takes."""

    @override
    def steps(self) -> Iterator[Step]:
        return self.read(self)

    def read(self, reader: GorgiasStream) -> Iterator[Step]:
        """Read the table of this stream, on behalf of any stream.

        Args:
            reader: The stream that reads: this one, or a child of it.

        Yields:
            The rows of each page.
        """
        fetches = [self.fetch(reader, **params) for params in self.reads]
        return walks.snapshot(fetches, tuple(self.primary_keys))


class IncrementalStream(GorgiasStream, ABC):
    """A stream that goes on from its bookmark."""

    replication_key: str

    restarts_from: ClassVar[str] = "the newest row"
    """Where a read begins that cannot go on from STATE, in words."""

    @cached_property
    def _warnings(self) -> set[str]:
        return set()

    @property
    def start(self) -> str | None:
        """Earliest moment to read on a first sync, as a rendered text."""
        start_date = self.run.settings.start_date
        return None if start_date is None else timestamps.render(start_date)

    def saved(self) -> Mapping[str, Any]:
        """The stream's entry in STATE, empty if it is of no use for this run."""
        if self.replication_method != REPLICATION_INCREMENTAL:
            return {}
        entry = self.stream_state
        key = entry.get("replication_key", self.replication_key)
        if key != self.replication_key:
            self.warn_once(
                "STATE holds a bookmark by `%s`, but the stream is read by `%s`: it is "
                "read from its beginning.",
                key,
                self.replication_key,
            )
            return {}
        return entry

    def position(self, floor: Callable[[str | None], str | None]) -> Position:
        """Tell where the last run stopped.

        Args:
            floor: From a bookmark to the floor of a walk that was saved without one.

        Returns:
            The position; without its walk, and with a warning, if that is unusable.

        Raises:
            StateError: If the bookmark is no date-time.
        """
        saved = self.saved()
        bookmark = bookmark_from(saved, self.name)
        imports = bookmark_from(saved, self.name, "imports")
        walk = self.saved_walk("walk", floor(bookmark))
        return Position(bookmark, walk, imports=imports)

    def saved_walk(self, key: str, floor: str | None) -> Walk | None:
        """Read an unfinished walk from STATE.

        Args:
            key: Where in the stream's entry it stands.
            floor: Where it ends if the entry does not say.

        Returns:
            The walk; None, with a warning, if it is unusable.
        """
        try:
            return walk_from(self.saved(), floor, key)
        except UnusableWalkError:
            self.warn_of_restart("The unfinished read in STATE is not usable.")
            return None

    def warn_of_restart(self, reason: str) -> None:
        """Say that a read starts again instead of going on.

        Args:
            reason: Why it cannot go on where it stopped.
        """
        self.logger.warning("%s It starts again from %s.", reason, self.restarts_from)

    def warn_of_order(self, wanted: str) -> None:
        """Say, once in a run, that the API does not keep the order asked for.

        Args:
            wanted: The order in words.
        """
        self.warn_once(
            "Gorgias does not answer %s as asked: the stream is read to its end.",
            wanted,
        )

    def warn_once(self, message: str, *args: object) -> None:
        """Write a warning, unless it is the same as one of this run.

        Args:
            message: A format.
            args: Its values.
        """
        warning = message % args
        if warning not in self._warnings:
            self._warnings.add(warning)
            self.logger.warning("%s", warning)


class LogStream(IncrementalStream):
    """Immutable rows that the API filters by date, read oldest first."""

    replication_key = "created_datetime"
    order_by = "created_datetime:asc"

    @override
    def steps(self) -> Iterator[Step]:
        return walks.log(
            self.fetch_since,
            key=self.replication_key,
            bookmark=bookmark_from(self.saved(), self.name),
            start=self.start,
            warn_of_order=self.warn_of_order,
        )

    def fetch_since(
        self, moment: str | None, **more_params: str | Sequence[str]
    ) -> Fetch:
        """Have the API filter by date.

        Args:
            moment: Earliest one wanted, rendered; None for all.
            more_params: Query parameters beside those of `params`.

        Returns:
            What gets a page, given its cursor.
        """
        if moment is not None:
            more_params[f"{self.replication_key}[gte]"] = moment
        return self.fetch(**more_params)


class FeedStream(IncrementalStream):
    """Rows that no filter finds, read newest first down to where the last run began."""

    @property
    def overlap(self) -> timedelta:
        """How far behind its bookmark the stream is read again."""
        return walks.FEED_OVERLAP

    def floor(self, bookmark: str | None) -> str | None:
        """Tell how far back to read.

        Args:
            bookmark: Everything up to here has been emitted; None if nothing has.

        Returns:
            The earliest moment to read; None for all.
        """
        return walks.floor_of(bookmark, self.start, self.overlap)

    @override
    def steps(self) -> Iterator[Step]:
        return self.walk(self, WalkPlan(self.position(self.floor), self.floor))

    def walk(
        self, reader: IncrementalStream, plan: WalkPlan, fetch: Fetch | None = None
    ) -> Iterator[Step]:
        """Walk the list of this stream, on behalf of any stream.

        Args:
            reader: The stream that reads: this one, or a child of it. Requests and
                warnings are its own.
            plan: How far the reader has come in the list, and how to go on.
            fetch: Gets the pages; requests of the reader if None.

        Yields:
            Rows of this stream, and the position that holds for the reader once it is
            done with them.
        """
        return walks.feed(
            fetch or self.fetch(reader),
            plan,
            key=self.replication_key,
            warn_of_order=reader.warn_of_order,
            warn_of_restart=reader.warn_of_restart,
        )


class CursorStream(IncrementalStream):
    """Rows that the API neither filters nor orders, read on from the last page."""

    replication_key = "created_datetime"
    restarts_from = "the oldest row"

    @override
    def steps(self) -> Iterator[Step]:
        saved = self.saved()
        bookmark = bookmark_from(saved, self.name)
        try:
            cursor = cursor_from(saved)
        except UnusableCursorError:
            self.warn_of_restart("The cursor in STATE is not usable.")
            cursor = None
        floor = self.start
        if floor and bookmark:
            floor = min(floor, timestamps.earlier(bookmark, walks.LOG_OVERLAP))
        return walks.by_cursor(
            self.fetch(),
            key=self.replication_key,
            position=Position(bookmark, cursor=cursor),
            floor=floor,
            warn_of_order=self.warn_of_order,
            warn_of_restart=self.warn_of_restart,
        )
