"""Tickets and their details, satisfaction surveys and tags."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar

from tap_gorgias.compat import override
from tap_gorgias.errors import ApiError
from tap_gorgias.replication.bookmarks import TICKET_KEYS
from tap_gorgias.replication.imported_tickets import Sources, with_imports
from tap_gorgias.replication.pages import restarted_once, started
from tap_gorgias.run.runner import Priority
from tap_gorgias.stream_types.children import DetailsStream
from tap_gorgias.stream_types.replication import FeedStream, SnapshotStream
from tap_gorgias.streams.events import EventsStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from singer_sdk.helpers import types

    from tap_gorgias.replication.pages import Page
    from tap_gorgias.replication.walks import Step, WalkPlan

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
    masks = ("assignee_user.meta", "customer.meta", "meta")

    @override
    def get_child_context(
        self, record: types.Record, context: types.Context | None
    ) -> types.Context:
        return {"ticket_id": record["id"]}

    @override
    def walk(self, plan: WalkPlan) -> Iterator[Step]:
        sources = Sources(self._creations, self.with_ids, self._leave_out)
        return with_imports(super().walk(plan), plan.position, sources)

    @override
    def with_ids(self, ids: Sequence[int]) -> Iterator[Page]:
        return self.pages(params={"ticket_ids": ids})

    def _leave_out(self, ticket: int, refusal: ApiError) -> None:
        reason = f"{refusal} The new ticket {ticket} is left out."
        self.for_stream.report_incomplete(reason)

    def _creations(self, timestamp: str) -> Iterator[Page]:
        """Request the events of new tickets (reference/events)."""
        events = EventsStream.reading_for(self)
        pages = restarted_once(
            lambda: events.pages_since(timestamp, {"types": CREATION}),
            events.warn_of_restart,
        )
        try:
            return started(pages)
        except ApiError as error:
            if error.status not in EVENTS_UNAVAILABLE:
                raise
            self.logger.warning(
                "%s Without these events, the tap cannot find tickets that an import "
                "dates back. They need the permission `%s`.",
                error,
                self.scope_of_imports,
            )
            return iter(())


class TicketDetailsStream(DetailsStream):
    """A row for each ticket that changed: one request per ticket.

    It adds reply options, the survey and the complete customer to the properties of
    `tickets`. Its messages are read only if a catalog selects them.
    """

    name = "ticket_details"
    path = "/api/tickets/{ticket_id}"
    scope = "tickets:read"
    scope_of_imports = TicketsStream.scope_of_imports
    state_keys = TicketsStream.state_keys
    parent_stream_type = TicketsStream
    deselected_by_default = ("messages",)
    masks = (
        *("customer", "requester", "events", "meta"),
        *("messages.actions", "messages.last_sending_error", "messages.meta"),
    )


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
    masks = ("meta",)

    lookback = "survey_lookback"


class TagsStream(SnapshotStream):
    """A row for each tag."""

    name = "tags"
    path = "/api/tags"
    scope = "tags:read"
