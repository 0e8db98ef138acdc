"""Customers, and those who answer them."""

from __future__ import annotations

from tap_gorgias.parents import ParentFeedStream
from tap_gorgias.ways import SnapshotStream


class CustomersStream(ParentFeedStream):
    """A row for each customer, without channels and integrations' data."""

    name = "customers"
    path = "/api/customers"
    scope = "customers:read"
    replication_key = "updated_datetime"
    order_by = "updated_datetime:desc"


class UsersStream(SnapshotStream):
    """A row for each agent, administrator or bot.

    Users cannot be ordered by their last change, so the table is read whole.
    """

    name = "users"
    path = "/api/users"
    scope = "users:read"


class TeamsStream(SnapshotStream):
    """A row for each team, with its members."""

    name = "teams"
    path = "/api/teams"
    scope = "users:read"
