"""What happened in the helpdesk."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from tap_gorgias.compat import override
from tap_gorgias.errors import ApiError
from tap_gorgias.stream import Begins
from tap_gorgias.ways import LogStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_gorgias.pages import Fetch, Page, Row
    from tap_gorgias.reading import Step


class EventsStream(LogStream):
    """A row for each thing that an agent, a rule or a customer did.

    It is the only list that the API filters by date. Gorgias is said to keep events for
    twelve months.
    """

    name = "events"
    begins = Begins.LAST
    path = "/api/events"
    scope = "events:read"

    @override
    def params(self) -> dict[str, str | int | Sequence[str]]:
        params = super().params()
        if self.run.settings.event_types:
            params["types"] = self.run.settings.event_types
        return params


DELETIONS = (
    "customer-deleted",
    "customer-merged",
    "facebook-comment-deleted",
    "facebook-message-deleted",
    "facebook-post-deleted",
    "facebook-review-deleted",
    "integration-data-item-deleted",
    "integration-deleted",
    "macro-deleted",
    "rule-deleted",
    "satisfaction-survey-deleted",
    "tag-deleted",
    "tag-merged",
    "team-deleted",
    "ticket-deleted",
    "ticket-merged",
    "ticket-message-deleted",
    "user-deleted",
    "view-deleted",
    "widget-deleted",
)
"""Types of events that tell of something that is gone (reference/the-event-object)."""

_MERGED = "-merged"
_GONE = ("-deleted", _MERGED)
_SOURCE = re.compile(r"source_(?:[a-z_]+_)?id")


class DeletionsStream(LogStream):
    """A row for each thing that was deleted, or merged into another.

    Elsewhere such a thing just vanishes. Gorgias filters the events by their types. If
    it does not know one of these, all events are read to find the deletions.
    """

    name = "deletions"
    path = "/api/events"
    scope = "events:read"

    @override
    def fetch_since(
        self, moment: str | None, **more_params: str | Sequence[str]
    ) -> Fetch:
        every = super().fetch_since(moment, **more_params)
        chosen = super().fetch_since(moment, types=DELETIONS, **more_params)

        def fetch(cursor: str | None) -> Page:
            nonlocal chosen
            try:
                return chosen(cursor)
            except ApiError as error:
                if error.status != HTTPStatus.BAD_REQUEST or cursor is not None:
                    raise
                # The types are to blame if it works without them.
                page = every(None)
                chosen = every
                self.logger.warning(
                    "%s All events are read instead, to find the deletions.", error
                )
                return page

        return fetch

    @override
    def steps(self) -> Iterator[Step]:
        for step in super().steps():
            gone = [row for row in step.rows if str(row.get("type")).endswith(_GONE)]
            yield step._replace(rows=[_deletion(row) for row in gone])


def _deletion(event: Row) -> Row:
    merged = str(event["type"]).endswith(_MERGED)
    names = ("id", "object_type", "object_id", "type", "created_datetime", "user_id")
    return {
        **{name: event.get(name) for name in names},
        "source_object_id": _source(event.get("data")) if merged else None,
        "target_object_id": event.get("object_id") if merged else None,
        "data": event.get("data"),
    }


def _source(data: object) -> object:
    """Find the id that vanished, for example `source_customer_id`."""
    if not isinstance(data, dict):
        return None
    return next((data[name] for name in data if _SOURCE.fullmatch(name)), None)
