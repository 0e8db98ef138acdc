"""Tests of the paginators and the formats of pages."""

from __future__ import annotations

import pytest
from hypothesis import given

from tap_gorgias.api.paginators import CursorPaginator, NextItemsPaginator
from tap_gorgias.replication.pages import Page, PageError, rows_of
from tests.support.cases import table
from tests.support.json_values import JSON_VALUES
from tests.support.responses import paged, response_of

PAGES: dict[str, tuple[object, Page]] = {
    "with a next page": (
        {"data": [{"id": 1}], "meta": {"next_cursor": "c2", "prev_cursor": None}},
        Page([{"id": 1}], "c2"),
    ),
    "last": ({"data": [{"id": 1}], "meta": {"next_cursor": None}}, Page([{"id": 1}])),
    "empty cursor": ({"data": [], "meta": {"next_cursor": ""}}, Page([])),
    "empty with a next page": (
        {"data": [], "meta": {"next_cursor": "c2"}},
        Page([], "c2"),
    ),
    "without meta": ({"data": []}, Page([])),
    "meta is null": ({"data": [], "meta": None}, Page([])),
    "bare array": ([{"id": 1}], Page([{"id": 1}])),
    "empty array": ([], Page([])),
    "row is a number": (
        {"data": [{"id": 1}, 5], "meta": {"next_cursor": None}},
        Page([{"id": 1}, {}]),
    ),
    "row is null": ([None], Page([{}])),
    "full and last": (
        {"data": [{"id": 1}, {"id": 2}], "meta": {"next_cursor": None}},
        Page([{"id": 1}, {"id": 2}]),
    ),
}
LIMIT = 2

INVALID_PAGES: dict[str, tuple[object, str]] = {
    "null": (None, "no list of records"),
    "text": ("data", "no list of records"),
    "empty object": ({}, "no list of records"),
    "error with status 200": ({"error": {"msg": "x"}}, "no list of records"),
    "data is an object": ({"data": {"id": 1}}, "no list of records"),
    "data is null": ({"data": None, "meta": {"next_cursor": None}}, "list is null"),
    "cursor is a number": ({"data": [], "meta": {"next_cursor": 5}}, "not a string"),
    "cursor is an object": ({"data": [], "meta": {"next_cursor": {}}}, "not a string"),
    "full without meta": ({"data": [{}, {}]}, "page is full"),
    "full, meta is null": ({"data": [{}, {}], "meta": None}, "page is full"),
    "full, meta without cursor": ({"data": [{}, {}], "meta": {}}, "page is full"),
    "full array": ([{}, {}], "page is full"),
    "more rows than requested": ([{}, {}, {}], "page is full"),
}


def page_of(body: object, page_size: int | None = LIMIT) -> Page:
    """Return the page in a response."""
    response = response_of(body)
    cursor = CursorPaginator(page_size=page_size).get_next(response)
    return Page(rows_of(body), cursor)


@table(PAGES)
def test_rows_and_cursor_are_found(case: tuple[object, Page]) -> None:
    """A page is an object with data, or a bare array."""
    body, page = case
    assert page_of(body) == page


@table(INVALID_PAGES)
def test_a_response_in_another_format_is_rejected(case: tuple[object, str]) -> None:
    """It is not treated as an empty list."""
    body, reason = case
    with pytest.raises(PageError, match=reason):
        page_of(body)


def test_a_list_without_pages_may_have_any_number_of_rows() -> None:
    """It is never taken for a full page without a cursor."""
    rows = [{"id": 1}, {"id": 2}, {"id": 3}]
    assert page_of({"data": rows}, page_size=None) == Page(rows)


@given(JSON_VALUES)
def test_any_value_is_a_page_or_rejected(value: object) -> None:
    """No other error is raised."""
    try:
        page = page_of(value)
    except PageError:
        return
    assert all(isinstance(row, dict) for row in page.rows)


def test_an_empty_page_with_a_cursor_is_not_the_end() -> None:
    """Both `continue_if_empty` and `advance` request the next page."""
    response = response_of({"data": [], "meta": {"next_cursor": "b"}})
    paginator = CursorPaginator()
    assert paginator.continue_if_empty(response)
    paginator.advance(response)
    assert (paginator.finished, paginator.current_value) == (False, "b")


@pytest.mark.parametrize(
    ("start", "requests"), [(None, [None, "b", "c"]), ("b", ["b", "c"])]
)
def test_a_repeated_cursor_is_an_error(
    start: str | None, requests: list[str | None]
) -> None:
    """It would cause an endless loop. No page is read twice."""
    cycle = {None: Page([], "b"), "b": Page([], "c"), "c": Page([], "b")}
    requested: list[str | None] = []

    def page_at(cursor: str | None) -> Page:
        requested.append(cursor)
        return cycle[cursor]

    with pytest.raises(PageError, match="same cursor was returned twice"):
        list(paged(page_at)(start))
    assert requested == requests


NEXT_ITEMS: dict[str, tuple[object, str | None]] = {
    "a path": (
        "/api/views/5/items?cursor=c&direction=next&ignored_item=7&limit=100",
        "cursor=c&direction=next&ignored_item=7",
    ),
    "a URL": ("https://acme.gorgias.com/api/views/5/items?cursor=c", "cursor=c"),
    "a URL of another host": ("https://internal.test/items?cursor=c", "cursor=c"),
    "null": (None, None),
}


@table(NEXT_ITEMS)
def test_the_url_of_the_next_items_becomes_query_parameters(
    case: tuple[object, str | None],
) -> None:
    """Without `ignored_item`, Gorgias would return the same page forever."""
    url, parameters = case
    paginator = NextItemsPaginator(None, LIMIT)
    paginator.advance(response_of({"data": [{}, {}], "meta": {"next_items": url}}))
    assert paginator.current_value == parameters
    assert paginator.finished == (parameters is None)


@pytest.mark.parametrize(
    "url", ["/api/views/5/items", "/items?offset=100", "cursor=c", "/items?cursor="]
)
def test_a_url_without_a_cursor_is_not_the_end(url: str) -> None:
    """Gorgias says that there are more items, but not where."""
    with pytest.raises(PageError, match="`next_items`"):
        NextItemsPaginator(None, LIMIT).get_next(
            response_of({"data": [{}], "meta": {"next_items": url}})
        )


def test_a_full_page_of_items_must_have_next_items() -> None:
    """Null marks the last page; `next_cursor` is ignored."""
    body = {"data": [{}, {}], "meta": {"next_cursor": "c2"}}
    with pytest.raises(PageError, match="`next_items` is missing"):
        NextItemsPaginator(None, LIMIT).get_next(response_of(body))
