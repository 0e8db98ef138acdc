"""A list without order and filter is read on from the cursor of its last page."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tap_gorgias.errors import ApiError, TransientApiError
from tap_gorgias.replication import walks
from tap_gorgias.replication.bookmarks import (
    Position,
    UnusableCursorError,
    bookmark_from,
    cursor_from,
)
from tap_gorgias.replication.pages import Page, PageError
from tests.support.lists import KEY, Pages, Read, at, rows


def read_on(
    pages: Pages,
    position: Position | None = None,
    floor: str | None = None,
    *,
    read: Read | None = None,
) -> Read:
    """Read a list from a position to its end."""
    read = read or Read()
    return read.take(
        walks.by_cursor(
            pages,
            key=KEY,
            position=position or Position(),
            floor=floor,
            walk_log=read,
        )
    )


def refusal(status: int) -> ApiError:
    """Make what Gorgias answers to a cursor that it does not like."""
    return ApiError("no", stream="s", path="/api/s", status=status)


def three_pages() -> Pages:
    """Make a list of three pages."""
    return Pages(rows(at(8), at(9)), rows(at(10)), rows(at(11)))


def test_each_page_leaves_its_own_cursor() -> None:
    """The first page has none."""
    read = read_on(three_pages())
    assert read.ids == [at(8), at(9), at(10), at(11)]
    assert read.positions == [
        Position(at(9)),
        Position(at(10), cursor="c1"),
        Position(at(11), cursor="c2"),
    ]


def test_an_idle_run_asks_for_the_last_page_alone() -> None:
    """It may have grown; if it has not, one request tells so."""
    pages, position = three_pages(), Position(at(11), cursor="c2")
    read = read_on(pages, position)
    assert pages.asked == ["c2"]
    assert read.positions == [position]


def test_an_idle_run_over_a_single_page_costs_one_request() -> None:
    """There is no cursor yet, so it is asked for again."""
    pages = Pages(rows(at(8)))
    assert read_on(pages, Position(at(8))).positions == [Position(at(8))]
    assert pages.asked == [None]


def test_a_list_that_has_grown_is_read_on() -> None:
    """First what came to the last page, then the pages after it."""
    pages = Pages(rows(at(8)), rows(at(9), at(10)), rows(at(11)))
    read = read_on(pages, Position(at(9), cursor="c1"))
    assert read.ids == [at(9), at(10), at(11)]
    assert pages.asked == ["c1", "c2"]


@pytest.mark.parametrize("status", [301, 400, 404, 410])
def test_a_refused_cursor_is_dropped(status: int) -> None:
    """All is read again, and said so once."""
    pages = three_pages().replace("old", refusal(status))
    read = read_on(pages, Position(at(11), cursor="old"))
    assert pages.asked == ["old", None, "c1", "c2"]
    assert len(read.restarts) == 1
    assert read.positions[-1] == Position(at(11), cursor="c2")


def test_a_list_that_is_refused_altogether_does_not_start_again() -> None:
    """The cursor is not to blame, and the caller is told what happened last."""
    pages, read = three_pages().replace("c2", refusal(404)), Read()
    pages.replace(None, refusal(404))
    with pytest.raises(ApiError):
        read_on(pages, Position(at(11), cursor="c2"), read=read)
    assert pages.asked == ["c2", None]
    assert (read.restarts, read.positions) == ([], [])


def test_after_a_restart_the_first_page_leaves_no_cursor() -> None:
    """A run that dies then begins from there, not from the refused cursor."""
    pages = three_pages().replace("old", refusal(400))
    assert read_on(pages, Position(at(11), cursor="old")).positions[0] == Position(
        at(11)
    )


@pytest.mark.parametrize(
    "error",
    [
        refusal(401),
        refusal(403),
        TransientApiError("no", stream="s", path="/api/s", status=503),
    ],
)
def test_other_failures_are_no_refusal_of_the_cursor(error: ApiError) -> None:
    """The position stays for the day on which they are mended."""
    pages, read = three_pages().replace("c2", error), Read()
    with pytest.raises(ApiError):
        read_on(pages, Position(at(11), cursor="c2"), read=read)
    assert pages.asked == ["c2"]
    assert read.positions == []


def test_a_cursor_that_this_run_was_given_is_not_doubted() -> None:
    """Only a saved one may have expired."""
    pages, read = three_pages().replace("c2", refusal(400)), Read()
    with pytest.raises(ApiError):
        read_on(pages, read=read)
    assert pages.asked == [None, "c1", "c2"]
    assert read.positions[-1] == Position(at(10), cursor="c1")


def test_a_repeated_cursor_ends_the_run() -> None:
    """Pages that go round would be read for ever."""
    with pytest.raises(PageError, match="same cursor"):
        read_on(Pages(rows(at(8)), []).replace("c1", Page([], "c1")))


def test_an_empty_page_is_not_the_end() -> None:
    """Only a missing cursor is; the bookmark stays as it was."""
    read = read_on(Pages([], rows(at(8)), []))
    assert read.positions == [
        Position(),
        Position(at(8), cursor="c1"),
        Position(at(8), cursor="c2"),
    ]


@pytest.mark.parametrize("value", [None, "", "soon", 5])
def test_a_row_without_a_moment_is_emitted(value: object) -> None:
    """Whatever the floor."""
    read = read_on(Pages(rows(value, at(9)), rows(value)), floor=at(8))
    assert len(read.ids) == 3
    assert read.order_warnings == []


def test_a_moment_in_the_future_is_no_bookmark() -> None:
    """It says nothing about how far the list has been read."""
    pages = Pages([]).replace(None, Page(rows(at(8), at(20)), now=at(9)))
    assert read_on(pages).positions == [Position(at(8))]


def test_rows_before_the_start_date_are_not_emitted() -> None:
    """They have to be passed, and leave no bookmark."""
    read = read_on(three_pages(), floor=at(10))
    assert read.ids == [at(10), at(11)]
    assert read.positions[0] == Position()


def test_rows_of_nearly_one_moment_may_stand_in_any_order() -> None:
    """Two servers write at once."""
    pages = Pages(rows(at(8), at(9, 1), at(9)), rows(at(9, 2), at(8, 58)))
    read = read_on(pages)
    assert read.order_warnings == []
    assert read.positions[-1] == Position(at(9, 2), cursor="c1")


def test_a_list_that_comes_newest_first_is_read_whole_each_time() -> None:
    """New rows would come before the saved cursor and never be seen."""
    pages = Pages(rows(at(12), at(11)), rows(at(10)), rows(at(9)))
    read = read_on(pages)
    assert read.order_warnings == ["oldest first"]
    assert read.positions == [Position(at(12))] * 3


def test_disorder_between_pages_is_seen_too() -> None:
    """The cursor that was saved before goes."""
    read = read_on(Pages(rows(at(12)), rows(at(12)), rows(at(11)), rows(at(13))))
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
def test_a_position_survives_state(position: Position) -> None:
    """What one run writes, the next one reads, through JSON."""
    state = json.loads(json.dumps(position.to_state(KEY)))
    assert state["replication_key"] == KEY
    read = Position(bookmark_from(state, "s"), cursor=cursor_from(state))
    assert read == position


@pytest.mark.parametrize("state", [{}, {"cursor": None}])
def test_a_stream_without_cursor_has_none(state: dict[str, Any]) -> None:
    """Null is the same as absent."""
    assert cursor_from(state) is None


@pytest.mark.parametrize("cursor", ["", 5, True, ["c1"], {}])
def test_a_cursor_that_is_no_text_is_unusable(cursor: object) -> None:
    """It is not sent to Gorgias."""
    with pytest.raises(UnusableCursorError):
        cursor_from({"cursor": cursor})


def test_the_next_page_is_announced() -> None:
    """A list without floor is read to its end."""
    read = read_on(three_pages(), Position(at(10), cursor="c1"))
    assert [step.has_next_page for step in read.steps] == [True, False]
