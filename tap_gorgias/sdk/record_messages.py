"""RECORD messages, made without the SDK's walk through each record.

The SDK looks at each value of each record for what a catalog deselects. The converter
has left that out already, planned once, and to look again adds 10 to 20 % to the CPU
time of a run (`python -m tests.benchmarks cpu`). There is no public way around it: the
private method `Stream._generate_record_messages` is replaced, and reads the private
`Stream._stream_version`. It applies stream maps too, so it explains their failures.
"""

from __future__ import annotations

from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING

from singer_sdk import RESTStream
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib import RecordMessage

from tap_gorgias.compat import override
from tap_gorgias.errors import StreamMapError

if TYPE_CHECKING:
    from collections.abc import Generator

    from singer_sdk.helpers import types
    from singer_sdk.mapper import StreamMap


class ConvertedRecordStream(RESTStream[str | None]):
    """A stream whose records fit schema and selection when the SDK receives them."""

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    @cached_property
    def _parts_left_out(self) -> bool:
        """Whether a catalog deselects something within a property."""
        parts = [one for one in self.mask if len(one) > len(("properties", "name"))]
        return not all(self.mask[part] for part in parts)

    @override
    def _generate_record_messages(
        self, record: types.Record
    ) -> Generator[RecordMessage, None, None]:
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
