"""Pages of a list: what an answer holds, and how one leads to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

Row: TypeAlias = dict[str, Any]

MAX_CURSOR_CHARACTERS = 4000
"""A longer one does not fit the address of the next request."""

MAX_EMPTY_PAGES = 100
"""So many in a row are no filter at work, but a list without an end."""

MAX_REPEATS = 3
"""A page may come again where rows were moved, but not so often."""


class PageError(ValueError):
    """An answer that is no page, or pages that go round in circles."""


@dataclass(frozen=True)
class Page:
    """Up to 100 rows and the cursor of the page after them."""

    rows: list[Row]
    next_cursor: str | None = None
    now: str | None = None
    """The latest moment at which the page can have been made, by Gorgias' clock."""


Fetch: TypeAlias = Callable[[str | None], Page]
"""From a cursor (None: the first page) to the page that begins there."""


def parse_page(
    body: Any,  # noqa: ANN401
    now: str | None = None,
    *,
    limit: int | None,
    leads_on: str = "next_cursor",
) -> Page:
    """Find rows and cursor in the answer of a list endpoint.

    Args:
        body: `{"data": [...], "meta": {"next_cursor": ...}}`, or a bare array, which
            some endpoints are documented to answer. With missing permissions a list
            may answer null as `data`.
        now: When it was answered, by Gorgias' clock; None if that is not known.
        limit: How many rows were asked for; None if the list has no pages.
        leads_on: The name in `meta` of what leads to the next page.

    Returns:
        The page. What leads to the next one is its cursor.

    Raises:
        PageError: If the answer has neither form. If the page is full and does not say
            whether another follows: a null says that none does, but a missing name
            says nothing.
    """
    rows = _rows(body)
    meta = meta_of(body)
    cursor = meta.get(leads_on)
    if cursor is not None and not isinstance(cursor, str):
        message = f"the answer's `{leads_on}` is no text."
        raise PageError(message)
    if limit is not None and len(rows) >= limit and leads_on not in meta:
        message = f"the page is full, but no `{leads_on}` says whether another follows."
        raise PageError(message)
    return Page(rows, cursor or None, now)


def meta_of(body: Any) -> dict[str, Any]:  # noqa: ANN401
    """Find what an answer says about its page.

    Args:
        body: The answer of a list endpoint.

    Returns:
        Its `meta`, empty if it has none.

    Raises:
        PageError: If `meta` is no object. It must not be taken for the end of the list.
    """
    meta = body.get("meta") if isinstance(body, dict) else None
    if meta is not None and not isinstance(meta, dict):
        message = "the answer's `meta` is no object."
        raise PageError(message)
    return meta or {}


def pages(fetch: Fetch, cursor: str | None = None) -> Iterator[Page]:
    """Go from page to page until there is no next cursor.

    An empty page is not the end: only a missing cursor is.

    Args:
        fetch: Gets one page.
        cursor: Where to begin; None is the first page.

    Yields:
        Each page.

    Raises:
        PageError: If the list does not get on: a cursor comes for the second time, the
            same rows come again and again, or empty pages do not end. Or if a cursor is
            too long.
    """
    progress = _Progress(cursor)
    while True:
        page = fetch(cursor)
        cursor = page.next_cursor
        if cursor is not None and len(cursor) > MAX_CURSOR_CHARACTERS:
            message = "the answer's cursor is too long."
            raise PageError(message)
        yield page
        if cursor is None:
            return
        if problem := progress.lack(page, cursor):
            message = f"{problem}; reading on would never end."
            raise PageError(message)


class _Progress:
    """Watches whether a list gets on.

    Rows that repeat are found by Brent's way: it remembers one page at a time, the
    first, second, fourth, eighth and so on.
    """

    def __init__(self, cursor: str | None) -> None:
        self._cursors = set() if cursor is None else {cursor}
        self._remembered: list[Any] = []
        self._repeats = 0
        self._full_pages = 0
        self._empty_pages = 0

    def lack(self, page: Page, cursor: str) -> str | None:
        """Say what is wrong with a page that has another after it."""
        if cursor in self._cursors:
            return "the same cursor came twice"
        self._cursors.add(cursor)
        if not page.rows:
            self._empty_pages += 1
            too_many = self._empty_pages >= MAX_EMPTY_PAGES
            return f"{MAX_EMPTY_PAGES} empty pages came in a row" if too_many else None
        self._empty_pages = 0
        ids = [row.get("id") for row in page.rows]
        if ids == self._remembered:
            self._repeats += 1
            too_many = self._repeats >= MAX_REPEATS
            return "the same rows came again and again" if too_many else None
        self._full_pages += 1
        if self._full_pages & (self._full_pages - 1) == 0:
            self._remembered = ids
        return None


def _rows(body: Any) -> list[Row]:  # noqa: ANN401
    rows = body
    if isinstance(body, dict) and "data" in body:
        rows = [] if body["data"] is None else body["data"]
    if not isinstance(rows, list):
        message = "the answer holds no list of records."
        raise PageError(message)
    if not all(isinstance(row, dict) for row in rows):
        message = "the answer's list holds something that is no record."
        raise PageError(message)
    return rows
