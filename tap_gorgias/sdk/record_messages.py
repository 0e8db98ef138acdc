"""RECORD and BATCH messages whose rows have exactly the columns of their SCHEMA.

The SDK writes what a record has: columns that are absent, that flattening renames or
that it does not know shift the columns of some targets. In BATCH files it applies
neither flattening nor stream maps. It also checks each value of each record against the
selection of the catalog. The converter has already dropped deselected properties, and
checking again adds 10 to 20 % to the CPU time of a run (`python -m tests.benchmarks
cpu`). No public method avoids this, so the private method
`Stream._generate_record_messages` is replaced. `get_batches` also uses the private
method `Stream._sync_records`. They read the private attribute `Stream._stream_version`.
"""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING

from singer_sdk import RESTStream
from singer_sdk.batch import Batcher
from singer_sdk.helpers._catalog import pop_deselected_record_properties
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib import RecordMessage

from tap_gorgias.compat import override
from tap_gorgias.errors import GorgiasError, OutputError, StreamMapError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from singer_sdk.helpers import types
    from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchConfig
    from singer_sdk.mapper import StreamMap


class ConvertedRecordStream(RESTStream[str | None]):
    """A stream whose records already match its schema and its selected properties."""

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    @abstractmethod
    def report_unknown(self, name: str) -> None:
        """Log once that a field is left out because no column is declared for it."""

    @abstractmethod
    def publish(self) -> None:
        """Write the rows, then the position that was saved after them as STATE."""

    @cached_property
    def _has_deselected_subproperties(self) -> bool:
        """Whether the catalog deselects something inside a property."""
        nested = [path for path in self.mask if len(path) > len(("properties", "name"))]
        return not all(self.mask[path] for path in nested)

    @cached_property
    def _columns(self) -> list[tuple[StreamMap, list[str]]]:
        """The stream maps, with the columns that each declares in SCHEMA."""
        return [
            (stream_map, list(stream_map.transformed_schema["properties"]))
            for stream_map in self.stream_maps
        ]

    @override
    def _generate_record_messages(
        self, record: types.Record
    ) -> Generator[RecordMessage, None, None]:
        if self._has_deselected_subproperties:
            pop_deselected_record_properties(record, self.schema, self.mask)
        for stream_map, columns in self._columns:
            mapped = self._apply_map(stream_map, record)
            if mapped is not None:
                yield RecordMessage(
                    stream=stream_map.stream_alias,
                    record=self._in_columns(mapped, columns),
                    version=self._stream_version,
                    time_extracted=datetime.now(timezone.utc),
                )

    def _apply_map(
        self, stream_map: StreamMap, record: types.Record
    ) -> types.Record | None:
        try:
            return stream_map.transform(record)
        except Exception:  # noqa: BLE001 (an expression can raise any exception)
            # The message of the exception may contain customer data.
            reason = (
                f"Setting `stream_maps`: an expression for `{self.name}` failed on a "
                "record. Does it use a property that is deselected or can be null?"
            )
            raise StreamMapError(reason) from None

    def _in_columns(self, record: types.Record, columns: list[str]) -> types.Record:
        if list(record) == columns:
            return record
        declared = dict.fromkeys(columns)
        for name, value in record.items():
            if name in declared:
                declared[name] = value
            elif value is not None:
                # Flattening gives a column to each field of an object.
                self.report_unknown(name)
        return declared

    @override
    def get_batches(
        self, batch_config: BatchConfig, context: types.Context | None = None
    ) -> Iterator[tuple[BaseBatchFileEncoding, list[str]]]:
        if len(self.stream_maps) > 1:
            # The SDK names the same files for each.
            reason = (
                f"Setting `stream_maps`: `{self.name}` has several maps, which cannot "
                "be combined with `batch_config`."
            )
            raise StreamMapError(reason)
        batcher = Batcher(self.tap_name, self.name, batch_config)
        failures: list[GorgiasError] = []

        def rows() -> Iterator[types.Record]:
            try:
                for record in self._sync_records(context, write_messages=False):
                    for message in self._generate_record_messages(record):
                        yield message.record
            except GorgiasError as error:
                if error.ends_run:
                    raise
                failures.append(error)  # The rows before it fill the last file.

        try:
            for manifest in batcher.get_batches(records=rows()):
                yield batch_config.encoding, manifest
                self.publish()  # By now the SDK has written the BATCH message.
        except OSError as error:
            # The client and the writer raise their own errors. Files remain.
            reason = error.strerror or type(error).__name__
            message = f"Cannot write the output: {reason}."
            raise OutputError(message) from None
        self.publish()
        if failures:
            raise failures[0]
