"""A base class for each way of reading; `replication/walks.py` implements most."""

from __future__ import annotations

from abc import ABC
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL

from tap_gorgias import timestamps
from tap_gorgias.compat import override
from tap_gorgias.errors import ApiError
from tap_gorgias.replication import walks
from tap_gorgias.replication.bookmarks import (
    CURSOR_KEYS,
    FEED_KEYS,
    LOG_KEYS,
    Position,
    bookmark_from,
    cursor_from,
    retry_from,
    walk_from,
)
from tap_gorgias.replication.pages import Page, PageError, proven
from tap_gorgias.replication.walks import Step, WalkPlan
from tap_gorgias.stream_types.stream import GorgiasStream

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from datetime import timedelta

    import requests
    from singer_sdk.helpers import types
    from singer_sdk.pagination import BaseAPIPaginator


T = TypeVar("T")


class SnapshotStream(GorgiasStream):
    """A small table, read completely in each run, in the order in which it grows."""

    order_by: ClassVar[str | None] = "created_datetime:asc"

    queries: ClassVar[tuple[Mapping[str, str], ...]] = ({},)
    """Query parameters of each request that returns a part of the table."""

    @override
    def steps(self) -> Iterator[Step]:
        return walks.snapshot(
            self._table, tuple(self.primary_keys), self.warn_of_restart
        )

    def _table(self) -> Iterator[Page]:
        for query in self.queries:
            yield from proven(partial(self.pages, params=query))

    def warn_of_restart(self, reason: str) -> None:
        """Warn that the table is read again."""
        self.logger.warning("%s The table is read again from its first row.", reason)


class IncrementalStream(GorgiasStream, ABC):
    """A stream that resumes from its bookmark."""

    replication_key: str

    restarts_from: ClassVar[str] = "the newest row"
    """Where the stream starts if it cannot resume from STATE, in words."""

    @property
    def start(self) -> str | None:
        """The earliest timestamp to read on a first sync, rendered."""
        return self.run.settings.start_date

    @property
    def has_been_read(self) -> bool:
        """Whether an earlier run got rows, or read the stream to its end."""
        position = self.load_position()
        places = (position.bookmark, position.walk, position.cursor)
        return any(place is not None for place in places)

    def load_entry(self) -> Mapping[str, Any]:
        """Return the entry of the stream in STATE, empty if this run cannot use it."""
        if self.replication_method != REPLICATION_INCREMENTAL:
            return {}
        entry = self.stream_state
        key = entry.get("replication_key") or self.replication_key
        if key != self.replication_key:
            self.warn_once(
                "STATE holds a bookmark by `%s`, but the replication key is `%s`: the "
                "stream is read from its start.",
                key,
                self.replication_key,
            )
            return {}
        return {key: entry[key] for key in self.state_keys if key in entry}

    def entry_at_start(self) -> Mapping[str, Any]:
        """Return the entry of the stream at the start of a run, with all of its keys.

        A full-table read leaves an entry as it is, for the next incremental one.
        """
        if self.stream_state and self.replication_method == REPLICATION_FULL_TABLE:
            return self.stream_state
        return self.entry_for(self.load_position())

    def load_position(self) -> Position:
        """Return where the last run stopped, as far as it can be resumed."""
        entry = self.load_entry()
        return Position(
            bookmark_from(entry, self.name),
            self.usable(walk_from, entry),
            self.usable(cursor_from, entry),
            bookmark_from(entry, self.name, "imports"),
            retry_from(entry),
        )

    def usable(
        self, read: Callable[[Mapping[str, Any]], T | None], entry: Mapping[str, Any]
    ) -> T | None:
        """Read a part of an entry; None, with a warning, if it cannot be resumed."""
        try:
            return read(entry)
        except ValueError:
            self.warn_of_restart("The position in STATE is not valid.")
            return None

    def warn_of_restart(self, reason: str) -> None:
        """Warn that the stream starts again instead of resuming, and why."""
        self.logger.warning("%s It starts again from %s.", reason, self.restarts_from)

    def warn_of_order(self, order: str) -> None:
        """Warn, once in a run, that Gorgias ignores an order, told in words."""
        self.warn_once(
            "Gorgias ignores the requested order, %s: the stream is read to its end.",
            order,
        )


class LogStream(IncrementalStream):
    """Immutable rows that Gorgias filters by date, read oldest first."""

    state_keys: ClassVar[tuple[str, ...]] = LOG_KEYS
    replication_key = "created_datetime"
    order_by = "created_datetime:asc"

    @override
    def steps(self) -> Iterator[Step]:
        return walks.log(
            self.pages_since,
            self,
            bookmark=bookmark_from(self.load_entry(), self.name),
            start=self.start,
        )

    def pages_since(
        self, timestamp: str | None, params: Mapping[str, Any] | None = None
    ) -> Iterator[Page]:
        """Request the rows that were created since a timestamp, oldest first."""
        since = {} if timestamp is None else {f"{self.replication_key}[gte]": timestamp}
        return proven(partial(self.pages, params={**(params or {}), **since}))


class FeedStream(IncrementalStream):
    """A list that cannot be filtered: read newest first, down to the bookmark."""

    state_keys: ClassVar[tuple[str, ...]] = FEED_KEYS

    lookback: ClassVar[str | None] = None
    """The setting that says how far behind its bookmark the stream is read again."""

    @property
    def overlap(self) -> timedelta:
        """How far behind its bookmark the stream is read again."""
        settings = self.run.settings
        lookback = getattr(settings, self.lookback) if self.lookback else walks.OVERLAP
        return max(walks.OVERLAP, lookback)

    def floor(self, bookmark: str | None) -> str | None:
        """Return the earliest timestamp to read for a bookmark; None for all."""
        return walks.floor_of(bookmark, self.start, self.overlap)

    @override
    def steps(self) -> Iterator[Step]:
        return self.walk(WalkPlan(self.load_position(), self.floor))

    def walk(self, plan: WalkPlan) -> Iterator[Step]:
        """Walk the list of this stream.

        Yields rows of this stream, and the position of `for_stream` once it has
        processed them.
        """
        return walks.feed(self.pages, plan, self)


class CursorStream(IncrementalStream):
    """A list that can be neither filtered nor ordered: read on from its last page."""

    state_keys = CURSOR_KEYS
    replication_key = "created_datetime"
    restarts_from = "the oldest row"

    @override
    def steps(self) -> Iterator[Step]:
        position = self.load_position()
        floor = self.start
        if floor and position.bookmark:
            floor = min(floor, timestamps.earlier(position.bookmark, walks.OVERLAP))
        return walks.by_cursor(self.pages, self, position=position, floor=floor)


class SingleRecordStream(GorgiasStream, ABC):
    """An endpoint that returns one record, without a list around it."""

    page_size = None

    @override
    def steps(self) -> Iterator[Step]:
        for page in self.pages():
            yield Step(page.rows)

    @override
    def page_of(
        self, response: requests.Response, paginator: BaseAPIPaginator[Any]
    ) -> Page:
        record = response.json()
        if not isinstance(record, dict):
            message = "the response holds no record."
            raise PageError(message)
        return Page([record])


class OptionalStream(IncrementalStream, ABC):
    """If the account lacks the feature, the stream has no rows and logs a warning."""

    unavailable_statuses: ClassVar[Collection[int]]
    """The status codes that probably mean that the feature is unavailable."""

    unavailable_reason: str
    """Why it may be unavailable: the end of a sentence."""

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        # A target would drop the rows of earlier runs if this run gets none.
        return False

    @override
    def get_records(self, context: types.Context | None) -> Iterable[types.Record]:
        has_records = False
        try:
            for record in super().get_records(context):
                has_records = True
                yield record
        except ApiError as error:
            is_known = has_records or self.has_been_read
            if is_known or error.status not in self.unavailable_statuses:
                raise
            self.logger.warning(
                "No rows, answered %d: %s",
                error.status,
                self.unavailable_reason,
                extra={"is_harmless": True},
            )
