"""Responses and pages that need no server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

from tap_gorgias.api.paginators import CursorPaginator
from tap_gorgias.compat import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_gorgias.replication.pages import Page, PagesFrom


class JsonResponse(requests.Response):
    """A response with a decoded body."""

    def __init__(self, value: object) -> None:
        super().__init__()
        self._value = value

    @override
    def json(self, **kwargs: Any) -> Any:
        """Return the decoded body."""
        return self._value


def response_of(value: object) -> requests.Response:
    """Return a response with a decoded body."""
    return JsonResponse(value)


def paged(page_at: Callable[[str | None], Page]) -> PagesFrom:
    """Read a list in memory with the tap's paginator.

    Args:
        page_at: Returns the page at a cursor.

    Returns:
        A function that yields the pages from a cursor on.
    """

    def pages_from(cursor: str | None) -> Iterator[Page]:
        paginator = CursorPaginator(cursor)
        while not paginator.finished:
            page = page_at(paginator.current_value)
            yield page
            meta = {"next_cursor": page.next_cursor}
            paginator.advance(response_of({"data": page.rows, "meta": meta}))

    return pages_from
