"""Views, and the tickets or customers in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from tap_gorgias.api.paginators import NextItemsPaginator
from tap_gorgias.compat import override
from tap_gorgias.errors import ApiError
from tap_gorgias.replication.parents import GONE
from tap_gorgias.run.runner import Priority
from tap_gorgias.stream_types.children import ChildStream
from tap_gorgias.stream_types.replication import SnapshotStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.helpers import types
    from singer_sdk.pagination import BaseAPIPaginator

    from tap_gorgias.replication.pages import Page, Row


class ViewsStream(SnapshotStream):
    """A row for each view: a saved search over tickets or customers.

    The syntax tree of its filters is large: it is read only if a catalog selects it.
    """

    name = "views"
    path = "/api/views"
    scope = "tickets:read"
    deselected_by_default = ("filters_ast",)

    @override
    def get_child_context(
        self, record: types.Record, context: types.Context | None
    ) -> types.Context:
        of_customers = record.get("type") == "customer-list"
        item_type = "customer" if of_customers else "ticket"
        return {"view_id": record["id"], "item_type": item_type}


class ViewItemsStream(ChildStream[ViewsStream]):
    """A row for each ticket or customer in each view, read completely in each run.

    `item_type` says which of the two it is. The properties of the other are null.
    """

    name = "view_items"
    priority = Priority.LOW
    path = "/api/views/{view_id}/items"
    scope = "tickets:read"
    parent_stream_type = ViewsStream
    primary_keys = ("view_id", "id")
    selected_by_default = False
    masks = ("assignee_user.meta", "customer.meta", "data", "meta")
    gone_statuses = ()
    may_be_private = True

    @override
    def start_row(self, row: Row, *, is_retried: bool) -> Iterator[Page]:
        try:
            return super().start_row(row, is_retried=is_retried)
        except ApiError as error:
            if row.get("deactivated_datetime") and error.status in GONE:
                return iter(())
            raise

    @override
    def get_url_params(
        self, context: types.Context | None, next_page_token: str | None
    ) -> dict[str, Any]:
        params = super().get_url_params(None, None)
        return {**params, **dict(parse_qsl(next_page_token or ""))}

    @override
    def get_new_paginator(
        self, start_value: str | None = None
    ) -> BaseAPIPaginator[Any]:
        return NextItemsPaginator(start_value, self.page_size)
