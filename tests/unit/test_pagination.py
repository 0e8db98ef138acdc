"""Pages of a list: their forms, and the way from one to the next."""

from __future__ import annotations

import pytest
from hypothesis import given

from tap_gorgias.replication.pagination import Page, PageError, pages, parse_page
from tests.support.cases import table
from tests.support.json_values import JSON_VALUES

PAGES: dict[str, tuple[object, Page]] = {
    "with a page after it": (
        {"data": [{"id": 1}], "meta": {"next_cursor": "c2", "prev_cursor": None}},
        Page([{"id": 1}], "c2"),
    ),
    "last": ({"data": [{"id": 1}], "meta": {"next_cursor": None}}, Page([{"id": 1}])),
    "empty cursor": ({"data": [], "meta": {"next_cursor": ""}}, Page([])),
    "empty with a page after it": (
        {"data": [], "meta": {"next_cursor": "c2"}},
        Page([], "c2"),
    ),
    "without meta": ({"data": []}, Page([])),
    "meta is null": ({"data": [], "meta": None}, Page([])),
    "bare array": ([{"id": 1}], Page([{"id": 1}])),
    "empty array": ([], Page([])),
    "data is null": ({"data": None, "meta": {"next_cursor": None}}, Page([])),
    "full and last": (
        {"data": [{"id": 1}, {"id": 2}], "meta": {"next_cursor": None}},
        Page([{"id": 1}, {"id": 2}]),
    ),
}
LIMIT = 2

NO_PAGES: dict[str, tuple[object, str]] = {
    "null": (None, "no list of records"),
    "text": ("data", "no list of records"),
    "empty object": ({}, "no list of records"),
    "error with status 200": ({"error": {"msg": "x"}}, "no list of records"),
    "data is an object": ({"data": {"id": 1}}, "no list of records"),
    "row is a number": ({"data": [{"id": 1}, 5]}, "no record"),
    "row is null": ([None], "no record"),
    "cursor is a number": ({"data": [], "meta": {"next_cursor": 5}}, "no text"),
    "cursor is an object": ({"data": [], "meta": {"next_cursor": {}}}, "no text"),
    "full without meta": ({"data": [{}, {}]}, "page is full"),
    "full, meta is null": ({"data": [{}, {}], "meta": None}, "page is full"),
    "full, meta without cursor": ({"data": [{}, {}], "meta": {}}, "page is full"),
    "full array": ([{}, {}], "page is full"),
    "fuller than asked for": ([{}, {}, {}], "page is full"),
}


@table(PAGES)
def test_rows_and_cursor_are_found(case: tuple[object, Page]) -> None:
    """A page is an object with data, or a bare array."""
    body, page = case
    assert parse_page(body, limit=LIMIT) == page


@table(NO_PAGES)
def test_an_answer_of_another_form_is_refused(case: tuple[object, str]) -> None:
    """It must not be taken for an empty list."""
    body, reason = case
    with pytest.raises(PageError, match=reason):
        parse_page(body, limit=LIMIT)


def test_a_list_without_pages_is_never_full() -> None:
    """Its rows are all there are."""
    rows = [{"id": 1}, {"id": 2}, {"id": 3}]
    assert parse_page({"data": rows}, limit=None) == Page(rows)


def test_another_name_may_lead_on() -> None:
    """Items of a view have an address in place of a cursor."""
    body = {"data": [{}, {}], "meta": {"next_cursor": "c2", "next_items": "/items?c=2"}}
    page = parse_page(body, limit=LIMIT, leads_on="next_items")
    assert page.next_cursor == "/items?c=2"
    with pytest.raises(PageError, match="no `previous` says"):
        parse_page(body, limit=LIMIT, leads_on="previous")


@given(JSON_VALUES)
def test_any_value_is_a_page_or_refused(value: object) -> None:
    """No answer ends the run with another error."""
    try:
        page = parse_page(value, limit=LIMIT)
    except PageError:
        return
    assert all(isinstance(row, dict) for row in page.rows)


def test_pages_are_fetched_one_by_one_until_no_cursor_is_left() -> None:
    """The next page is not asked for before the last one was taken."""
    asked: list[str | None] = []

    def fetch(cursor: str | None) -> Page:
        asked.append(cursor)
        return {None: Page([], "b"), "b": Page([], "c"), "c": Page([])}[cursor]

    walk = pages(fetch)
    next(walk)
    assert asked == [None]
    assert len(list(walk)) == 2
    assert asked == [None, "b", "c"]


def test_reading_can_begin_at_a_cursor() -> None:
    """A walk that was cut short goes on where it stopped."""
    rest: dict[str | None, Page] = {"b": Page([{"id": 2}])}
    assert list(pages(rest.__getitem__, "b")) == [Page([{"id": 2}])]


@pytest.mark.parametrize(
    ("start", "requests"), [(None, [None, "b", "c"]), ("b", ["b", "c"])]
)
def test_a_cursor_that_comes_twice_ends_in_an_error(
    start: str | None, requests: list[str | None]
) -> None:
    """An endless loop would eat the account's budget; no page is read twice."""
    circle = {None: Page([], "b"), "b": Page([], "c"), "c": Page([], "b")}
    asked: list[str | None] = []

    def fetch(cursor: str | None) -> Page:
        asked.append(cursor)
        return circle[cursor]

    with pytest.raises(PageError, match="same cursor came twice"):
        list(pages(fetch, start))
    assert asked == requests
