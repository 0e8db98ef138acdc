"""Responses and pages that need no server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

from tap_gorgias.compat import override
from tap_gorgias.replication.pieces import ListReader

if TYPE_CHECKING:
    from collections.abc import Callable

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
    """Return a function that reads a list in memory as those of Gorgias."""
    reader = ListReader(lambda cursor, _size, _seconds: page_at(cursor))
    return lambda cursor: reader.pages(cursor, None)
