"""A list without order or filter is resumed from the cursor of its last page."""

from __future__ import annotations

import json

import pytest

from tap_gorgias.errors import ApiError, TransientApiError
from tap_gorgias.replication import walks
from tap_gorgias.replication.bookmarks import (
    CURSOR_KEYS,
    Position,
    bookmark_from,
    cursor_from,
)
from tap_gorgias.replication.pages import Page
from tests.support.lists import KEY, Pages, Read, at, rows


def read_list(
    pages: Pages,
    position: Position | None = None,
    floor: str | None = None,
    *,
    read: Read | None = None,
) -> Read:
    """Read a list from a position to its end."""
    read = read or Read()
    return read.take(
        walks.by_cursor(pages, read, position=position or Position(), floor=floor)
    )


def refusal(status: int) -> ApiError:
    """Return the error of a refused cursor."""
    return ApiError("no", stream="s", path="/api/s", status=status)


def three_pages() -> Pages:
    """Return a list of three pages."""
    return Pages(rows(at(8), at(9)), rows(at(10)), rows(at(11)))


def test_each_page_saves_its_own_cursor() -> None:
    """The first page does not have one."""
    read = read_list(three_pages())
    assert read.ids == [at(8), at(9), at(10), at(11)]
    assert read.positions == [
        Position(at(9)),
        Position(at(10), cursor="c1"),
        Position(at(11), cursor="c2"),
    ]


def test_an_idle_run_requests_only_the_last_page() -> None:
    """New rows would be on that page."""
    pages, position = three_pages(), Position(at(11), cursor="c2")
    read = read_list(pages, position)
    assert pages.requested == ["c2"]
    assert read.positions == [position]


def test_an_idle_run_over_a_single_page_takes_one_request() -> None:
    """The first page has no cursor, and is requested again."""
    pages = Pages(rows(at(8)))
    assert read_list(pages, Position(at(8))).positions == [Position(at(8))]
    assert pages.requested == [None]


def test_a_list_that_grew_is_read_from_its_former_last_page() -> None:
    """The page is read again, followed by the new ones."""
    pages = Pages(rows(at(8)), rows(at(9), at(10)), rows(at(11)))
    read = read_list(pages, Position(at(9), cursor="c1"))
    assert read.ids == [at(9), at(10), at(11)]
    assert pages.requested == ["c1", "c2"]


@pytest.mark.parametrize("status", [301, 400, 404, 410])
def test_a_refused_cursor_is_discarded(status: int) -> None:
    """The list is read again from the beginning, with one warning."""
    pages = three_pages().replace("old", refusal(status))
    read = read_list(pages, Position(at(11), cursor="old"))
    assert pages.requested == ["old", None, "c1", "c2"]
    assert len(read.restarts) == 1
    assert read.positions[0] == Position(at(11))  # without the refused cursor
    assert read.positions[-1] == Position(at(11), cursor="c2")


def test_a_list_whose_first_page_is_refused_is_an_error() -> None:
    """The refusal is not due to the cursor, so there is no warning of a restart."""
    pages, read = three_pages().replace("c2", refusal(404)), Read()
    pages.replace(None, refusal(404))
    with pytest.raises(ApiError):
        read_list(pages, Position(at(11), cursor="c2"), read=read)
    assert pages.requested == ["c2", None]
    assert (read.restarts, read.positions) == ([], [])


@pytest.mark.parametrize(
    "error",
    [
        refusal(401),
        refusal(403),
        TransientApiError("no", stream="s", path="/api/s", status=503),
    ],
)
def test_other_errors_do_not_discard_the_cursor(error: ApiError) -> None:
    """The next run can continue from the saved position."""
    pages, read = three_pages().replace("c2", error), Read()
    with pytest.raises(ApiError):
        read_list(pages, Position(at(11), cursor="c2"), read=read)
    assert pages.requested == ["c2"]
    assert read.positions == []


def test_a_refused_cursor_of_this_run_starts_the_list_again_once() -> None:
    """Cursors are short-lived. The second refusal is an error."""
    pages, read = three_pages().replace("c2", refusal(400)), Read()
    with pytest.raises(ApiError):
        read_list(pages, read=read)
    assert pages.requested == [None, "c1", "c2", None, "c1", "c2"]
    assert len(read.restarts) == 1
    assert read.positions[-1] == Position(at(10), cursor="c1")


@pytest.mark.parametrize("page", [Page([]), Page([], "c9")], ids=["end", "next"])
def test_a_saved_cursor_without_rows_counts_as_refused(page: Page) -> None:
    """How Gorgias answers a cursor that has expired is not known."""
    pages, read = three_pages().replace("old", page).replace("c9", Page([])), Read()
    read_list(pages, Position(at(9), cursor="old"), read=read)
    assert read.ids == [at(8), at(9), at(10), at(11)]
    assert len(read.restarts) == 1
    assert read.positions[-1] == Position(at(11), cursor="c2")


def test_an_empty_page_does_not_end_the_list() -> None:
    """Only a missing cursor does. The bookmark stays the same."""
    read = read_list(Pages([], rows(at(8)), []))
    assert read.positions == [
        Position(),
        Position(at(8), cursor="c1"),
        Position(at(8), cursor="c1"),
    ]


def test_an_empty_last_page_saves_the_cursor_of_the_page_before() -> None:
    """Its own cursor would look like a refused one in the next run."""
    pages = Pages(rows(at(8)), rows(at(9)), [])
    position = read_list(pages).positions[-1]
    assert position == Position(at(9), cursor="c1")
    read = read_list(pages, position)
    assert (read.ids, read.restarts) == ([at(9)], [])


@pytest.mark.parametrize("value", [None, "", "soon", 5])
def test_a_row_without_a_timestamp_is_emitted(value: object) -> None:
    """The floor does not apply to it."""
    read = read_list(Pages(rows(value, at(9)), rows(value)), floor=at(8))
    assert len(read.ids) == 3
    assert read.order_warnings == []


def test_a_timestamp_in_the_future_does_not_become_the_bookmark() -> None:
    """It does not show how far the list has been read."""
    pages = Pages([]).replace(None, Page(rows(at(8), at(20)), now=at(9)))
    assert read_list(pages).positions == [Position(at(8))]


def test_rows_before_the_start_date_are_not_emitted() -> None:
    """They have to be read, but do not become the bookmark."""
    read = read_list(three_pages(), floor=at(10))
    assert read.ids == [at(10), at(11)]
    assert read.positions[0] == Position()


def test_rows_within_five_minutes_may_be_in_any_order() -> None:
    """Servers that write at the same time may differ slightly."""
    pages = Pages(rows(at(8), at(9, 1), at(9)), rows(at(9, 2), at(8, 58)))
    read = read_list(pages)
    assert read.order_warnings == []
    assert read.positions[-1] == Position(at(9, 2), cursor="c1")


def test_a_list_in_descending_order_is_read_in_full_every_time() -> None:
    """New rows precede a saved cursor, and would be missed."""
    pages = Pages(rows(at(12), at(11)), rows(at(10)), rows(at(9)))
    read = read_list(pages)
    assert read.order_warnings == ["oldest first"]
    assert read.positions == [Position(at(12))] * 3


def test_wrong_order_across_pages_is_detected() -> None:
    """The saved cursor is removed."""
    read = read_list(Pages(rows(at(12)), rows(at(12)), rows(at(11)), rows(at(13))))
    assert read.order_warnings == ["oldest first"]
    assert [position and position.cursor for position in read.positions] == [
        None,
        "c1",
        None,
        None,
    ]


@pytest.mark.parametrize(
    "position",
    [Position(at(9), cursor="c1"), Position(None, cursor="c1"), Position(at(9))],
)
def test_a_position_can_be_restored_from_state(position: Position) -> None:
    """STATE is stored as JSON between runs."""
    state = json.loads(json.dumps(position.to_state(KEY, CURSOR_KEYS)))
    assert state["replication_key"] == KEY
    read = Position(bookmark_from(state, "s"), cursor=cursor_from(state))
    assert read == position


@pytest.mark.parametrize("cursor", ["", 5, True, ["c1"], {}])
def test_a_cursor_that_is_not_a_string_is_unusable(cursor: object) -> None:
    """It is not sent to Gorgias."""
    with pytest.raises(ValueError, match="not"):
        cursor_from({"cursor": cursor})


def test_steps_tell_whether_another_page_follows() -> None:
    """The list is read to its end, so every cursor leads to another page."""
    read = read_list(three_pages(), Position(at(10), cursor="c1"))
    assert [step.has_next_page for step in read.steps] == [True, False]
