"""Pages of a list: what an answer holds, and how one leads to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

Row: TypeAlias = dict[str, Any]


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


def parse_page(body: Any, now: str | None = None) -> Page:  # noqa: ANN401
    """Find rows and cursor in the answer of a list endpoint.

    Args:
        body: `{"data": [...], "meta": {"next_cursor": ...}}`, or a bare array, which
            some endpoints are documented to answer.
        now: When it was answered, by Gorgias' clock; None if that is not known.

    Returns:
        The page; a bare array has no page after it.

    Raises:
        PageError: If the answer has neither form.
    """
    if isinstance(body, list):
        return Page(_rows(body), now=now)
    if not isinstance(body, dict) or not isinstance(body.get("data"), list):
        message = "the answer holds no list of records."
        raise PageError(message)
    meta = body.get("meta")
    cursor = meta.get("next_cursor") if isinstance(meta, dict) else None
    if cursor is not None and not isinstance(cursor, str):
        message = "the answer's cursor is no text."
        raise PageError(message)
    return Page(_rows(body["data"]), cursor or None, now)


def pages(fetch: Fetch, cursor: str | None = None) -> Iterator[Page]:
    """Go from page to page until there is no next cursor.

    An empty page is not the end: only a missing cursor is.

    Args:
        fetch: Gets one page.
        cursor: Where to begin; None is the first page.

    Yields:
        Each page.

    Raises:
        PageError: If a cursor comes for the second time.
    """
    seen = set() if cursor is None else {cursor}
    while True:
        page = fetch(cursor)
        yield page
        cursor = page.next_cursor
        if cursor is None:
            return
        if cursor in seen:
            message = "the same cursor came twice; reading on would never end."
            raise PageError(message)
        seen.add(cursor)


def _rows(items: list[Any]) -> list[Row]:
    if not all(isinstance(item, dict) for item in items):
        message = "the answer's list holds something that is no record."
        raise PageError(message)
    return items
