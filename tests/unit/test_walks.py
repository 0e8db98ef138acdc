"""Logs are read oldest first from the bookmark on, small tables whole."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tap_gorgias.replication import walks
from tap_gorgias.replication.bookmarks import Position
from tap_gorgias.replication.pages import Page, PageError
from tests.support.lists import KEY, Pages, Read, at, rows

if TYPE_CHECKING:
    from collections.abc import Iterator


def log(pages: Pages, bookmark: str | None = None, start: str | None = None) -> Read:
    """Read a log, whatever moment it asks for."""
    read = Read()
    return read.take(
        walks.log(
            lambda _: pages(None),
            key=KEY,
            bookmark=bookmark,
            start=start,
            walk_log=read,
        )
    )


def snapshot_ids(*reads: Pages, keys: tuple[str, ...] = ("id",)) -> list[object]:
    """Read a small table and take the ids."""
    pages = itertools.chain.from_iterable(read(None) for read in reads)
    steps = walks.snapshot(pages, keys)
    return [row["id"] for step in steps for row in step.rows]


@pytest.mark.parametrize(
    ("bookmark", "start", "floor"),
    [
        (None, None, None),
        (None, at(8), at(8)),
        (at(10), None, at(9, 55)),
        (at(10), at(8), at(9, 55)),
        (at(10), at(11), at(9, 55)),
    ],
    ids=["all", "start", "bookmark", "bookmark after start", "bookmark before start"],
)
def test_a_log_is_asked_for_from_five_minutes_before_its_bookmark(
    bookmark: str | None, start: str | None, floor: str | None
) -> None:
    """Rows may become visible late; the start date is for the first sync only."""
    asked: list[str | None] = []

    def pages_since(timestamp: str | None) -> Iterator[Page]:
        asked.append(timestamp)
        return Pages([])(None)

    steps = walks.log(
        pages_since, key=KEY, bookmark=bookmark, start=start, walk_log=Read()
    )
    list(steps)
    assert asked == [floor]


def test_no_overlap_beyond_the_calendar() -> None:
    """A bookmark at the beginning of time has nothing before it."""
    first = "0001-01-01T00:00:00.000000Z"
    assert walks.floor_of(first, None, timedelta(days=1)) == first


def test_the_position_of_a_log_moves_with_every_page() -> None:
    """A run that dies goes on where it stopped."""
    pages = Pages(rows(at(8), at(9)), rows(at(10)), rows(at(11)))
    read = log(pages)
    assert read.positions == [Position(at(9)), Position(at(10)), Position(at(11))]
    assert read.ids == [at(8), at(9), at(10), at(11)]


def test_rows_of_the_overlap_are_emitted_and_do_not_take_the_bookmark_back() -> None:
    """The target has them already, by their keys."""
    read = log(Pages(rows(at(9, 57)), rows(at(9, 59))), at(10))
    assert read.ids == [at(9, 57), at(9, 59)]
    assert read.bookmarks == [at(10), at(10)]


def test_an_empty_log_keeps_its_bookmark() -> None:
    """Nothing happened since."""
    assert log(Pages([]), at(10)).positions == [Position(at(10))]


def test_an_account_without_events_leaves_no_bookmark() -> None:
    """STATE has no empty entry."""
    (position,) = log(Pages([]), start=at(1)).positions
    assert position is not None
    assert position.to_state(KEY) == {}


def test_a_disordered_log_keeps_its_bookmark_until_the_end() -> None:
    """All is read, and what came after the first page is not passed over."""
    pages = Pages(
        rows(at(11), at(12)), rows(at(14), at(13)), rows(at(15)), rows(at(16))
    )
    read = log(pages, at(10))
    assert read.bookmarks == [at(12), at(10), at(10), at(12)]
    assert read.order_warnings == ["oldest first"]
    assert len(read.ids) == 6


def test_a_log_that_comes_newest_first_is_read_whole() -> None:
    """The bookmark is the newest moment of the first page, as in a feed."""
    pages = Pages(rows(at(14), at(13)), rows(at(12), at(11)))
    read = log(pages, at(10))
    assert read.bookmarks == [at(10), at(14)]
    assert read.order_warnings == ["oldest first"]


def test_disorder_between_pages_of_a_log_is_seen() -> None:
    """Each page may be in order while the list is not."""
    read = log(Pages(rows(at(12)), rows(at(11)), rows(at(13))))
    assert read.order_warnings == ["oldest first"]


def test_rows_of_one_moment_are_in_order() -> None:
    """A rule makes many events at once."""
    read = log(Pages(rows(at(12), at(12)), rows(at(12))))
    assert read.order_warnings == []
    assert read.bookmarks == [at(12), at(12)]


@pytest.mark.parametrize("value", [None, "", "soon", 5])
def test_a_row_of_a_log_without_a_moment_is_emitted(value: object) -> None:
    """It takes no part in the order."""
    read = log(Pages(rows(value, at(8), value), rows(value), rows(at(9))))
    assert len(read.ids) == 5
    assert read.bookmarks == [at(8), at(8), at(9)]
    assert read.order_warnings == []


def test_an_empty_page_of_a_log_is_not_the_end() -> None:
    """Only a missing cursor is."""
    assert log(Pages([], rows(at(8)), [], rows(at(9)))).ids == [at(8), at(9)]


def test_a_repeated_cursor_of_a_log_ends_the_run() -> None:
    """Pages that go round would be read for ever."""
    with pytest.raises(PageError, match="same cursor"):
        log(Pages(rows(at(8)), []).replace("c1", Page([], "c1")))


def test_a_snapshot_reads_every_page_of_every_list() -> None:
    """Active and archived rows are two lists."""
    active = Pages([{"id": 1}, {"id": 2}], [{"id": 3}])
    archived = Pages([{"id": 4}])
    assert snapshot_ids(active, archived) == [1, 2, 3, 4]
    assert (active.asked, archived.asked) == ([None, "c1"], [None])


def test_a_snapshot_leaves_out_what_comes_again() -> None:
    """Pages shift during a read, and a row may be archived between two lists."""
    active = Pages([{"id": 1}, {"id": 2}], [{"id": 2}, {"id": 3}])
    archived = Pages([{"id": 1}, {"id": 4}])
    assert snapshot_ids(active, archived) == [1, 2, 3, 4]


def test_rows_of_a_snapshot_are_told_apart_by_all_their_keys() -> None:
    """The same item may be in two views."""
    table = [{"view": 1, "id": 7}, {"view": 2, "id": 7}, {"view": 1, "id": 7}]
    assert snapshot_ids(Pages(table), keys=("view", "id")) == [7, 7]


def test_a_key_of_an_odd_kind_is_left_to_the_schema() -> None:
    """The converter refuses it in words; a snapshot must not stumble over it."""
    assert snapshot_ids(Pages([{"id": [1]}, {"id": 2}])) == [[1], 2]


def test_a_snapshot_has_no_position() -> None:
    """It is read whole each time."""
    steps = list(walks.snapshot(Pages([{"id": 1}], [])(None), ("id",)))
    assert [step.position for step in steps] == [None, None]


def test_the_next_page_of_a_log_or_table_is_announced() -> None:
    """All their pages are read, so the last one alone has none after it."""
    pages = Pages(rows(at(8)), rows(at(9)), [])
    assert [step.has_next_page for step in log(pages).steps] == [True, True, False]
    steps = walks.snapshot(pages(None), ("id",))
    assert [step.has_next_page for step in steps] == [True, True, False]
