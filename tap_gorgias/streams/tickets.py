"""Tickets, and what belongs to them."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar

from tap_gorgias.compat import override
from tap_gorgias.errors import ApiError
from tap_gorgias.imports import EVENT_KEY, WatchedPages, with_imports
from tap_gorgias.pages import Page
from tap_gorgias.reading import FEED_OVERLAP
from tap_gorgias.stream import PAGE_ROWS, Begins
from tap_gorgias.streams.events import EventsStream
from tap_gorgias.ways import FeedStream, SnapshotStream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from singer_sdk.helpers import types

    from tap_gorgias.pages import Fetch
    from tap_gorgias.reading import Step, WalkPlan
    from tap_gorgias.ways import IncrementalStream

EVENTS_UNAVAILABLE = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
}


class TicketsStream(FeedStream):
    """A row for each ticket, trashed ones and spam included.

    After the first sync, tickets that an import dated back are found through the events
    of their creation.

    Gorgias does not move `updated_datetime` when a message is delivered, or when a
    custom field is set through the API: such a change comes with the ticket's next one.
    """

    name = "tickets"
    begins = Begins.FIRST
    path = "/api/tickets"
    scope = "tickets:read"
    scope_of_imports = EventsStream.scope
    replication_key = "updated_datetime"
    order_by: ClassVar[str] = "updated_datetime:desc"

    @override
    def get_child_context(
        self, record: types.Record, context: types.Context | None
    ) -> types.Context:
        return {"ticket_id": record["id"]}

    @override
    def walk(
        self, reader: IncrementalStream, plan: WalkPlan, fetch: Fetch | None = None
    ) -> Iterator[Step]:
        watched = WatchedPages(fetch or self.fetch(reader))
        return with_imports(
            super().walk(reader, plan, watched),
            position=plan.position,
            watched=watched,
            fetch_events_since=lambda moment: _creations(reader, moment),
            fetch_by_ids=lambda ids: self.fetch(reader, ticket_ids=ids),
        )


def _creations(reader: IncrementalStream, moment: str) -> Fetch:
    """Bind the request for events of new tickets (reference/events)."""
    params: dict[str, str | int] = {
        "limit": PAGE_ROWS,
        "order_by": f"{EVENT_KEY}:asc",
        "types": "ticket-created",
        f"{EVENT_KEY}[gte]": moment,
    }

    def fetch(cursor: str | None) -> Page:
        with_cursor = params if cursor is None else {**params, "cursor": cursor}
        try:
            return reader.page(with_cursor, EventsStream.path)
        except ApiError as error:
            if cursor is not None or error.status not in EVENTS_UNAVAILABLE:
                raise
            reader.logger.warning(
                "%s Without these events, tickets that an import dates back cannot be "
                "seen. They need the permission `%s`.",
                error,
                TicketsStream.scope_of_imports,
            )
            return Page([])

    return fetch


class SatisfactionSurveysStream(FeedStream):
    """A row for each satisfaction survey; its score arrives days after it was made.

    A score that arrives behind the look-back is not seen.
    """

    name = "satisfaction_surveys"
    begins = Begins.FIRST
    path = "/api/satisfaction-surveys"
    scope = "satisfaction_survey:read"
    replication_key = "created_datetime"
    order_by = "created_datetime:desc"

    @property
    @override
    def overlap(self) -> timedelta:
        return max(FEED_OVERLAP, self.run.settings.survey_lookback)


class TagsStream(SnapshotStream):
    """A row for each tag."""

    name = "tags"
    path = "/api/tags"
    scope = "tags:read"
