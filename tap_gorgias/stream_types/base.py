"""The base of all streams: steps of a walk become records and positions in STATE."""

from __future__ import annotations

import logging
import sys
from abc import ABC, abstractmethod
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE

from tap_gorgias.compat import override
from tap_gorgias.errors import ApiError
from tap_gorgias.records import masking
from tap_gorgias.replication.pages import MissingRow, PageError
from tap_gorgias.replication.prefetch import prefetch_next
from tap_gorgias.run.progress import StreamProgress
from tap_gorgias.sdk.logs import StreamLogger
from tap_gorgias.sdk.state_manager import CheckpointManager
from tap_gorgias.stream_types.page_reader import PageReader
from tap_gorgias.stream_types.paged import PagedStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from singer_sdk.helpers import types

    from tap_gorgias.replication.bookmarks import Position
    from tap_gorgias.replication.pages import Page, Row
    from tap_gorgias.replication.walks import Step
    from tap_gorgias.sdk.batch import BaseBatchFileEncoding, BatchConfig
    from tap_gorgias.sdk.writer import MessageWriter

T = TypeVar("T")


class Priority(IntEnum):
    """The order in which streams start."""

    HIGH = 0
    """Users wait for it."""
    NORMAL = 1
    """It has few pages."""
    LOW = 2
    """It is large, and not selected by default."""
    LAST = 3
    """It is by far the largest."""


class GorgiasStream(PagedStream, ABC):
    """A stream of the Gorgias API.

    Args:
        tap: The tap, which holds the other streams and the output.
        run: What the streams of a run share.
    """

    scope_of_imports: ClassVar[str | None] = None
    """Scope that the stream needs to find rows that an import dated back; None if it
    cannot find them."""

    priority: ClassVar[Priority] = Priority.NORMAL

    state_keys: ClassVar[tuple[str, ...]] = ()
    """Keys of the stream's entry in STATE; none if it always reads everything."""

    masks: ClassVar[tuple[str, ...]] = ()
    """Parts of a record that can contain credentials of other systems: paths such as
    `messages.actions`, or `masking.WHOLE`."""

    @property
    @override
    def logger(self) -> logging.Logger:
        return cast("logging.Logger", StreamLogger(super().logger, self.name))

    @abstractmethod
    def steps(self) -> Iterator[Step]:
        """Read the stream.

        Yields:
            Rows as Gorgias sent them, and the position to save once they are out.

        Raises:
            ApiError: If Gorgias refuses, or its response cannot be used.
        """

    def steps_of(self, context: types.Context) -> Iterator[Step]:  # noqa: ARG002 (children use it)
        """Read the rows of one parent, as only the SDK's test of a connection asks."""
        return self.steps()

    @cached_property
    def progress(self) -> StreamProgress:
        """Logs how far the stream has been read."""
        key = self.replication_key
        return StreamProgress(self.run.progress, self.name, key, self.logger)

    @property
    @override
    def state_manager(self) -> CheckpointManager:
        return self._checkpoints

    @cached_property
    def _checkpoints(self) -> CheckpointManager:
        return CheckpointManager(
            tap_name=self.tap_name,
            stream_name=self.name,
            tap_state=self.tap_state,
            state_partitioning_keys=self.state_partitioning_keys,
        )

    @override
    def request_records(self, context: types.Context | None) -> Iterable[types.Record]:
        # The SDK's own method saves nothing between two pages, and ends at an empty
        # one.
        steps = self.explain_page_errors(
            self.steps() if context is None else self.steps_of(context)
        )
        for step in prefetch_next(steps, self._has_next_page):
            self.run.summary.count(self.name, rows=len(step.rows))
            yield from step.rows
            self.progress.add(step.rows, step.position)
            self.save(step.position)

    def pages(
        self,
        cursor: str | None = None,
        params: Mapping[str, Any] | None = None,
        context: types.Context | None = None,
        patience: float | None = None,
    ) -> Iterator[Page]:
        """Request the pages of a list.

        A page that keeps failing is requested in smaller pieces, down to the row that
        makes it fail.

        Args:
            cursor: The cursor to start from; None for the first page.
            params: Query parameters that choose a part of the list.
            context: The context of the parent.
            patience: Seconds for retries of a request; None for those of a run.

        Raises:
            ApiError: If Gorgias refuses, or keeps failing.
            PageError: If a response is not a page, or the list has no end.
        """
        return PageReader(self, params, context, patience).pages(cursor)

    def explain_page_errors(self, items: Iterator[T]) -> Iterator[T]:
        """Add the stream and the path to page errors.

        Args:
            items: An iterator that reads pages.

        Yields:
            Each item.

        Raises:
            ApiError: In place of a `PageError`.
        """
        _ = self.progress  # The time until its first line starts now.
        try:
            yield from items
        except PageError as error:
            raise ApiError(str(error), stream=self.name, path=self.path) from None

    def _has_next_page(self, step: Step) -> bool:
        # The SDK's own test of the connection stops after the first record.
        may_prefetch = self.progress.prefetches and self.ABORT_AT_RECORD_COUNT is None
        return step.has_next_page and may_prefetch

    @override
    def generate_child_contexts(
        self, record: types.Record, context: types.Context | None
    ) -> Iterable[types.Context | None]:
        # Children walk the list of their parent by themselves, see `children.py`. Only
        # the SDK's test of the connection reads them within their parents.
        if self.ABORT_AT_RECORD_COUNT is not None and self.child_streams:
            yield self.get_child_context(record, context)

    @override
    def post_process(
        self, row: types.Record, context: types.Context | None = None
    ) -> types.Record | None:
        if isinstance(row, MissingRow):
            return None
        record = self.converter.convert(row)
        for path in self.masks:
            record = masking.mask_at(path, record)
        if all(record.get(key) is not None for key in self.primary_keys):
            return record
        self.report_incomplete(str(self.keyless(self.name)))
        return None

    @override
    def log(
        self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any
    ) -> None:
        # The SDK logs here that the stream begins, and that an exception ends it. The
        # runner reports that exception once, and without data.
        is_failure = level == logging.ERROR and sys.exc_info()[1] is not None
        if is_failure or level == logging.INFO:
            level = logging.DEBUG
        self.logger.log(level, message, *args, **kwargs)

    def state_entry(self, position: Position) -> dict[str, Any]:
        """Return the entry of the stream in STATE at a position."""
        return position.to_state(str(self.replication_key), self.state_keys)

    def save(self, position: Position | None) -> None:
        """Write the rows that the SDK has got, and save the position after them.

        With BATCH a position becomes public with the files of its rows.

        Args:
            position: The position after these rows; None if there is nothing to save.
        """
        is_full_table = self.replication_method == REPLICATION_FULL_TABLE
        if position is None or is_full_table:
            self.output.flush()
            return
        self.state_manager.stage(self.state_entry(position))
        if not self.get_batch_config(self.config):
            self.publish()

    def publish(self) -> None:
        """Write the rows, then the position that was saved after them as STATE."""
        with self.output.exclusive():
            self.output.flush()
            self.state_manager.publish()
            self.tap.state_writer.write_state(self.tap_state)

    @override
    def get_batches(
        self, batch_config: BatchConfig, context: types.Context | None = None
    ) -> Iterator[tuple[BaseBatchFileEncoding, list[str]]]:
        for batch in super().get_batches(batch_config, context):
            yield batch
            self.publish()  # By now the SDK has written the BATCH message.
        self.publish()

    def keyless(self, stream_name: str) -> ApiError:
        """Return the error of a record that cannot be loaded by a stream."""
        keys = ", ".join(self.primary_keys)
        reason = f"a record came without its key ({keys})."
        advice = "It is left out."
        return ApiError(reason, stream=stream_name, path=self.path, advice=advice)

    def with_ids(self, ids: Sequence[int]) -> Iterator[Page] | None:  # noqa: ARG002 (subclasses use it)
        """Request rows by their ids; None if the endpoint cannot do that."""
        return None

    def lacks_key(self, row: Row) -> bool:
        """Return whether a row cannot be loaded, because it lacks its key."""
        keys = [name for name in self.primary_keys if type(row.get(name)) is not int]
        return any(
            self.converter.convert({name: row.get(name)})[name] is None for name in keys
        )

    @property
    def output(self) -> MessageWriter:
        """Where the tap's messages go."""
        return cast("MessageWriter", self.tap.message_writer)
