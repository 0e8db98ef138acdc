"""What the lists of tickets and customers lack: a request for each that changed."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING

from tap_gorgias.children import FeedChildStream
from tap_gorgias.compat import override
from tap_gorgias.pages import Page, PageError
from tap_gorgias.stream import Begins
from tap_gorgias.streams.people import CustomersStream
from tap_gorgias.streams.tickets import TicketsStream

if TYPE_CHECKING:
    from singer_sdk.helpers import types

    from tap_gorgias.pages import Fetch, Row


class DetailsStream(FeedChildStream, ABC):
    """One row for each parent that changed, at the price of a request."""

    replication_key = "updated_datetime"
    selected_by_default = False

    @override
    def fetch_for(self, context: types.Context) -> Fetch:
        (parent_id,) = context.values()

        def fetch(_: str | None) -> Page:
            details, now = self.get({}, f"{self.path}/{parent_id}")
            if not isinstance(details, dict):
                message = "the answer holds no record."
                raise PageError(message)
            return Page([details], now=now)

        return fetch

    @override
    def complete(self, row: Row, context: types.Context) -> Row:
        return row


class TicketDetailsStream(DetailsStream):
    """A row for each ticket that changed: a request each.

    It adds reply options, the survey and the whole customer to what `tickets` holds.
    The messages in it are left out unless they are selected in the catalog.
    """

    name = "ticket_details"
    begins = Begins.LATE
    path = "/api/tickets"
    scope = "tickets:read"
    scope_of_imports = TicketsStream.scope_of_imports
    parent_stream_type = TicketsStream
    deselected_by_default = ("messages",)


class CustomerDetailsStream(DetailsStream):
    """A row for each customer that changed: a request each.

    It adds channels and the data of integrations, apps and shops to what `customers`
    holds.
    """

    name = "customer_details"
    begins = Begins.LATE
    path = "/api/customers"
    scope = "customers:read"
    parent_stream_type = CustomersStream
