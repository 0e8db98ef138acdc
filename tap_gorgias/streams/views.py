"""The views of agents, and what is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tap_gorgias.compat import override
from tap_gorgias.pages import Page, PageError
from tap_gorgias.parents import ParentStream, PerParentStream
from tap_gorgias.ways import SnapshotStream

if TYPE_CHECKING:
    from collections.abc import Container

    from tap_gorgias.pages import Fetch, Row


class ViewsStream(ParentStream, SnapshotStream):
    """A row for each view: a saved search over tickets or customers.

    The syntax tree of its filters is large: it is left out unless it is selected in the
    catalog.
    """

    name = "views"
    path = "/api/views"
    scope = "tickets:read"
    deselected_by_default = ("filters_ast",)


class ViewItemsStream(PerParentStream):
    """A row for each ticket or customer in each view, read whole each time.

    `item_type` tells which of the two it is. The fields of the other kind are null.
    """

    name = "view_items"
    path = "/api/views"
    scope = "tickets:read"
    parent_stream_type = ViewsStream
    context_key = "view_id"
    primary_keys = ("view_id", "id")
    selected_by_default = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Make a stream of one tap; see `GorgiasStream`."""
        super().__init__(*args, **kwargs)
        self._item_types: dict[int, str] = {}

    @override
    def wants(self, row: Row) -> bool:
        of_customers = row.get("type") == "customer-list"
        self._item_types[row["id"]] = "customer" if of_customers else "ticket"
        return True

    @override
    def of(self, parent: int) -> Fetch:
        def fetch(cursor: str | None) -> Page:
            params = {**self.params(), **dict(parse_qsl(cursor or ""))}
            page = self.page(params, f"{self.path}/{parent}/items", "next_items")
            following = _next_items(page.next_cursor, self.run.settings.hosts)
            return Page(page.rows, following, page.now)

        return fetch

    @override
    def completed(self, row: Row, parent: int) -> Row:
        return {"view_id": parent, "item_type": self._item_types[parent], **row}


def _next_items(address: str | None, hosts: Container[str]) -> str | None:
    """Take the parameters of the next page out of its address.

    Without `ignored_item` the API answers the same page for ever.
    """
    if address is None:
        return None
    try:
        parts = urlsplit(address)
    except ValueError:
        message = "the address of the next items is none."
        raise PageError(message) from None
    # Only its parameters are used, but what leads elsewhere is not to be trusted.
    if parts.scheme not in {"", "http", "https"} or (
        parts.netloc and parts.netloc.lower() not in hosts
    ):
        message = "the address of the next items leads to another host."
        raise PageError(message)
    given = dict(parse_qsl(parts.query))
    wanted = ("cursor", "direction", "ignored_item")
    return urlencode({name: given[name] for name in wanted if name in given}) or None
