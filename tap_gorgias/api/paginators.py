"""Paginators: from one page of a list to the next (reference/pagination)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from singer_sdk.pagination import BaseAPIPaginator

from tap_gorgias.compat import override
from tap_gorgias.replication.pages import PageError, meta_of, rows_of

if TYPE_CHECKING:
    from collections.abc import Container

    import requests

    from tap_gorgias.replication.pages import Row

MAX_CURSOR_CHARACTERS = 4000
"""Limit of a cursor, which must fit in the URL of the next request."""

MAX_EMPTY_PAGES = 100
"""Limit of consecutive empty pages. A filter can cause some, but not this many."""

MAX_REPEATS = 3
"""Limit of repeated pages. Rows that move in the list can repeat a page, but rarely."""


class CursorPaginator(BaseAPIPaginator[str | None]):
    """Follows `meta.next_cursor` until it is null. An empty page is not the end.

    Args:
        start_value: The cursor to start from, for example a saved one; None for the
            first page.
        page_size: Number of requested rows; None if the endpoint has no pages, or does
            not mark the last one.
    """

    next_name = "next_cursor"
    """Property of `meta` that identifies the next page."""

    def __init__(
        self, start_value: str | None = None, page_size: int | None = None
    ) -> None:
        super().__init__(start_value)
        self._page_size = page_size
        self._progress = _Progress(start_value)

    @override
    def continue_if_empty(self, response: requests.Response) -> bool:
        return True

    @override
    def get_next(self, response: requests.Response) -> str | None:
        """Return the cursor of the next page.

        Args:
            response: The response with the current page.

        Returns:
            The cursor; None after the last page.

        Raises:
            PageError: If the cursor is invalid, or if it is missing from a full page:
                only null marks a full page as the last one.
        """
        body = response.json()
        meta = meta_of(body)
        cursor = meta.get(self.next_name)
        if cursor is not None and not isinstance(cursor, str):
            message = f"the response's `{self.next_name}` is not a string."
            raise PageError(message)
        is_full = self._page_size is not None and len(rows_of(body)) >= self._page_size
        if is_full and self.next_name not in meta:
            message = (
                f"the page is full, but `{self.next_name}` is missing, so rows may be "
                "missing as well."
            )
            raise PageError(message)
        if cursor and len(cursor) > MAX_CURSOR_CHARACTERS:
            message = "the response's cursor is too long."
            raise PageError(message)
        return cursor or None

    @override
    def advance(self, response: requests.Response) -> None:
        """Advance to the next page.

        Args:
            response: The response with the current page.

        Raises:
            PageError: If the list does not end: a cursor is returned twice, or the same
                rows or empty pages too often.
        """
        cursor = self.get_next(response)
        if cursor is not None:
            self._progress.check(rows_of(response.json()), cursor)
        super().advance(response)


class NextItemsPaginator(CursorPaginator):
    """Follows `meta.next_items`, the URL of the next items of a view.

    Its values are the query parameters of that URL. Without `ignored_item`, Gorgias
    returns the same page forever.

    Args:
        start_value: Query parameters to start from; None for the first page.
        page_size: Number of requested rows.
        hosts: The permitted hosts of the URL. Although only its parameters are used, a
            URL of another host is not trusted.
    """

    next_name = "next_items"
    parameters = ("cursor", "direction", "ignored_item")

    def __init__(
        self, start_value: str | None, page_size: int | None, hosts: Container[str]
    ) -> None:
        super().__init__(start_value, page_size)
        self._hosts = hosts

    @override
    def get_next(self, response: requests.Response) -> str | None:
        url = super().get_next(response)
        if url is None:
            return None
        try:
            parts = urlsplit(url)
        except ValueError:
            message = "the URL in `next_items` is invalid."
            raise PageError(message) from None
        is_other_host = parts.netloc and parts.netloc.lower() not in self._hosts
        if parts.scheme not in {"", "http", "https"} or is_other_host:
            message = "the URL in `next_items` leads to another host."
            raise PageError(message)
        query = dict(parse_qsl(parts.query))
        params = {name: query[name] for name in self.parameters if name in query}
        return urlencode(params) or None


class _Progress:
    """Detects lists that do not end.

    It finds repeated pages with Brent's algorithm, which remembers one page at a time:
    the first, second, fourth, eighth and so on.
    """

    def __init__(self, cursor: str | None) -> None:
        self._cursors = set() if cursor is None else {cursor}
        self._remembered: list[Any] = []
        self._repeats = 0
        self._full_pages = 0
        self._empty_pages = 0

    def check(self, rows: list[Row], cursor: str) -> None:
        """Check a page that is not the last one.

        Args:
            rows: Rows of the page.
            cursor: The cursor of the next page.

        Raises:
            PageError: If the list does not end.
        """
        if problem := self._problem(rows, cursor):
            message = f"{problem}, so the list would never end."
            raise PageError(message)

    def _problem(self, rows: list[Row], cursor: str) -> str | None:
        if cursor in self._cursors:
            return "the same cursor was returned twice"
        self._cursors.add(cursor)
        if not rows:
            self._empty_pages += 1
            too_many = self._empty_pages >= MAX_EMPTY_PAGES
            return (
                f"{MAX_EMPTY_PAGES} empty pages were returned in a row"
                if too_many
                else None
            )
        self._empty_pages = 0
        ids = [row.get("id", row) for row in rows]
        if ids == self._remembered:
            self._repeats += 1
            too_many = self._repeats >= MAX_REPEATS
            return "the same rows were returned repeatedly" if too_many else None
        self._full_pages += 1
        if self._full_pages & (self._full_pages - 1) == 0:
            self._remembered = ids
        return None
