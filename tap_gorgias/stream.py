"""What all streams share: asking, converting, saving how far they are."""

from __future__ import annotations

import contextlib
import logging
from abc import ABC, abstractmethod
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from jsonschema import Draft7Validator, SchemaError
from singer_sdk import SchemaDirectory, Stream, StreamSchema
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib import RecordMessage
from singer_sdk.singerlib.catalog import (
    REPLICATION_FULL_TABLE,
    Metadata,
    StreamMetadata,
)

from tap_gorgias import masking, order, schemas
from tap_gorgias.ahead import one_ahead
from tap_gorgias.checkpoints import CheckpointManager
from tap_gorgias.client import Caller
from tap_gorgias.compat import override
from tap_gorgias.errors import ApiError, CatalogError, StreamMapError
from tap_gorgias.pages import Page, PageError, parse_page
from tap_gorgias.progress import Progress
from tap_gorgias.records import RecordConverter

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers import types
    from singer_sdk.mapper import StreamMap
    from singer_sdk.singerlib import Catalog, MetadataMapping

    from tap_gorgias.client import Reply
    from tap_gorgias.pages import Fetch, Row
    from tap_gorgias.positions import Position
    from tap_gorgias.reading import Step
    from tap_gorgias.run import Run

    Params = Mapping[str, str | int | Sequence[str]]

SDK_FAILURE_MESSAGE = "An unhandled error occurred while syncing '%s'"
PAGE_ROWS = 100
"""The most that a list endpoint gives for one request."""


class GorgiasStream(Stream, ABC):
    """A stream of the Gorgias API."""

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    """The converter has conformed the records."""

    name: str

    path: ClassVar[str]
    """Path of the endpoint, for example `/api/tickets`."""

    scope: ClassVar[str]
    """OAuth2 scope that the endpoint needs (docs/oauth2-scopes)."""

    order_by: ClassVar[str | None] = None
    """Order to ask for; None where the endpoint has no orders."""

    deselected_by_default: ClassVar[tuple[str, ...]] = ()
    """Properties that have to be selected in a catalog to be read."""

    masks: ClassVar[tuple[tuple[str, masking.Names], ...]] = ()
    """Where secrets lie: paths such as `http.form`, and which names there tell one."""

    primary_keys: Sequence[str] = ("id",)
    replication_key: str | None = None
    schema = StreamSchema(SchemaDirectory(schemas))

    def __init__(self, tap: Tap, run: Run) -> None:
        """Make a stream of one tap.

        Args:
            tap: The tap, which the SDK needs.
            run: What the streams of a run share.
        """
        super().__init__(tap)
        self.run = run

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

    def fetch(self, **more_params: str | Sequence[str]) -> Fetch:
        """Bind the endpoint's parameters.

        Args:
            more_params: Query parameters beside those of `params`.

        Returns:
            What gets a page, given its cursor.
        """
        params = {**self.params(), **more_params}

        def fetch(cursor: str | None) -> Page:
            return self.page(params if cursor is None else {**params, "cursor": cursor})

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

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Take the catalog's selection, and of replication only FULL_TABLE.

        Keys and order are facts of the endpoint. Catalogs that other tools wrote may
        lack or change them, which would make a target append where it should update.

        Args:
            catalog: Catalog handed to the tap.
        """
        super().apply_catalog(catalog)
        own = type(self)
        if entry := catalog.get_stream(self.name):
            # Stream maps take the keys from the catalog.
            entry.key_properties = own.primary_keys
            keys = [*own.primary_keys, *filter(None, [own.replication_key])]
            # Our own schema need not be checked, which takes longer than all else here.
            if self.selected and (schema := entry.schema.to_dict()) != self.schema:
                _check_schema(self.name, schema, keys)
            # The SDK selects a stream of which this is missing, but no properties.
            entry.metadata.setdefault((), StreamMetadata(selected=True))
            # A SCHEMA without a property that it names as key cannot be loaded.
            for name in keys:
                key = entry.metadata["properties", name]
                key.inclusion = Metadata.InclusionType.AUTOMATIC
        if self.replication_key not in {None, own.replication_key}:
            self.logger.warning(
                "The catalog's replication key `%s` is ignored: the stream has `%s`.",
                self.replication_key,
                own.replication_key,
            )
        self.primary_keys = own.primary_keys
        self.replication_key = own.replication_key
        if self.forced_replication_method != REPLICATION_FULL_TABLE:
            self.forced_replication_method = None

    @property
    @override
    def metadata(self) -> MetadataMapping:
        metadata = super().metadata
        for name in self.deselected_by_default:
            metadata["properties", name].selected_by_default = False
        return metadata

    @cached_property
    def converter(self) -> RecordConverter:
        """Makes records fit the schema, with the properties that are selected."""
        declared = self.effective_schema["properties"].keys()
        left_out = {
            name
            for name in self.schema["properties"].keys() - set(self.primary_keys)
            if name not in declared or not self.mask["properties", name]
        }
        return RecordConverter(self.schema, self.logger, left_out)

    @cached_property
    def _parts_left_out(self) -> bool:
        """Whether a catalog deselects something within a property."""
        parts = [one for one in self.mask if len(one) > len(("properties", "name"))]
        return not all(self.mask[part] for part in parts)

    @override
    def _generate_record_messages(
        self, record: types.Record
    ) -> Generator[RecordMessage, None, None]:
        # The SDK walks through each record for what is deselected or does not fit. That
        # takes as long as all else; the converter has done it, planned once.
        if self._parts_left_out:
            yield from super()._generate_record_messages(record)
            return
        for stream_map in self.stream_maps:
            mapped = self._mapped(stream_map, record)
            if mapped is not None:
                yield RecordMessage(
                    stream=stream_map.stream_alias,
                    record=mapped,
                    version=self._stream_version,
                    time_extracted=datetime.now(timezone.utc),
                )

    def _mapped(
        self, stream_map: StreamMap, record: types.Record
    ) -> types.Record | None:
        try:
            return stream_map.transform(record)
        except Exception:  # noqa: BLE001 (an expression can raise any)
            # What it says may hold customers' text.
            reason = (
                f"Setting `stream_maps`: an expression for `{self.name}` fails at a "
                "record. Does it use a property that is not selected, or may be null?"
            )
            raise StreamMapError(reason) from None

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
        held: Position | None = None
        _ = self.progress  # The time to its first line begins now.
        with self.page_errors_explained():
            for rows, position, _ in one_ahead(self.steps(), self._goes_on):
                if self.selected:
                    self.run.summary.count(self.name, rows=len(rows))
                self.announce(rows)
                yield from rows
                if self.selected and self.progress.due:
                    self.progress.tell(self._reached(rows), position)
                if position is None or self.holds_positions:
                    held = position
                else:
                    self.save(position)
        if held is not None:
            self.save(held)

    def _goes_on(self, step: Step) -> bool:
        # A test of the connection, for one, stops after the first record.
        return step.goes_on and self.ABORT_AT_RECORD_COUNT is None

    def _reached(self, rows: Sequence[Row]) -> str | None:
        if not rows or self.replication_key is None:
            return None
        return order.moment_of(rows[-1].get(self.replication_key))

    @contextlib.contextmanager
    def page_errors_explained(self) -> Iterator[None]:
        """Say whose page it is that cannot be read.

        Yields:
            Nothing.

        Raises:
            ApiError: In place of a `PageError`.
        """
        try:
            yield
        except PageError as error:
            raise ApiError(str(error), stream=self.name, path=self.path) from None

    @override
    def post_process(
        self, row: types.Record, context: types.Context | None = None
    ) -> types.Record | None:
        for path, names in self.masks:
            row = masking.masked_at(path, row, names)
        record = self.converter.convert(row)
        for key in self.primary_keys:
            if record.get(key) is None:
                keys = ", ".join(self.primary_keys)
                reason = f"a record came without its key ({keys})."
                raise ApiError(reason, stream=self.name, path=self.path)
        return record

    @override
    def log(
        self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any
    ) -> None:
        # The command line tells each failure, once and in full.
        told_twice = message == SDK_FAILURE_MESSAGE
        super().log(
            message, *args, level=logging.DEBUG if told_twice else level, **kwargs
        )

    @property
    def holds_positions(self) -> bool:
        """Whether a position may be saved only when all rows have been read."""
        return False

    def announce(self, rows: list[Row]) -> None:
        """Tell those who depend on them of rows that are about to be emitted.

        Args:
            rows: As Gorgias sent them.
        """

    def state_entry(self, position: Position) -> dict[str, Any]:
        """Say what STATE has to hold for the stream.

        Args:
            position: How far it is read.

        Returns:
            Its entry; an empty one is not stored.
        """
        return position.to_state(str(self.replication_key))

    def save(self, position: Position) -> None:
        """Save how far the stream is read.

        Args:
            position: The rows up to here are out.
        """
        if self.replication_method == REPLICATION_FULL_TABLE:
            return
        self.state_manager.save(self.state_entry(position))
        # A batch leaves later than its records come, and the SDK writes STATE after it.
        if not self.get_batch_config(self.config):
            self._tap.state_writer.write_state(self.tap_state)


def _check_schema(stream: str, schema: dict[str, Any], keys: Sequence[str]) -> None:
    """Check a schema that goes to the target as the catalog has it."""
    try:
        Draft7Validator.check_schema(schema)
        usable = schema["properties"].keys() >= set(keys)
    except (SchemaError, LookupError, TypeError, AttributeError):
        usable = False
    if not usable:
        message = f"The catalog's schema of `{stream}` is none, or lacks the keys."
        raise CatalogError(message)
