"""What happened in the helpdesk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_gorgias.compat import override
from tap_gorgias.ways import LogStream

if TYPE_CHECKING:
    from collections.abc import Sequence


class EventsStream(LogStream):
    """A row for each thing that an agent, a rule or a customer did.

    It is the only list that the API filters by date. Gorgias is said to keep events for
    twelve months.
    """

    name = "events"
    path = "/api/events"
    scope = "events:read"

    @override
    def params(self) -> dict[str, str | int | Sequence[str]]:
        params = super().params()
        if self.run.settings.event_types:
            params["types"] = self.run.settings.event_types
        return params
