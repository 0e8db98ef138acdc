"""Messages of tickets: as a list, or also asked for ticket by ticket once a day."""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE

from tap_gorgias.compat import override
from tap_gorgias.replication.bookmarks import (
    SETTLED_KEYS,
    Position,
    bookmark_from,
    retry_from,
    walk_from,
)
from tap_gorgias.replication.imported_tickets import ids_in
from tap_gorgias.replication.pages import up_to_the_present
from tap_gorgias.replication.settling import Settling
from tap_gorgias.replication.walks import WalkPlan
from tap_gorgias.run.runner import Priority
from tap_gorgias.stream_types.children import ChildStream
from tap_gorgias.stream_types.replication import FeedStream
from tap_gorgias.streams.tickets import TicketsStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from singer_sdk import Tap
    from singer_sdk.helpers import types

    from tap_gorgias.replication.pages import Page
    from tap_gorgias.replication.walks import Step
    from tap_gorgias.run.context import Run


class MessagesStream(FeedStream):
    """A row for each message of a ticket, including internal notes.

    Messages have no date of change. Those before the look-back are not read again, and
    messages that an import dates back are never read.
    """

    name = "messages"
    priority = Priority.LOW
    path = "/api/messages"
    scope = "tickets:read"
    replication_key = "created_datetime"
    order_by = "created_datetime:desc"
    selected_by_default = False
    masks = ("actions", "last_sending_error", "macros", "meta")

    lookback = "message_lookback"


class TicketMessagesStream(ChildStream[TicketsStream], FeedStream):
    """A row for each message: from the list in each run, by ticket once a day.

    The list of messages returns new ones at the price of one request per 100. It does
    not show messages that an import dated back, or that a merge moved to another
    ticket. So the messages of each changed ticket are requested as well, at most once
    in `ticket_messages_settle_hours`: the ticket is settled.

    An edited message is read when its ticket is settled. Editing or deleting a message
    does not update its ticket, and makes no event (observed in recordings).
    """

    name = "ticket_messages"
    priority = Priority.HIGH
    path = "/api/messages"
    scope = "tickets:read"
    scope_of_imports = TicketsStream.scope_of_imports
    parent_stream_type = TicketsStream
    replication_key = "created_datetime"
    order_by = "created_datetime:desc"
    state_keys = SETTLED_KEYS
    masks = MessagesStream.masks
    requests_in_flight = 2
    contexts_per_state = 1

    def __init__(self, tap: Tap, run: Run) -> None:
        super().__init__(tap, run)
        self._ids_of_last_ticket: set[int] = set()

    def settling(self) -> Settling:
        """Return how far the tickets have been settled, as STATE says."""
        saved = self.load_entry()
        # Tickets are settled from a bookmark on that was set back by hand.
        settled = bookmark_from(saved, self.name, "settled") or bookmark_from(
            saved, self.name
        )
        position = Position(
            settled,
            self.usable(partial(walk_from, key="settling"), saved),
            imports=bookmark_from(saved, self.name, "imports"),
            retry=retry_from(saved),
        )
        every = self.run.settings.ticket_messages_settle_interval
        since = bookmark_from(saved, self.name, "since")
        return Settling(position, since, self.start, every)

    @override
    def load_position(self) -> Position:
        return self.settling().beside(super().load_position())

    @override
    def steps(self) -> Iterator[Step]:
        settling = self.settling()
        if settling.position == Position() and not self.has_been_read:
            # Tickets that change while the list is read are settled afterwards.
            tickets = up_to_the_present(self.parent.pages())
            settling = settling.begun(tickets[-1])
        position = settling.beside(super().load_position())
        for step in self.walk(WalkPlan(position, self.floor)):
            position = step.position or position
            yield step
        if self.replication_method == REPLICATION_FULL_TABLE:
            return
        self.run.wait_for_other_streams(self.name)
        tickets_walk = self.parent.walk(settling.plan)
        for step in self.children_of(tickets_walk, settling.position):
            if step.position is not None:
                settling = settling.moved(step.position)
            after = step.position and settling.beside(position)
            yield step._replace(position=after)

    @override
    def get_url_params(
        self, context: types.Context | None, next_page_token: str | None
    ) -> dict[str, Any]:
        params = super().get_url_params(context, next_page_token)
        if context is not None:
            params.update({"order_by": "created_datetime:asc", **context})
        return params

    @override
    def pages_of(
        self, context: types.Context, response: Callable[[], Iterator[Page]]
    ) -> Iterator[Page]:
        pages = response()
        first = next(pages)
        ids = {*ids_in(first.rows, "id")}
        if not ids.isdisjoint(self._ids_of_last_ticket):
            # A merge moved messages while both tickets were requested, and the later
            # response may be the older one.
            pages = self.start_pages(context)
            first = next(pages)
        self._ids_of_last_ticket = ids
        return itertools.chain([first], pages)
