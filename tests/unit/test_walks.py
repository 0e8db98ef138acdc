"""Logs are read in ascending order from the bookmark, snapshots in full."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tap_gorgias.replication import walks
from tap_gorgias.replication.bookmarks import Position
from tap_gorgias.replication.pages import Page
from tests.support.lists import Pages, Read, at, rows

if TYPE_CHECKING:
    from collections.abc import Iterator


def log(pages: Pages, bookmark: str | None = None, start: str | None = None) -> Read:
    """Read a log whose pages do not depend on the bookmark."""
    read = Read()
    return read.take(
        walks.log(lambda _: pages(None), read, bookmark=bookmark, start=start)
    )


def snapshot_ids(*reads: Pages, keys: tuple[str, ...] = ("id",)) -> list[object]:
    """Read the lists of a snapshot, and return the ids."""
    steps = walks.snapshot(
        lambda: itertools.chain.from_iterable(read(None) for read in reads),
        keys,
        Read().warn_of_restart,
    )
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
def test_a_log_is_requested_from_five_minutes_before_its_bookmark(
    bookmark: str | None, start: str | None, floor: str | None
) -> None:
    """Rows may become visible late. The start date applies only to the first sync."""
    requested: list[str | None] = []

    def pages_since(timestamp: str | None) -> Iterator[Page]:
        requested.append(timestamp)
        return Pages([])(None)

    list(walks.log(pages_since, Read(), bookmark=bookmark, start=start))
    assert requested == [floor]


def test_the_overlap_does_not_leave_the_calendar() -> None:
    """No date-time is before the first one."""
    first = "0001-01-01T00:00:00.000000Z"
    assert walks.floor_of(first, None, timedelta(days=1)) == first


def test_a_log_saves_its_position_after_each_page() -> None:
    """The next run continues where a killed run stopped."""
    pages = Pages(rows(at(8), at(9)), rows(at(10)), rows(at(11)))
    read = log(pages)
    assert read.positions == [Position(at(9)), Position(at(10)), Position(at(11))]
    assert read.ids == [at(8), at(9), at(10), at(11)]


def test_rows_of_the_overlap_are_emitted_without_moving_the_bookmark_back() -> None:
    """The target replaces them by their keys."""
    read = log(Pages(rows(at(9, 57)), rows(at(9, 59))), at(10))
    assert read.ids == [at(9, 57), at(9, 59)]
    assert read.bookmarks == [at(10), at(10)]


def test_the_bookmark_of_a_log_stays_if_no_rows_are_new() -> None:
    """The list is empty from there on."""
    assert log(Pages([]), at(10)).positions == [Position(at(10))]


def test_a_log_without_rows_has_no_bookmark() -> None:
    """The next run reads from the start date again."""
    assert log(Pages([]), start=at(1)).positions == [Position()]


def test_an_unordered_log_keeps_its_bookmark_until_its_last_page() -> None:
    """It is read in full. Rows that were created meanwhile follow in the next run."""
    pages = Pages(
        rows(at(11), at(12)), rows(at(14), at(13)), rows(at(15)), rows(at(16))
    )
    read = log(pages, at(10))
    assert read.bookmarks == [at(12), at(10), at(10), at(12)]
    assert read.order_warnings == ["oldest first"]
    assert len(read.ids) == 6


def test_a_log_in_descending_order_is_read_in_full() -> None:
    """The bookmark is the newest timestamp of the first page, as in a feed."""
    pages = Pages(rows(at(14), at(13)), rows(at(12), at(11)))
    read = log(pages, at(10))
    assert read.bookmarks == [at(10), at(14)]
    assert read.order_warnings == ["oldest first"]


def test_wrong_order_across_pages_of_a_log_is_detected() -> None:
    """Each page may be in order although the list is not."""
    read = log(Pages(rows(at(12)), rows(at(11)), rows(at(13))))
    assert read.order_warnings == ["oldest first"]


def test_rows_with_equal_timestamps_are_in_order() -> None:
    """A rule can create many events at once."""
    read = log(Pages(rows(at(12), at(12)), rows(at(12))))
    assert read.order_warnings == []
    assert read.bookmarks == [at(12), at(12)]


@pytest.mark.parametrize("value", [None, "", "soon", 5])
def test_a_row_of_a_log_without_a_timestamp_is_emitted(value: object) -> None:
    """It is ignored when the order is checked."""
    read = log(Pages(rows(value, at(8), value), rows(value), rows(at(9))))
    assert len(read.ids) == 5
    assert read.bookmarks == [at(8), at(8), at(9)]
    assert read.order_warnings == []


def test_a_timestamp_in_the_future_does_not_become_the_bookmark_of_a_log() -> None:
    """It would hide all rows until then."""
    pages = Pages([]).replace(None, Page(rows(at(8), at(20)), now=at(12)))
    read = log(pages)
    assert read.ids == [at(8), at(20)]
    assert read.bookmarks == [at(8)]


def test_an_empty_page_does_not_end_a_log() -> None:
    """Only a missing cursor does."""
    assert log(Pages([], rows(at(8)), [], rows(at(9)))).ids == [at(8), at(9)]


def test_a_snapshot_reads_every_page_of_every_list() -> None:
    """Active and archived rows are separate lists."""
    active = Pages([{"id": 1}, {"id": 2}], [{"id": 3}])
    archived = Pages([{"id": 4}])
    assert snapshot_ids(active, archived) == [1, 2, 3, 4]
    assert (active.requested, archived.requested) == ([None, "c1"], [None])


def test_a_snapshot_emits_each_row_once() -> None:
    """Pages may shift during a walk, and a row may be archived between two lists."""
    active = Pages([{"id": 1}, {"id": 2}], [{"id": 2}, {"id": 3}])
    archived = Pages([{"id": 1}, {"id": 4}])
    assert snapshot_ids(active, archived) == [1, 2, 3, 4]


def test_rows_of_a_snapshot_are_identified_by_all_their_keys() -> None:
    """The same item may be in two views."""
    table = [{"view": 1, "id": 7}, {"view": 2, "id": 7}, {"view": 1, "id": 7}]
    assert snapshot_ids(Pages(table), keys=("view", "id")) == [7, 7]


def test_a_snapshot_accepts_keys_of_any_type() -> None:
    """The converter rejects invalid ones with a clear error."""
    assert snapshot_ids(Pages([{"id": [1]}, {"id": 2}])) == [[1], 2]


def test_a_snapshot_has_no_position() -> None:
    """It is read in full every time."""
    steps = list(walks.snapshot(lambda: Pages([{"id": 1}], [])(None), ("id",), print))
    assert [step.position for step in steps] == [None, None]


def test_steps_of_logs_and_snapshots_tell_whether_another_page_follows() -> None:
    """All pages are read, so only the last step has no next page."""
    pages = Pages(rows(at(8)), rows(at(9)), [])
    assert [step.has_next_page for step in log(pages).steps] == [True, True, False]
    steps = walks.snapshot(lambda: pages(None), ("id",), print)
    assert [step.has_next_page for step in steps] == [True, True, False]
