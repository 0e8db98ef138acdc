"""Pages of a list, as the ways of reading see them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

Row: TypeAlias = dict[str, Any]


class PageError(ValueError):
    """A response that is not a page, or a list that has no end."""


@dataclass(frozen=True)
class Page:
    """Up to 100 rows and the cursor of the next page."""

    rows: list[Row]
    next_cursor: str | None = None
    now: str | None = None
    """The latest time at which Gorgias can have made the page, by its own clock."""
    total: int | None = None
    """How many rows all pages have together, where Gorgias says so (in reports)."""


PagesFrom: TypeAlias = Callable[[str | None], Iterator[Page]]
"""From a cursor (None: the first page) to the pages from there on."""


def started(pages: Iterator[Page]) -> Iterator[Page]:
    """Request the first page now, so that a refusal is raised here.

    Args:
        pages: At least one page.

    Returns:
        The same pages.

    Raises:
        ApiError: If Gorgias refuses the first page.
        PageError: If the response is not a page.
    """
    return itertools.chain([next(pages)], pages)


def rows_of(body: Any) -> list[Row]:  # noqa: ANN401
    """Return the rows in the response of a list endpoint.

    Args:
        body: `{"data": [...], "meta": {"next_cursor": ...}}`, or a bare array, which
            some endpoints are documented to return. With missing permissions a list
            may return null as `data`.

    Raises:
        PageError: If the response has neither form.
    """
    rows = body
    if isinstance(body, dict) and "data" in body:
        rows = [] if body["data"] is None else body["data"]
    if not isinstance(rows, list):
        message = "the response holds no list of records."
        raise PageError(message)
    if not all(isinstance(row, dict) for row in rows):
        message = "the list in the response holds something that is not a record."
        raise PageError(message)
    return rows


def meta_of(body: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return what a response says about its page.

    Args:
        body: The decoded response of a list endpoint.

    Returns:
        Its `meta`; empty if it has none.

    Raises:
        PageError: If `meta` is not an object. That must not be mistaken for the end of
            the list.
    """
    meta = body.get("meta") if isinstance(body, dict) else None
    if meta is not None and not isinstance(meta, dict):
        message = "the response's `meta` is not an object."
        raise PageError(message)
    return meta or {}
