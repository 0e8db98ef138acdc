"""Details that the lists of tickets and customers do not contain."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING

from tap_gorgias.compat import override
from tap_gorgias.replication.bookmarks import RETRY_KEYS
from tap_gorgias.run.runner import Priority
from tap_gorgias.stream_types.children import FeedChildStream
from tap_gorgias.stream_types.replication import SingleRecordStream
from tap_gorgias.streams.people import CustomersStream
from tap_gorgias.streams.tickets import TicketsStream

if TYPE_CHECKING:
    from singer_sdk.helpers import types

    from tap_gorgias.replication.pages import Row


class DetailsStream(FeedChildStream, SingleRecordStream, ABC):
    """One row, and one request, for each parent that changed."""

    replication_key = "updated_datetime"
    selected_by_default = False

    @override
    def with_parent_keys(self, row: Row, context: types.Context) -> Row:
        return row


class TicketDetailsStream(DetailsStream):
    """A row for each ticket that changed: one request per ticket.

    It adds reply options, the survey and the complete customer to the properties of
    `tickets`. Its messages are read only if a catalog selects them.
    """

    name = "ticket_details"
    priority = Priority.LOW
    path = "/api/tickets/{ticket_id}"
    scope = "tickets:read"
    scope_of_imports = TicketsStream.scope_of_imports
    state_keys = TicketsStream.state_keys
    parent_stream_type = TicketsStream
    deselected_by_default = ("messages",)
    masks = (
        *("customer", "requester", "events", "meta"),
        *("messages.actions", "messages.meta"),
    )


class CustomerDetailsStream(DetailsStream):
    """A row for each customer that changed: one request per customer.

    It adds channels and the data of integrations, apps and shops to the properties of
    `customers`.
    """

    name = "customer_details"
    priority = Priority.LOW
    path = "/api/customers/{customer_id}"
    scope = "customers:read"
    state_keys = RETRY_KEYS
    parent_stream_type = CustomersStream
    masks = ("data", "ecommerce_data", "external_data", "integrations", "meta")
