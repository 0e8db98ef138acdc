"""A base for each way of reading; what the ways are stands in `reading.py`."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING

from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL

from tap_gorgias import reading, timestamps
from tap_gorgias.compat import override
from tap_gorgias.positions import Position, UnusableWalkError, bookmark_from, walk_from
from tap_gorgias.stream import GorgiasStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import timedelta
    from typing import Any

    from tap_gorgias.pages import Fetch
    from tap_gorgias.reading import Step


class SnapshotStream(GorgiasStream):
    """A small table, read whole each time, in the order in which it grows."""

    order_by = "created_datetime:asc"

    @override
    def steps(self) -> Iterator[Step]:
        return reading.snapshot([self.fetch()], tuple(self.primary_keys))


class IncrementalStream(GorgiasStream, ABC):
    """A stream that goes on from its bookmark."""

    replication_key: str

    _warned_of_order = False

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
            self.logger.warning(
                "STATE holds a bookmark by `%s`, but the stream is read by `%s`: it is "
                "read from its beginning.",
                key,
                self.replication_key,
            )
            return {}
        return entry

    def warn_of_order(self, wanted: str) -> None:
        """Say, once in a run, that the API does not keep the order asked for.

        Args:
            wanted: The order in words.
        """
        if not self._warned_of_order:
            self._warned_of_order = True
            self.logger.warning(
                "Gorgias does not answer %s as asked: the stream is read to its end.",
                wanted,
            )


class LogStream(IncrementalStream):
    """Immutable rows that the API filters by date, read oldest first."""

    replication_key = "created_datetime"
    order_by = "created_datetime:asc"

    @override
    def steps(self) -> Iterator[Step]:
        return reading.log(
            self.fetch_since,
            key=self.replication_key,
            bookmark=bookmark_from(self.saved(), self.name),
            start=self.start,
            warn_of_order=self.warn_of_order,
        )

    def fetch_since(self, moment: str | None) -> Fetch:
        """Have the API filter by date.

        Args:
            moment: Earliest one wanted, rendered; None for all.

        Returns:
            What gets a page, given its cursor.
        """
        if moment is None:
            return self.fetch()
        return self.fetch(**{f"{self.replication_key}[gte]": moment})


class FeedStream(IncrementalStream):
    """Rows that no filter finds, read newest first down to where the last run began."""

    @property
    def overlap(self) -> timedelta:
        """How far behind its bookmark the stream is read again."""
        return reading.FEED_OVERLAP

    @override
    def steps(self) -> Iterator[Step]:
        return reading.feed(
            self.fetch(),
            key=self.replication_key,
            position=self.position(),
            start=self.start,
            overlap=self.overlap,
            warn_of_order=self.warn_of_order,
            warn_of_restart=self.warn_of_restart,
        )

    def position(self) -> Position:
        """Where the last run stopped.

        Returns:
            The position; without its walk if that is unusable.

        Raises:
            StateError: If the bookmark is no date-time.
        """
        saved = self.saved()
        bookmark = bookmark_from(saved, self.name)
        floor = reading.floor_of(bookmark, self.start, self.overlap)
        try:
            return Position(bookmark, walk_from(saved, floor))
        except UnusableWalkError:
            self.warn_of_restart("The unfinished read in STATE is not usable.")
            return Position(bookmark)

    def warn_of_restart(self, reason: str) -> None:
        """Say that an unfinished read starts again from the top.

        Args:
            reason: Why it cannot go on where it stopped.
        """
        self.logger.warning("%s It starts again from the newest row.", reason)
