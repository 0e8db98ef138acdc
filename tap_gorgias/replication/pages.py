"""Pages of a list, and the rules by which a list ends.

A list ends only when Gorgias says so: never because a page is empty, cut or null. And a
cursor proves itself: one that leads nowhere is refused, whatever its status.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from tap_gorgias import timestamps
from tap_gorgias.errors import ApiError

if TYPE_CHECKING:
    from datetime import timedelta

Row: TypeAlias = dict[str, Any]
T = TypeVar("T")

MAX_FUTURE = 50
"""Pages that may come before one with a row of the past."""


class PageError(ValueError):
    """A response that is not a page, or a list that has no end."""


class NullListError(PageError):
    """A list that is null, as without the permission to read it."""


class CutListError(PageError):
    """A response to a cursor that does not say how the list goes on."""


class MissingRow(dict[str, Any]):
    """Stands for a row that cannot be read, which holds the bookmark once."""


class CursorRefusedError(Exception):
    """A cursor that was followed leads nowhere: the list must be read again."""

    def __init__(self, cause: ApiError | PageError) -> None:
        super().__init__(str(cause))
        self.cause = cause


@dataclass(frozen=True)
class Page:
    """Up to 100 rows and the cursor of the next page."""

    rows: list[Row]
    next_cursor: str | None = None
    now: str | None = None
    """The latest time at which Gorgias can have made the page, by its own clock."""
    key: str = ""
    """The property that holds the timestamp of a row."""

    @cached_property
    def dated_rows(self) -> list[tuple[Row, str | None]]:
        """Each row with its timestamp, if it has one."""
        return [
            (row, timestamps.normalized_or_none(row.get(self.key))) for row in self.rows
        ]

    @cached_property
    def past(self) -> list[str]:
        """The timestamps that can become a bookmark.

        An import can date a row into the future. As a bookmark, such a timestamp would
        hide every change until then. The clock says nothing of a row that is missing.
        """
        return [
            timestamp
            for row, timestamp in self.dated_rows
            if timestamp and not isinstance(row, MissingRow)
            if self.now is None or timestamp <= self.now
        ]

    @property
    def newest(self) -> str | None:
        """The newest timestamp that is not in the future."""
        return max(self.past, default=None)

    def is_near(self, overlap: timedelta) -> bool:
        """Return whether rows of the time of its newest may still become visible."""
        if self.newest is None or self.now is None:
            return False
        return self.newest >= timestamps.earlier(self.now, overlap)


PagesFrom: TypeAlias = Callable[[str | None], Iterator[Page]]
"""Returns the pages that begin at a cursor; None is the first page."""


def rows_of(body: Any) -> list[Row]:  # noqa: ANN401
    """Return the rows of a list, empty ones in place of what is not a record.

    The response is `{"data": [...], "meta": {"next_cursor": ...}}`, or a bare array,
    which some endpoints are documented to return; raises `PageError` for others.
    """
    rows = body
    if isinstance(body, dict) and "data" in body:
        rows = body["data"]
        if rows is None:
            message = "the list is null, so a permission is probably missing."
            raise NullListError(message)
    if not isinstance(rows, list):
        message = "the response holds no list of records."
        raise PageError(message)
    return [row if isinstance(row, dict) else {} for row in rows]


def meta_of(body: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return what a response says about its page: its `meta`, or nothing."""
    meta = body.get("meta") if isinstance(body, dict) else None
    if meta is not None and not isinstance(meta, dict):
        message = "the response's `meta` is not an object."
        raise PageError(message)
    return meta or {}


def next_of(
    body: Any,  # noqa: ANN401
    name: str,
    *,
    is_first: bool,
    page_size: int | None,
) -> str | None:
    """Return a property of `meta`, which identifies the next page.

    None if Gorgias says that the list ends. A page to which no cursor led may come
    without `meta`, as from endpoints that have no pages, unless it is full: a page of
    `page_size` rows is, and none if that is None.

    Raises `CutListError` if the response to a cursor does not say how the list goes on,
    and `PageError` if a full page does not, if `meta` says something else, or if the
    response is not a page.
    """
    meta = body.get("meta") if isinstance(body, dict) else None
    if not is_first:
        is_list = isinstance(body, dict) and isinstance(body.get("data"), list)
        says = isinstance(meta, dict) and isinstance(meta.get(name, 0), str | None)
        if not (is_list and says):
            message = f"the response to a cursor lacks its list or `{name}`."
            raise CutListError(message)
    meta = meta_of(body)
    following = meta.get(name)
    if following is not None and not isinstance(following, str):
        message = f"the response's `{name}` is not a string."
        raise PageError(message)
    rows = rows_of(body)
    is_silent = meta.get(name, "") == ""
    if is_silent and page_size is not None:
        is_full = len(rows) >= page_size
        if is_full or (meta and name not in meta):
            message = f"more rows may follow, but `{name}` is missing or empty."
            raise PageError(message) if is_first else CutListError(message)
    return following or None


def started(pages: Iterator[Page]) -> Iterator[Page]:
    """Request the first page now, so that a refusal is raised here."""
    return itertools.chain([next(pages)], pages)


def up_to_the_present(pages: Iterator[Page]) -> list[Page]:
    """Read on, newest rows first, until a page has a row of the past.

    A page of future rows decides nothing, nor does an empty one. Stops at a page whose
    rows have no dates, and after fifty pages, which are held in memory: a list may be
    like that to its end.
    """
    read = [next(pages)]
    while read[-1].next_cursor and read[-1].newest is None and len(read) < MAX_FUTURE:
        if read[-1].rows and not any(date for _, date in read[-1].dated_rows):
            break
        read.append(next(pages))
    return read


def proven(pages_from: PagesFrom, cursor: str | None = None) -> Iterator[Page]:
    """Read a list whose cursors prove themselves, from a saved one or the first page.

    How Gorgias answers a cursor that has expired is not documented. It may refuse it,
    or return an empty page, as at the end of the list. So an empty page after a cursor
    is the end only if the page before it can still be read.

    Raises `CursorRefusedError` if a cursor is refused, or leads to no rows.
    """
    current, pages = cursor, pages_from(cursor)
    with_rows: str | None = None  # the cursor of the last page that had rows
    is_proven = cursor is None
    is_repeated = False
    while True:
        is_followed = current is not None
        page = _next(pages, is_followed=is_followed, at_saved=not is_proven)
        if page is None:
            return
        if page.rows or page.next_cursor or not is_followed or is_repeated:
            yield page
            is_repeated = False
            if page.rows:
                with_rows, is_proven = current, True
            current = page.next_cursor
            continue
        before = _next(pages_from(with_rows)) if is_proven else None
        if before is None or not before.rows:
            raise CursorRefusedError(PageError("the list is empty at its cursor."))
        if before.next_cursor is None:
            yield page
            return
        current, pages = before.next_cursor, pages_from(before.next_cursor)
        is_repeated = True


def _next(
    pages: Iterator[Page], *, is_followed: bool = True, at_saved: bool = False
) -> Page | None:
    try:
        return next(pages, None)
    except (ApiError, PageError) as error:
        if not is_followed or not _is_refusal(error, at_saved=at_saved):
            raise
        raise CursorRefusedError(error) from error


def _is_refusal(error: ApiError | PageError, *, at_saved: bool) -> bool:
    """Return whether the list may be readable without its cursor."""
    if at_saved and (isinstance(error, PageError) or error.status == HTTPStatus.OK):
        return True  # Retries have not helped.
    return isinstance(error, ApiError) and error.may_be_due_to_cursor


def restarted_once(
    start: Callable[[], Iterator[T]], on_restart: Callable[[str], None]
) -> Iterator[T]:
    """Read a list, and start again once if a cursor is refused in the middle.

    The cursor is to blame, and `on_restart` is called, if the list can be read without
    it.
    """
    try:
        yield from start()
    except CursorRefusedError as refusal:
        reason = str(refusal)
        try:
            for item in start():
                if reason:
                    on_restart(reason)
                    reason = ""
                yield item
        except CursorRefusedError as again:
            raise again.cause from None
