"""Streams of what an account may lack."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, ClassVar

from tap_gorgias.compat import override
from tap_gorgias.errors import ApiError
from tap_gorgias.stream_types.base import GorgiasStream

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from singer_sdk.helpers import types


class OptionalStream(GorgiasStream, ABC):
    """A stream without rows, and with a warning, if the account lacks its subject."""

    unavailable_statuses: ClassVar[Collection[int]]
    """What Gorgias presumably answers to an account that lacks it."""

    unavailable_reason: str
    """Why it is unavailable, and what the user can do: the end of a sentence."""

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        # It comes before the rows, and a target would drop the table of a stream that
        # then has none.
        return False

    @override
    def get_records(self, context: types.Context | None) -> Iterable[types.Record]:
        begun = False
        try:
            for record in super().get_records(context):
                begun = True
                yield record
        except ApiError as error:
            if begun or error.status not in self.unavailable_statuses:
                raise
            self.logger.warning(
                "No rows for `%s`: Gorgias answers %d, %s",
                self.name,
                error.status,
                self.unavailable_reason,
            )
