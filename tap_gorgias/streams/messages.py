"""The messages of tickets: by their tickets, or as a plain feed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_gorgias import order, reading
from tap_gorgias.compat import override
from tap_gorgias.parents import FollowerStream
from tap_gorgias.positions import bookmark_from
from tap_gorgias.stream import PAGE_ROWS
from tap_gorgias.streams.tickets import TicketsStream
from tap_gorgias.ways import FeedStream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from tap_gorgias.pages import Fetch, Row
    from tap_gorgias.positions import Position
    from tap_gorgias.reading import Step


class MessagesStream(FeedStream):
    """A row for each message of a ticket, internal notes included.

    Messages have no date of change. Those behind the look-back are not read again, and
    messages that an import dates back are never seen.
    """

    name = "messages"
    path = "/api/messages"
    scope = "tickets:read"
    replication_key = "created_datetime"
    order_by = "created_datetime:desc"
    selected_by_default = False

    @property
    @override
    def overlap(self) -> timedelta:
        return max(reading.FEED_OVERLAP, self.run.settings.message_lookback)


class TicketMessagesStream(FollowerStream):
    """A row for each message, read in two gears.

    Until it has been completed once, all messages are read in bulk, 100 a request.
    Afterwards each ticket that changed is asked for its messages, which brings imported
    ones with an old date, moved ones and edits as well.

    The newest change of any ticket tells when the bulk began: tickets that changed
    since are asked one by one. So are tickets that were created before `start_date` and
    changed since, because part of their conversation lies before it; STATE holds
    `since` until they are done. From then on the bookmark is a moment in the order of
    the tickets' changes, as that of every follower.
    """

    name = "ticket_messages"
    path = "/api/messages"
    scope = "tickets:read"
    parent_stream_type = TicketsStream
    context_key = "ticket_id"
    replication_key = "created_datetime"
    order_by = "created_datetime:desc"

    _since: str | None = None

    @override
    def of(self, parent: int) -> Fetch:
        return self.fetch(ticket_id=str(parent), order_by="created_datetime:asc")

    @override
    def catch_up(self) -> None:
        if self.bookmark is None:
            self.sync()
        else:
            self._since = bookmark_from(self.saved(), self.name, "since")

    @override
    def steps(self) -> Iterator[Step]:
        position = self.position(lambda _: self.start)
        self._since = position.walk.floor if position.walk else self.start
        return reading.bulk(
            self.fetch(),
            key=self.replication_key,
            position=position,
            begins_at=self._newest_change,
            start=self.start,
            warn_of_order=self.warn_of_order,
            warn_of_restart=self.warn_of_restart,
        )

    def _newest_change(self) -> str | None:
        order_by = TicketsStream.order_by
        page = self.page({"limit": PAGE_ROWS, "order_by": order_by}, TicketsStream.path)
        return order.newest_of(page, TicketsStream.replication_key)

    @override
    def save(self, position: Position) -> None:
        if position.walk is None:
            self.bookmark = position.bookmark
        super().save(position)

    @override
    def state_entry(self, position: Position) -> dict[str, Any]:
        entry = super().state_entry(position)
        if position.bookmark is not None and self._since is not None:
            entry["since"] = self._since
        return entry

    @override
    def begin_walk(self) -> str | None:
        floor = super().begin_walk()
        return None if floor is None else min(floor, self._since or floor)

    @override
    def wants(self, row: Row) -> bool:
        return super().wants(row) or order.is_before(
            row.get("created_datetime"), self._since
        )

    @override
    def finish_walk(self, bookmark: str | None) -> None:
        self._since = None
        super().finish_walk(bookmark)
