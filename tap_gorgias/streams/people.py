"""Customers and their details, users and teams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_gorgias.compat import override
from tap_gorgias.run.runner import Priority
from tap_gorgias.stream_types.children import DetailsStream
from tap_gorgias.stream_types.replication import FeedStream, SnapshotStream

if TYPE_CHECKING:
    from singer_sdk.helpers import types


class CustomersStream(FeedStream):
    """A row for each customer, without channels and the data of integrations."""

    name = "customers"
    priority = Priority.HIGH
    path = "/api/customers"
    scope = "customers:read"
    replication_key = "updated_datetime"
    order_by = "updated_datetime:desc"
    masks = ("data", "meta")

    @override
    def get_child_context(
        self, record: types.Record, context: types.Context | None
    ) -> types.Context:
        return {"customer_id": record["id"]}


class CustomerDetailsStream(DetailsStream):
    """A row for each customer that changed: one request per customer.

    It adds channels and the data of integrations, apps and shops to the properties of
    `customers`.
    """

    name = "customer_details"
    path = "/api/customers/{customer_id}"
    scope = "customers:read"
    parent_stream_type = CustomersStream
    masks = ("data", "ecommerce_data", "external_data", "integrations", "meta")


class UsersStream(SnapshotStream):
    """A row for each agent, administrator or bot.

    The API cannot order users by their last change, so the table is read completely.
    """

    name = "users"
    path = "/api/users"
    scope = "users:read"
    masks = ("meta",)


class TeamsStream(SnapshotStream):
    """A row for each team, with its members."""

    name = "teams"
    path = "/api/teams"
    scope = "users:read"
