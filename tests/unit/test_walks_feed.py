"""A feed is read in descending order, down to where the last run began."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tap_gorgias.errors import ApiError, TransientApiError
from tap_gorgias.replication.bookmarks import Position, Walk
from tap_gorgias.replication.pages import Page, proven
from tests.support.lists import Pages, Read, at, feed, feed_steps, rows

if TYPE_CHECKING:
    from collections.abc import Iterator


def refusal(status: int) -> ApiError:
    """Return the error of a refused request."""
    return ApiError("no", stream="tickets", path="/api/tickets", status=status)


def test_a_first_sync_reads_everything() -> None:
    """Without a bookmark and a start date, there is no floor."""
    pages = Pages(rows(at(12), at(11)), rows(at(10)), rows(at(1)))
    read = feed(pages)
    assert read.ids == [at(12), at(11), at(10), at(1)]
    assert pages.requested == [None, "c1", "c2"]


def test_reading_stops_at_the_floor() -> None:
    """It is five minutes before the bookmark. No further page is requested."""
    pages = Pages(
        rows(at(12), at(11)), rows(at(10), at(9, 59), at(9, 57), at(9, 56)), rows(at(9))
    )
    read = feed(pages, Position(at(10)))
    assert read.ids == [at(12), at(11), at(10), at(9, 59)]
    assert pages.requested == [None, "c1"]


def test_a_row_at_the_floor_is_emitted_and_does_not_end_the_walk() -> None:
    """Further rows may have the same timestamp."""
    pages = Pages(rows(at(12), at(9, 58)), rows(at(9, 58), at(9, 57)), rows(at(9)))
    read = feed(pages, Position(at(10)))
    assert read.ids == [at(12), at(9, 58), at(9, 58)]
    assert pages.requested == [None, "c1"]


def test_an_idle_run_takes_one_request() -> None:
    """The first page shows that no row changed."""
    pages = Pages(rows(at(10), at(9)), rows(at(8)))
    read = feed(pages, Position(at(10)))
    assert read.positions == [Position(at(10))]
    assert pages.requested == [None]


def test_a_first_sync_stops_at_the_start_date() -> None:
    """The start date is included, and has no overlap."""
    pages = Pages(rows(at(12), at(8), at(7, 59)), rows(at(7)))
    read = feed(pages, start=at(8))
    assert read.ids == [at(12), at(8)]
    assert pages.requested == [None]


def test_the_bookmark_takes_precedence_over_the_start_date() -> None:
    """The start date applies only to the first sync."""
    read = feed(Pages(rows(at(12), at(10), at(9))), Position(at(10)), start=at(11))
    assert read.ids == [at(12), at(10)]


def test_the_bookmark_moves_only_at_the_end() -> None:
    """If a run is killed, the next one must not skip unread rows."""
    pages = Pages(rows(at(12)), rows(at(11)), rows(at(10), at(9)))
    assert feed(pages, Position(at(10))).bookmarks == [at(10), at(10), at(12)]


def test_each_page_saves_the_cursor_of_the_next() -> None:
    """The saved walk contains everything needed to continue."""
    pages = Pages(rows(at(12), at(11)), rows(at(10, 30)), rows(at(9)))
    assert feed(pages, Position(at(10))).positions == [
        Position(at(10), Walk(at(12), "c1", at(9, 58))),
        Position(at(10), Walk(at(12), "c2", at(9, 58))),
        Position(at(12)),
    ]


def test_an_unfinished_walk_is_finished_before_a_new_one() -> None:
    """So older versions of a row come first, and no request is wasted."""
    pages = Pages(
        rows(at(14), at(13)), rows(at(12), at(11)), rows(at(10, 30), at(9)), rows(at(8))
    )
    walk = Walk(newest=at(12), cursor="c2", floor=at(9, 58))
    read = feed(pages, Position(at(10), walk))
    assert pages.requested == ["c2", None, "c1"]
    assert read.ids == [at(10, 30), at(14), at(13), at(12)]
    assert read.positions == [
        Position(at(12)),
        Position(at(12), Walk(at(14), "c1", at(11, 58))),
        Position(at(14)),
    ]


@pytest.mark.parametrize("start", [None, at(3)], ids=["no start", "later start"])
def test_an_unfinished_first_walk_keeps_its_floor(start: str | None) -> None:
    """A changed start date applies only to new walks."""
    pages = Pages(rows(at(12)), rows(at(5)), rows(at(1)))
    read = feed(pages, Position(None, Walk(at(12), "c1", None)), start)
    assert read.ids == [at(5), at(1), at(12)]
    assert read.bookmarks == [None, at(12), at(12), at(12)]


@pytest.mark.parametrize("status", [301, 400, 404, 410, 422])
def test_a_walk_with_a_refused_cursor_restarts_with_the_same_floor(status: int) -> None:
    """Cursors expire. Rows are read again, and none are lost."""
    pages = Pages(rows(at(12)), rows(at(10)), rows(at(6), at(4)), rows(at(3)))
    pages.replace("old", refusal(status))
    read = feed(pages, Position(at(9), Walk(at(11), "old", at(5))))
    assert len(read.restarts) == 1
    assert pages.requested == ["old", None, "c1", "c2"]
    assert read.ids == [at(12), at(10), at(6)]
    assert read.positions[0] == Position(at(9), Walk(at(12), "c1", at(5)))
    assert read.positions[-1] == Position(at(12))


@pytest.mark.parametrize(
    "error",
    [
        refusal(401),
        refusal(403),
        TransientApiError("busy", stream="tickets", path="/", status=503),
        TransientApiError("no answer", stream="tickets", path="/"),
    ],
    ids=["401", "403", "503", "no answer"],
)
def test_other_errors_do_not_restart_a_walk(error: ApiError) -> None:
    """A restart would discard the walk for no reason."""
    pages = Pages(rows(at(12), at(10))).replace("old", error)
    read = Read()
    with pytest.raises(ApiError) as raised:
        feed(pages, Position(at(9), Walk(at(11), "old", at(5))), read=read)
    assert raised.value is error
    assert read.restarts == []
    assert {position and position.bookmark for position in read.positions} <= {
        None,
        at(9),
    }


@pytest.mark.parametrize("pages_above", [1, 3])
def test_what_changed_above_a_walk_that_fails_is_read(pages_above: int) -> None:
    """The walk is kept as it is, but for its newest row, and tried again."""
    busy = TransientApiError("busy", stream="tickets", path="/", status=503)
    above = [rows(at(12 + number)) for number in range(pages_above, 0, -1)]
    pages = Pages(*above, rows(at(11), at(10)), rows(at(9))).replace("old", busy)
    walk = Walk(at(11), "old", at(5))
    read = Read()
    with pytest.raises(ApiError):
        feed(pages, Position(at(9), walk), read=read)
    newest = at(12 + pages_above)
    assert read.ids[0] == newest
    assert at(10) not in read.ids
    kept = Position(at(9), replace(walk, newest=newest))
    assert [position for position in read.positions if position] == [kept]

    pages.replace("old", Page(rows(at(8), at(4))))
    healed = feed(pages, kept)
    assert healed.ids[0] == at(8)
    assert healed.positions[-1] == Position(newest)


def test_a_refused_cursor_of_this_run_starts_the_walk_again_once() -> None:
    """Cursors are short-lived. The second refusal is an error, the walk is kept."""
    pages = Pages(rows(at(12)), rows(at(11)), rows(at(10))).replace("c2", refusal(400))
    read = Read()
    with pytest.raises(ApiError):
        feed(pages, Position(None, Walk(at(12), "c1", None)), read=read)
    assert len(read.restarts) == 2
    assert read.positions[-1] == Position(None, Walk(at(12), "c2", None))


def test_a_walk_whose_saved_cursor_leads_to_no_rows_starts_again() -> None:
    """An expired cursor may return an empty page, which must not be the end."""
    pages = Pages(rows(at(12)), rows(at(10)), rows(at(4))).replace("old", Page([]))
    read = feed(pages, Position(at(9), Walk(at(11), "old", at(5))))
    assert len(read.restarts) == 1
    assert read.ids == [at(12), at(10)]


def test_an_empty_page_after_a_cursor_is_no_end_while_the_page_before_goes_on() -> None:
    """A cursor may expire between two requests."""
    pages = Pages(rows(at(12)), rows(at(11)), rows(at(10)))
    empty = iter([Page([])])

    def pages_from(cursor: str | None) -> Iterator[Page]:
        if cursor is None and len(pages.requested) == 0:
            yield next(pages(None))
            yield next(empty)
        else:
            yield from pages(cursor)

    assert [page.rows for page in proven(pages_from)] == [
        rows(at(12)),
        rows(at(11)),
        rows(at(10)),
    ]


def test_an_unordered_feed_is_read_in_full_with_one_warning() -> None:
    """Otherwise the first old row would end the walk, and hide all others."""
    pages = Pages(rows(at(8), at(12)), rows(at(9), at(11)), rows(at(1), at(10)))
    read = feed(pages, Position(at(10)))
    assert read.ids == [at(12), at(11), at(10)]
    assert pages.requested == [None, "c1", "c2"]
    assert read.order_warnings == ["newest first"]
    assert read.positions[-1] == Position(at(12))


def test_wrong_order_across_pages_is_detected() -> None:
    """Each page may be in order although the list is not."""
    pages = Pages(rows(at(12), at(10)), rows(at(11)), rows(at(5)))
    read = feed(pages, Position(at(10)))
    assert read.order_warnings == ["newest first"]
    assert read.ids == [at(12), at(10), at(11)]
    assert pages.requested == [None, "c1", "c2"]


@pytest.mark.parametrize(
    "swapped",
    [
        rows(at(12), at(11, 56), at(11, 58), at(9)),
        rows(at(12), at(9), at(8), at(9, 30)),
    ],
    ids=["less than the overlap", "below the floor"],
)
def test_a_harmless_inversion_is_none(swapped: list[dict[str, object]]) -> None:
    """The order of Gorgias is said to be not quite strict."""
    pages = Pages(swapped, rows(at(7)))
    read = feed(pages, Position(at(10)))
    assert (read.order_warnings, pages.requested) == ([], [None])


def test_a_disordered_walk_saves_nothing_that_ends_it_early() -> None:
    """A run that resumed it at its floor would miss rows below."""
    pages = Pages(rows(at(8), at(12)), rows(at(2)), rows(at(11)))
    read = feed(pages, Position(at(10)))
    assert read.positions == [None, None, Position(at(12))]


def test_wrong_order_on_the_last_page_is_detected() -> None:
    """Rows above the floor may follow one below it."""
    pages = Pages(rows(at(12), at(9), at(11)), rows(at(8)))
    read = feed(pages, Position(at(10)))
    assert read.order_warnings == ["newest first"]
    assert pages.requested == [None, "c1"]


def test_rows_with_equal_timestamps_are_in_order() -> None:
    """A bulk change gives thousands of rows the same timestamp."""
    pages = Pages(rows(at(12), at(12)), rows(at(12), at(9)))
    assert feed(pages, Position(at(10))).order_warnings == []


def test_a_row_that_changes_during_the_walk_is_not_wrong_order() -> None:
    """It moves to the top, and may appear again on a later page."""
    pages = Pages(rows(at(12), at(11)), rows(at(13), at(10), at(9)), rows(at(8)))
    read = feed(pages, Position(at(10)))
    assert read.order_warnings == []
    assert pages.requested == [None, "c1"]
    assert read.positions[-1] == Position(at(12))


@pytest.mark.parametrize("value", [None, "", "soon", 5])
def test_a_row_without_a_timestamp_is_emitted(value: object) -> None:
    """It is ignored when the order and the floor are checked."""
    pages = Pages(rows(at(12), value, at(11)), rows(value), rows(at(10, 30), at(9)))
    read = feed(pages, Position(at(10)))
    assert read.ids == [at(12), str(value), at(11), str(value), at(10, 30)]
    assert read.order_warnings == []


def test_a_row_without_the_key_is_emitted() -> None:
    """A missing value is treated as null."""
    assert feed(Pages([{"id": "1"}]), Position(at(10))).ids == ["1"]


def test_timestamps_are_compared_independently_of_their_format() -> None:
    """The bookmark always has the same format."""
    pages = Pages(rows("2026-01-01T12:00:00.5+00:00", "2026-01-01T13:00:00+01:00"))
    read = feed(pages, Position(at(10)))
    assert read.order_warnings == []
    assert read.bookmarks == ["2026-01-01T12:00:00.500000Z"]


def test_an_empty_page_with_a_cursor_does_not_end_the_walk() -> None:
    """Gorgias may have filtered out its rows."""
    pages = Pages([], rows(at(12)), [], rows(at(11), at(9)))
    read = feed(pages, Position(at(10)))
    assert read.ids == [at(12), at(11)]
    assert read.positions[-1] == Position(at(12))


def test_a_timestamp_in_the_future_does_not_become_the_bookmark() -> None:
    """An import can set any date, and changes until then would be hidden."""
    pages = Pages([]).replace(None, Page(rows(at(20), at(8)), now=at(12)))
    read = feed(pages)
    assert read.ids == [at(20), at(8)]
    assert read.bookmarks == [at(8)]


@pytest.mark.parametrize("contents", [[], rows(None)], ids=["no row", "no timestamp"])
def test_a_feed_without_timestamps_has_no_bookmark(
    contents: list[dict[str, object]],
) -> None:
    """The next run reads everything again."""
    assert feed(Pages(contents), start=at(1)).positions == [Position()]


@pytest.mark.parametrize("newest", [at(8), None])
def test_the_bookmark_never_moves_back(newest: str | None) -> None:
    """The newest rows may have been deleted in the meantime."""
    assert feed(Pages(rows(newest)), Position(at(10))).bookmarks == [at(10)]


def test_a_resumed_walk_does_not_move_the_bookmark_back() -> None:
    """The saved walk may be older than the bookmark."""
    position = Position(at(10), Walk(newest=at(8), cursor="c1", floor=at(7)))
    read = feed(Pages(rows(at(12), at(9)), rows(at(7, 30))), position)
    assert read.bookmarks == [at(10), at(12)]


def test_a_page_is_requested_only_when_its_step_is() -> None:
    """A position is valid only after the rows before it are written."""
    pages = Pages(rows(at(12)), rows(at(11)))
    steps = feed_steps(pages, Read(), Position())
    assert pages.requested == []
    next(steps)
    assert pages.requested == [None]
    next(steps)
    assert pages.requested == [None, "c1"]


@pytest.mark.parametrize(
    ("position", "has_next_page"),
    [
        (Position(), [True, True, False]),
        (Position(at(10, 30)), [True, False]),
        (Position(at(12)), [False]),
        (Position(at(10), Walk(at(11), "c1", at(9))), [True, False, True, False]),
    ],
    ids=["to the end", "to the floor", "idle", "an unfinished walk first"],
)
def test_steps_tell_whether_another_page_is_certain(
    position: Position, has_next_page: list[bool]
) -> None:
    """The floor is checked before the rows are emitted.

    After the last page of a walk, the next one depends on the position that was saved.
    """
    pages = Pages(rows(at(12), at(11)), rows(at(10, 29), at(10)), rows(at(9, 30)))
    read = feed(pages, position)
    assert [step.has_next_page for step in read.steps] == has_next_page
