"""Paginators: from one page of a list to the next (reference/pagination)."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

from singer_sdk.pagination import BaseAPIPaginator

from tap_gorgias.compat import override
from tap_gorgias.replication.pages import PageError, next_of

if TYPE_CHECKING:
    import requests


class CursorPaginator(BaseAPIPaginator[str | None]):
    """Follows `meta.next_cursor` until it is null. An empty page is not the end.

    `page_size` is None if the endpoint has no pages, or does not mark the last one.
    """

    next_name = "next_cursor"
    """Property of `meta` that identifies the next page."""

    def __init__(
        self, start_value: str | None = None, page_size: int | None = None
    ) -> None:
        super().__init__(start_value)
        self.page_size = page_size

    @override
    def continue_if_empty(self, response: requests.Response) -> bool:
        return True

    @override
    def get_next(self, response: requests.Response) -> str | None:
        return next_of(
            response.json(),
            self.next_name,
            is_first=self.current_value is None,
            page_size=self.page_size,
        )


class NextItemsPaginator(CursorPaginator):
    """Follows `meta.next_items`, the URL of the next items of a view.

    Its values are the query parameters of that URL. Without `ignored_item`, Gorgias
    returns the same page forever.
    """

    next_name = "next_items"
    parameters = ("cursor", "direction", "ignored_item")

    @override
    def get_next(self, response: requests.Response) -> str | None:
        url = super().get_next(response)
        if url is None:
            return None
        query: dict[str, str] = {}
        with contextlib.suppress(ValueError):
            query = dict(parse_qsl(urlsplit(url).query))
        if "cursor" not in query:
            message = "the URL in `next_items` is invalid."
            raise PageError(message)
        return urlencode(
            {name: query[name] for name in self.parameters if name in query}
        )
