"""What all streams share: asking, converting, saving how far they are."""

from __future__ import annotations

import logging
import sys
from abc import ABC, abstractmethod
from collections import Counter
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from singer_sdk.singerlib.catalog import (
    REPLICATION_FULL_TABLE,
)

from tap_gorgias.api.client import Caller
from tap_gorgias.compat import override
from tap_gorgias.errors import ApiError, IncompleteError
from tap_gorgias.records import masking
from tap_gorgias.replication import ordering
from tap_gorgias.replication.pagination import Page, PageError, parse_page
from tap_gorgias.replication.prefetch import one_ahead
from tap_gorgias.run.progress import Progress
from tap_gorgias.sdk.state_manager import CheckpointManager
from tap_gorgias.stream_types.catalog import CatalogStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers import types
    from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchConfig

    from tap_gorgias.api.client import Reply
    from tap_gorgias.replication.bookmarks import Position
    from tap_gorgias.replication.pagination import Fetch, Row
    from tap_gorgias.replication.walks import Step
    from tap_gorgias.run.context import Run
    from tap_gorgias.sdk.writer import MessageWriter

    Params = Mapping[str, str | int | Sequence[str]]

T = TypeVar("T")


class Begins(IntEnum):
    """The order in which streams begin."""

    FIRST = 0
    """People wait for it."""
    SOON = 1
    """It has few pages."""
    LATE = 2
    """It is large, and not selected by default."""
    LAST = 3
    """It is by far the largest."""


PAGE_ROWS = 100
"""The most that a list endpoint gives for one request."""


class GorgiasStream(CatalogStream, ABC):
    """A stream of the Gorgias API."""

    name: str

    path: ClassVar[str]
    """Path of the endpoint, for example `/api/tickets`."""

    scope: ClassVar[str]
    """OAuth2 scope that the endpoint needs (docs/oauth2-scopes)."""

    scope_of_imports: ClassVar[str | None] = None
    """Scope without which rows that an import dates back cannot be found; None if none
    helps."""

    order_by: ClassVar[str | None] = None
    """Order to ask for; None where the endpoint has no orders."""

    begins: ClassVar[Begins] = Begins.SOON
    """When its turn comes in a run."""

    masks: ClassVar[tuple[tuple[str, masking.IsSecret], ...]] = ()
    """Where secrets lie: paths such as `http.form`, and which names there tell one."""

    def __init__(self, tap: Tap, run: Run) -> None:
        """Make a stream of one tap.

        Args:
            tap: The tap, which holds the other streams and the output.
            run: What the streams of a run share.
        """
        super().__init__(tap)
        self.tap = tap
        self.run = run
        self._missing: Counter[str] = Counter()
        self._is_position_held = False

    @abstractmethod
    def steps(self) -> Iterator[Step]:
        """Read the stream.

        Yields:
            Rows as Gorgias sent them, and the position that holds once they are out.

        Raises:
            ApiError: If Gorgias refuses, or its answer cannot be used.
        """

    def params(self) -> dict[str, str | int | Sequence[str]]:
        """Query parameters of every page, without the cursor."""
        params: dict[str, str | int | Sequence[str]] = {"limit": PAGE_ROWS}
        if self.order_by:
            params["order_by"] = self.order_by
        return params

    def fetch(
        self, reader: GorgiasStream | None = None, /, **more_params: str | Sequence[str]
    ) -> Fetch:
        """Bind the endpoint's parameters.

        Args:
            reader: The stream that sends the requests; this one if None.
            more_params: Query parameters beside those of `params`.

        Returns:
            What gets a page, given its cursor.
        """
        params = {**self.params(), **more_params}
        ask = (reader or self).page

        def fetch(cursor: str | None) -> Page:
            with_cursor = params if cursor is None else {**params, "cursor": cursor}
            return ask(with_cursor, self.path)

        return fetch

    def page(
        self, params: Params, path: str | None = None, leads_on: str = "next_cursor"
    ) -> Page:
        """Ask for a page of a list, and read it with `parse_page`.

        Args:
            params: Query parameters.
            path: Path of the request, if it is not the stream's.
            leads_on: The name in `meta` of what leads to the next page.
        """
        limit = PAGE_ROWS if "limit" in params else None
        return parse_page(*self.get(params, path), limit=limit, leads_on=leads_on)

    def get(self, params: Params, path: str | None = None) -> Reply:
        """Ask the endpoint.

        Args:
            params: Query parameters.
            path: Path of the request, if it is not the stream's.

        Returns:
            What it answered.

        Raises:
            ApiError: If Gorgias refuses, or keeps failing.
            StateError: If by the answer's date a bookmark lies in the future.
        """
        caller = Caller(self.name, self.scope)
        return self._checked(self.run.client.get(path or self.path, params, caller))

    def post(self, params: Params, body: Mapping[str, Any]) -> Reply:
        """Ask the endpoint for what a body says.

        Args:
            params: Query parameters.
            body: What is asked for, sent as JSON.

        Returns:
            What it answered.

        Raises:
            ApiError: If Gorgias refuses, or keeps failing.
            StateError: If by the answer's date a bookmark lies in the future.
        """
        caller = Caller(self.name, self.scope)
        return self._checked(self.run.client.post(self.path, params, caller, body))

    def _checked(self, reply: Reply) -> Reply:
        self.run.check_state(reply.now)
        return reply

    @cached_property
    def progress(self) -> Progress:
        """Tells how far the stream is read."""
        return Progress(self.run, self.name, self.logger)

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
    def get_records(self, context: types.Context | None) -> Iterable[types.Record]:
        try:
            for step in one_ahead(self.explained(self.steps()), self._goes_on):
                self.run.summary.count(self.name, rows=len(step.rows))
                yield from step.rows
                if self.progress.due:
                    self.progress.tell(self._reached(step.rows), step.position)
                self.save(step.position)
        finally:
            self.output.flush()

    def explained(self, items: Iterator[T]) -> Iterator[T]:
        """Say whose page it is that cannot be read.

        Args:
            items: What reads the API.

        Yields:
            Each item.

        Raises:
            ApiError: In place of a `PageError`.
        """
        _ = self.progress  # The time to its first line begins now.
        try:
            yield from items
        except PageError as error:
            raise ApiError(str(error), stream=self.name, path=self.path) from None

    def _goes_on(self, step: Step) -> bool:
        # A test of the connection, for one, stops after the first record.
        return step.goes_on and self.ABORT_AT_RECORD_COUNT is None

    def _reached(self, rows: Sequence[Row]) -> str | None:
        if not rows or self.replication_key is None:
            return None
        return ordering.moment_of(rows[-1].get(self.replication_key))

    @override
    def generate_child_contexts(
        self, record: types.Record, context: types.Context | None
    ) -> Iterable[types.Context | None]:
        # Children read for themselves, see `children.py`. Only a test of the connection
        # leaves them to their parents.
        if self.ABORT_AT_RECORD_COUNT is not None and self.child_streams:
            yield self.get_child_context(record, context)

    @override
    def post_process(
        self, row: types.Record, context: types.Context | None = None
    ) -> types.Record | None:
        for path, names in self.masks:
            row = masking.mask_at_path(path, row, names)
        record = self.converter.convert(row)
        if all(record.get(key) is not None for key in self.primary_keys):
            return record
        self.leave_out(self)
        return None

    @override
    def log(
        self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any
    ) -> None:
        # The SDK logs here that an exception ends the stream. The command line reports
        # that exception once and in full.
        if level == logging.ERROR and sys.exc_info()[1] is not None:
            level = logging.DEBUG
        super().log(message, *args, level=level, **kwargs)

    def state_entry(self, position: Position) -> dict[str, Any]:
        """Say what STATE has to hold for the stream.

        Args:
            position: How far it is read.

        Returns:
            Its entry; an empty one is not stored.
        """
        return position.to_state(str(self.replication_key))

    def save(self, position: Position | None) -> None:
        """Save how far the stream is read, with the rows that are out.

        After a row was left out nothing is saved: the next run asks for it again. With
        BATCH the position waits until the files of its rows are announced.

        Args:
            position: The rows up to here have been handed to the SDK; None if there
                is nothing to save.
        """
        is_full_table = self.replication_method == REPLICATION_FULL_TABLE
        if position is None or is_full_table or self._is_position_held:
            self.output.flush()
            return
        self.state_manager.stage(self.state_entry(position))
        if not self.get_batch_config(self.config):
            self.publish()

    def publish(self) -> None:
        """Write the rows, then the position that was saved after them, as STATE."""
        with self.output.exclusive():
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

    def close(self) -> None:
        """Give up what was asked for and is not wanted any more."""

    def report_incomplete(self, reason: str) -> None:
        """Remember that something is missing although the stream is read on.

        Args:
            reason: A sentence without data of customers.
        """
        self._missing[reason] += 1

    def leave_out(self, stream: GorgiasStream) -> None:
        """Go on without a row that came without its key, and fail at the end.

        Args:
            stream: The stream of the row: this one, or its parent.
        """
        self._is_position_held = True
        reason = f"a record came without its key ({', '.join(stream.primary_keys)})."
        error = ApiError(reason, stream=self.name, path=stream.path)
        if not self._missing:
            self.logger.warning("%s It is left out.", error)
        self.report_incomplete(str(error))

    def check_complete(self) -> None:
        """Fail a stream that was read to its end, but not whole.

        Raises:
            IncompleteError: With what is missing.
        """
        if self._missing:
            raise IncompleteError(self._missing)

    @property
    def output(self) -> MessageWriter:
        """Where the tap's messages go."""
        return cast("MessageWriter", self.tap.message_writer)
