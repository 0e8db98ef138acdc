"""Messages of tickets: as a plain feed, or settled with their tickets."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE

from tap_gorgias.compat import override
from tap_gorgias.replication import walks
from tap_gorgias.replication.bookmarks import SETTLED_KEYS, Position, bookmark_from
from tap_gorgias.replication.settling import Settling
from tap_gorgias.replication.walks import WalkPlan
from tap_gorgias.stream_types.base import Priority
from tap_gorgias.stream_types.children import ChildStream
from tap_gorgias.stream_types.replication import FeedStream
from tap_gorgias.streams.tickets import TicketsStream

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import timedelta

    from singer_sdk.helpers import types

    from tap_gorgias.replication.pages import Page
    from tap_gorgias.replication.walks import Step


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
    masks = ("actions", "macros", "meta")

    @property
    @override
    def overlap(self) -> timedelta:
        return max(walks.FEED_OVERLAP, self.run.settings.message_lookback)


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

    _list_position = Position()
    _ids_of_last_ticket: Collection[Any] = ()

    @cached_property
    def settling(self) -> Settling:
        """How far the tickets have been settled."""
        saved = self.saved()
        # Tickets are settled from a bookmark on that was set back by hand.
        settled = bookmark_from(saved, self.name, "settled") or bookmark_from(
            saved, self.name
        )
        position = Position(
            settled,
            self.saved_walk("settling"),
            imports=bookmark_from(saved, self.name, "imports"),
        )
        every = self.run.settings.ticket_messages_settle_interval
        since = bookmark_from(saved, self.name, "since")
        return Settling(position, since, self.start, every)

    @property
    @override
    def partitions(self) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        yield {}  # Without a context, the stream reads the list.
        if self.replication_method != REPLICATION_FULL_TABLE:
            self.run.wait_for_other_streams(self.name)
            yield from self.contexts_of(self.parent_steps())

    @override
    def steps(self, context: types.Context | None) -> Iterator[Step]:
        if context is not None:
            yield from super().steps(context)
            return
        self._list_position = replace(self.position(), imports=None)
        if self._list_position == self.settling.position == Position():
            # Tickets that change while the list is read are settled afterwards.
            newest_tickets = next(self.parent.pages(reader=self))
            self.settling.begin(newest_tickets)
        yield from self.walk(self, WalkPlan(self._list_position, self.floor))

    @override
    def parent_steps(self) -> Iterator[Step]:
        return self.parent.walk(self, self.settling.plan)

    @override
    def get_url_params(
        self, context: types.Context | None, next_page_token: str | None
    ) -> dict[str, Any]:
        if context is not None:
            context = {"order_by": "created_datetime:asc", **context}
        return super().get_url_params(context, next_page_token)

    @override
    def prefetched_pages(self, context: types.Context) -> Iterator[Page]:
        pages = super().prefetched_pages(context)
        first = next(pages)
        ids = {row.get("id") for row in first.rows}
        if not ids.isdisjoint(self._ids_of_last_ticket):
            # A merge moved messages while both tickets were requested, and the later
            # response may be the older one.
            pages = self.pages(context)
            first = next(pages)
        self._ids_of_last_ticket = ids
        return itertools.chain([first], pages)

    @override
    def save(self, position: Position | None) -> None:
        self._list_position = position or self._list_position
        super().save(position)

    @override
    def save_parents(self, position: Position | None) -> None:
        if position is not None:
            self.settling.move(position)
            position = self._list_position
        super().save(position)

    @override
    def state_entry(self, position: Position) -> dict[str, Any]:
        return {**super().state_entry(position), **self.settling.to_state()}
