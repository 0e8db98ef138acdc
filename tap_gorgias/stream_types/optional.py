"""Streams of features that an account may not have."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, ClassVar

from tap_gorgias.compat import override
from tap_gorgias.errors import ApiError
from tap_gorgias.stream_types.replication import IncrementalStream

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from singer_sdk.helpers import types


class OptionalStream(IncrementalStream, ABC):
    """A stream without rows, but with a warning, in accounts without the feature."""

    unavailable_statuses: ClassVar[Collection[int]]
    """The status codes that probably mean that the feature is unavailable."""

    unavailable_reason: str
    """Why it is unavailable, and what the user can do: the end of a sentence."""

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
                "No rows for `%s`: Gorgias answers %d, %s",
                self.name,
                error.status,
                self.unavailable_reason,
                extra={"is_harmless": True},
            )
