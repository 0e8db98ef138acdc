"""RECORD messages, created without the SDK's traversal of each record.

The SDK checks each value of each record against the selection of the catalog. The
converter has already dropped deselected properties, and checking again adds 10 to 20 %
to the CPU time of a run (`python -m tests.benchmarks cpu`). No public method avoids
this, so the private method `Stream._generate_record_messages` is replaced. It reads the
private attribute `Stream._stream_version`. It also applies stream maps, and so reports
their failures.
"""

from __future__ import annotations

from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING

from singer_sdk import RESTStream
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import CustomStreamMap
from singer_sdk.singerlib import RecordMessage

from tap_gorgias.compat import override
from tap_gorgias.errors import StreamMapError

if TYPE_CHECKING:
    from collections.abc import Generator

    from singer_sdk.helpers import types
    from singer_sdk.mapper import StreamMap


class ConvertedRecordStream(RESTStream[str | None]):
    """A stream whose records already match its schema and its selected properties."""

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    @cached_property
    def _has_deselected_subproperties(self) -> bool:
        """Whether the catalog deselects something inside a property."""
        nested = [path for path in self.mask if len(path) > len(("properties", "name"))]
        return not all(self.mask[path] for path in nested)

    @cached_property
    def _nulls(self) -> types.Record:
        """A record whose selected properties are null."""
        names = self.schema["properties"]
        return {name: None for name in names if self.mask["properties", name]}

    @override
    def _generate_record_messages(
        self, record: types.Record
    ) -> Generator[RecordMessage, None, None]:
        if self._has_deselected_subproperties:
            yield from super()._generate_record_messages(record)
            return
        for stream_map in self.stream_maps:
            mapped = self._apply_map(stream_map, record)
            if mapped is not None:
                yield RecordMessage(
                    stream=stream_map.stream_alias,
                    record=mapped,
                    version=self._stream_version,
                    time_extracted=datetime.now(timezone.utc),
                )

    def _apply_map(
        self, stream_map: StreamMap, record: types.Record
    ) -> types.Record | None:
        if isinstance(stream_map, CustomStreamMap):
            # In expressions, a property that Gorgias leaves out is null.
            record = self._nulls | record
        try:
            return stream_map.transform(record)
        except Exception:  # noqa: BLE001 (an expression can raise any exception)
            # The message of the exception may contain customer data.
            reason = (
                f"Setting `stream_maps`: an expression for `{self.name}` failed on a "
                "record. Does it use a property that is deselected or can be null?"
            )
            raise StreamMapError(reason) from None
