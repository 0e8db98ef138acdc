"""Tickets, satisfaction surveys and tags."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar, cast

from tap_gorgias.compat import override
from tap_gorgias.errors import ApiError
from tap_gorgias.replication.bookmarks import TICKET_KEYS
from tap_gorgias.replication.imported_tickets import (
    WatchedPages,
    with_imports,
)
from tap_gorgias.replication.pages import started
from tap_gorgias.replication.walks import FEED_OVERLAP
from tap_gorgias.stream_types.base import Priority
from tap_gorgias.stream_types.replication import FeedStream, SnapshotStream
from tap_gorgias.streams.events import EventsStream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from singer_sdk.helpers import types

    from tap_gorgias.replication.pages import Page, PagesFrom
    from tap_gorgias.replication.walks import Step, WalkPlan
    from tap_gorgias.stream_types.replication import IncrementalStream

CREATION = "ticket-created"
EVENTS_UNAVAILABLE = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
}


class TicketsStream(FeedStream):
    """A row for each ticket, including spam and trash.

    After the first sync, tickets that an import dated back are found through the events
    of their creation.

    Gorgias does not update `updated_datetime` when a message is delivered, or when a
    custom field is set through the API: such a change is read with the next one.
    """

    name = "tickets"
    priority = Priority.HIGH
    path = "/api/tickets"
    scope = "tickets:read"
    scope_of_imports = EventsStream.scope
    replication_key = "updated_datetime"
    order_by: ClassVar[str] = "updated_datetime:desc"
    state_keys = TICKET_KEYS

    @override
    def get_child_context(
        self, record: types.Record, context: types.Context | None
    ) -> types.Context:
        return {"ticket_id": record["id"]}

    @override
    def walk(
        self,
        reader: IncrementalStream,
        plan: WalkPlan,
        pages_from: PagesFrom | None = None,
    ) -> Iterator[Step]:
        watched = WatchedPages(pages_from or self.pages_for(reader))
        return with_imports(
            super().walk(reader, plan, watched),
            position=plan.position,
            watched=watched,
            creations_since=lambda timestamp: self._creations(reader, timestamp),
            tickets_of=lambda ids: self.pages({"ticket_ids": ids}, reader=reader),
        )

    def _creations(self, reader: IncrementalStream, timestamp: str) -> Iterator[Page]:
        """Request the events of new tickets (reference/events)."""
        events = cast("EventsStream", self.tap.streams[EventsStream.name])
        pages = events.pages_since(timestamp, {"types": CREATION}, reader=reader)
        try:
            return started(pages)
        except ApiError as error:
            if error.status not in EVENTS_UNAVAILABLE:
                raise
            reader.logger.warning(
                "%s Without these events, the tap cannot find tickets that an import "
                "dates back. They need the permission `%s`.",
                error,
                self.scope_of_imports,
            )
            return iter(())


class SatisfactionSurveysStream(FeedStream):
    """A row for each satisfaction survey, whose score arrives days later.

    A score that arrives after the look-back is not read.
    """

    name = "satisfaction_surveys"
    priority = Priority.HIGH
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
