"""Paginators: how one page of a list leads to the next (reference/pagination)."""

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
"""A longer one does not fit the URL of the next request."""

MAX_EMPTY_PAGES = 100
"""More in a row are not the work of a filter, but a list without an end."""

MAX_REPEATS = 3
"""A page may come again where rows were moved, but not more often."""


class CursorPaginator(BaseAPIPaginator[str | None]):
    """Follows `meta.next_cursor` until it is null; an empty page is not the end.

    Args:
        start_value: The cursor to start from, for example a saved one; None for the
            first page.
        page_size: How many rows a request asks for; None if the endpoint has no pages,
            or does not say where they end.
    """

    next_name = "next_cursor"
    """Name of the property of `meta` that leads to the next page."""

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
            PageError: If the cursor cannot be used. If the page is full and does not
                say whether another follows: null says that none does, but a missing
                property says nothing.
        """
        body = response.json()
        meta = meta_of(body)
        cursor = meta.get(self.next_name)
        if cursor is not None and not isinstance(cursor, str):
            message = f"the answer's `{self.next_name}` is no text."
            raise PageError(message)
        is_full = self._page_size is not None and len(rows_of(body)) >= self._page_size
        if is_full and self.next_name not in meta:
            message = (
                f"the page is full, but no `{self.next_name}` says whether another "
                "follows."
            )
            raise PageError(message)
        if cursor and len(cursor) > MAX_CURSOR_CHARACTERS:
            message = "the answer's cursor is too long."
            raise PageError(message)
        return cursor or None

    @override
    def advance(self, response: requests.Response) -> None:
        """Go on to the next page.

        Args:
            response: The response with the current page.

        Raises:
            PageError: If the list has no end: a cursor comes for the second time, the
                same rows come again and again, or so do empty pages.
        """
        cursor = self.get_next(response)
        if cursor is not None:
            self._progress.check(rows_of(response.json()), cursor)
        super().advance(response)


class NextItemsPaginator(CursorPaginator):
    """Follows `meta.next_items`, the URL of the next items of a view.

    Its values are the query parameters of that URL. Without `ignored_item` Gorgias
    answers the same page for ever.

    Args:
        start_value: Query parameters to start from; None for the first page.
        page_size: How many rows a request asks for.
        hosts: The hosts that a URL may lead to. Only its parameters are used, but a URL
            of another host is not to be trusted.
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
            message = "the address of the next items is none."
            raise PageError(message) from None
        is_elsewhere = parts.netloc and parts.netloc.lower() not in self._hosts
        if parts.scheme not in {"", "http", "https"} or is_elsewhere:
            message = "the address of the next items leads to another host."
            raise PageError(message)
        query = dict(parse_qsl(parts.query))
        chosen = {name: query[name] for name in self.parameters if name in query}
        return urlencode(chosen) or None


class _Progress:
    """Detects lists without an end.

    It finds repeated rows by Brent's algorithm, which remembers one page at a time: the
    first, second, fourth, eighth and so on.
    """

    def __init__(self, cursor: str | None) -> None:
        self._cursors = set() if cursor is None else {cursor}
        self._remembered: list[Any] = []
        self._repeats = 0
        self._full_pages = 0
        self._empty_pages = 0

    def check(self, rows: list[Row], cursor: str) -> None:
        """Check a page that another page follows.

        Args:
            rows: Its rows.
            cursor: The cursor of the next page.

        Raises:
            PageError: If the list has no end.
        """
        if problem := self._problem(rows, cursor):
            message = f"{problem}; reading on would never end."
            raise PageError(message)

    def _problem(self, rows: list[Row], cursor: str) -> str | None:
        if cursor in self._cursors:
            return "the same cursor came twice"
        self._cursors.add(cursor)
        if not rows:
            self._empty_pages += 1
            too_many = self._empty_pages >= MAX_EMPTY_PAGES
            return f"{MAX_EMPTY_PAGES} empty pages came in a row" if too_many else None
        self._empty_pages = 0
        ids = [row.get("id", row) for row in rows]
        if ids == self._remembered:
            self._repeats += 1
            too_many = self._repeats >= MAX_REPEATS
            return "the same rows came again and again" if too_many else None
        self._full_pages += 1
        if self._full_pages & (self._full_pages - 1) == 0:
            self._remembered = ids
        return None
