"""A feed is read newest first, down to where the last run began."""

from __future__ import annotations

import pytest

from tap_gorgias.errors import ApiError, TransientApiError
from tap_gorgias.replication.bookmarks import Position, Walk
from tap_gorgias.replication.pages import Page, PageError
from tests.support.lists import KEY, Pages, Read, at, feed, feed_steps, rows


def refusal(status: int) -> ApiError:
    """Make what Gorgias answers to a request that it does not like."""
    return ApiError("no", stream="tickets", path="/api/tickets", status=status)


def test_a_first_read_takes_everything() -> None:
    """Without bookmark and start date there is no floor."""
    pages = Pages(rows(at(12), at(11)), rows(at(10)), rows(at(1)))
    read = feed(pages)
    assert read.ids == [at(12), at(11), at(10), at(1)]
    assert pages.asked == [None, "c1", "c2"]


def test_reading_stops_at_the_floor() -> None:
    """Two minutes behind the bookmark is enough; no further page is paid for."""
    pages = Pages(
        rows(at(12), at(11)),
        rows(at(10), at(9, 59), at(9, 57), at(9, 56)),
        rows(at(9)),
    )
    read = feed(pages, Position(at(10)))
    assert read.ids == [at(12), at(11), at(10), at(9, 59)]
    assert pages.asked == [None, "c1"]


def test_a_row_at_the_floor_is_emitted_and_does_not_end_the_read() -> None:
    """Many rows may share a moment."""
    pages = Pages(rows(at(12), at(9, 58)), rows(at(9, 58), at(9, 57)), rows(at(9)))
    read = feed(pages, Position(at(10)))
    assert read.ids == [at(12), at(9, 58), at(9, 58)]
    assert pages.asked == [None, "c1"]


def test_an_idle_run_costs_one_request() -> None:
    """Nothing changed: one page tells so."""
    pages = Pages(rows(at(10), at(9)), rows(at(8)))
    read = feed(pages, Position(at(10)))
    assert read.positions == [Position(at(10))]
    assert pages.asked == [None]


def test_a_first_read_stops_at_the_start_date() -> None:
    """The start date itself is wanted; no overlap is taken from it."""
    pages = Pages(rows(at(12), at(8), at(7, 59)), rows(at(7)))
    read = feed(pages, start=at(8))
    assert read.ids == [at(12), at(8)]
    assert pages.asked == [None]


def test_the_bookmark_counts_more_than_the_start_date() -> None:
    """The start date is for the first sync only."""
    read = feed(Pages(rows(at(12), at(10), at(9))), Position(at(10)), start=at(11))
    assert read.ids == [at(12), at(10)]


def test_the_bookmark_moves_at_the_end_only() -> None:
    """A run that dies in between must not skip what it did not read."""
    pages = Pages(rows(at(12)), rows(at(11)), rows(at(10), at(9)))
    assert feed(pages, Position(at(10))).bookmarks == [at(10), at(10), at(12)]


def test_each_page_saves_where_the_next_begins() -> None:
    """The walk holds all that is needed to go on."""
    pages = Pages(rows(at(12), at(11)), rows(at(10, 30)), rows(at(9)))
    assert feed(pages, Position(at(10))).positions == [
        Position(at(10), Walk(at(12), "c1", at(9, 58))),
        Position(at(10), Walk(at(12), "c2", at(9, 58))),
        Position(at(12)),
    ]


def test_an_unfinished_walk_is_finished_before_the_new_head() -> None:
    """Older versions of a row go out before newer ones, and no request is lost."""
    pages = Pages(
        rows(at(14), at(13)), rows(at(12), at(11)), rows(at(10, 30), at(9)), rows(at(8))
    )
    walk = Walk(newest=at(12), cursor="c2", floor=at(9, 58))
    read = feed(pages, Position(at(10), walk))
    assert pages.asked == ["c2", None, "c1"]
    assert read.ids == [at(10, 30), at(14), at(13), at(12)]
    assert read.positions == [
        Position(at(12)),
        Position(at(12), Walk(at(14), "c1", at(11, 58))),
        Position(at(14)),
    ]


@pytest.mark.parametrize("start", [None, at(3)], ids=["no start", "later start"])
def test_an_unfinished_first_walk_keeps_its_floor(start: str | None) -> None:
    """A start date that was changed in between is for new walks."""
    pages = Pages(rows(at(12)), rows(at(5)), rows(at(1)))
    read = feed(pages, Position(None, Walk(at(12), "c1", None)), start)
    assert read.ids == [at(5), at(1), at(12)]
    assert read.bookmarks == [None, at(12), at(12), at(12)]


def test_a_refused_cursor_starts_again_with_the_same_floor() -> None:
    """Cursors live shortly; nothing is lost but time."""
    pages = Pages(rows(at(12)), rows(at(10)), rows(at(6), at(4)), rows(at(3)))
    pages.replace("old", refusal(400))
    read = feed(pages, Position(at(9), Walk(at(11), "old", at(5))))
    assert len(read.restarts) == 1
    assert pages.asked == ["old", None, "c1", "c2"]
    assert read.ids == [at(12), at(10), at(6)]
    assert read.positions[0] == Position(at(9), Walk(at(12), "c1", at(5)))
    assert read.positions[-1] == Position(at(12))


@pytest.mark.parametrize("status", [400, 404, 410, 422])
def test_any_refusal_may_be_due_to_a_saved_cursor(status: int) -> None:
    """What an expired cursor answers is not documented."""
    pages = Pages(rows(at(12))).replace("old", refusal(status))
    read = feed(pages, Position(None, Walk(at(11), "old", None)))
    assert read.ids == [at(12)]


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
def test_other_failures_are_not_taken_for_a_refused_cursor(error: ApiError) -> None:
    """Starting again would throw the walk away for nothing."""
    pages = Pages(rows(at(12))).replace("old", error)
    read = Read()
    with pytest.raises(ApiError) as raised:
        feed(pages, Position(at(9), Walk(at(11), "old", at(5))), read=read)
    assert raised.value is error
    assert (pages.asked, read.steps, read.restarts) == (["old"], [], [])


def test_a_refusal_later_in_the_walk_ends_the_run() -> None:
    """A cursor of this very run does not expire; the position is saved."""
    pages = Pages(rows(at(12)), rows(at(11)), rows(at(10))).replace("c2", refusal(400))
    read = Read()
    with pytest.raises(ApiError):
        feed(pages, Position(None, Walk(at(12), "c1", None)), read=read)
    assert read.positions == [Position(None, Walk(at(12), "c2", None))]


def test_disorder_reads_to_the_end_and_is_told_once() -> None:
    """Who trusts an order that is gone emits nothing on the day it changes."""
    pages = Pages(rows(at(8), at(12)), rows(at(9), at(11)), rows(at(1), at(10)))
    read = feed(pages, Position(at(10)))
    assert len(read.ids) == 6
    assert read.order_warnings == ["newest first"]
    assert read.positions[-1] == Position(at(12))


def test_disorder_between_pages_is_seen() -> None:
    """Each page may be in order while the list is not."""
    pages = Pages(rows(at(12), at(10)), rows(at(11)), rows(at(5)))
    read = feed(pages, Position(at(10)))
    assert read.order_warnings == ["newest first"]
    assert read.ids == [at(12), at(10), at(11), at(5)]


def test_disorder_on_the_page_that_reaches_the_floor_is_seen() -> None:
    """A row below the floor is no proof that all above it were read."""
    pages = Pages(rows(at(12), at(9), at(11)), rows(at(8)))
    read = feed(pages, Position(at(10)))
    assert read.order_warnings == ["newest first"]
    assert pages.asked == [None, "c1"]


def test_rows_of_one_moment_are_in_order() -> None:
    """Bulk changes give thousands of rows the same moment."""
    pages = Pages(rows(at(12), at(12)), rows(at(12), at(9)))
    assert feed(pages, Position(at(10))).order_warnings == []


def test_a_row_that_changed_during_the_walk_is_no_disorder() -> None:
    """It moved to the head, and the shift shows it on a later page."""
    pages = Pages(rows(at(12), at(11)), rows(at(13), at(10), at(9)), rows(at(8)))
    read = feed(pages, Position(at(10)))
    assert read.order_warnings == []
    assert pages.asked == [None, "c1"]
    assert read.positions[-1] == Position(at(12))


@pytest.mark.parametrize("value", [None, "", "soon", 5])
def test_a_row_without_a_moment_is_emitted(value: object) -> None:
    """It takes no part in the order, and ends nothing."""
    pages = Pages(rows(at(12), value, at(11)), rows(value), rows(at(10, 30), at(9)))
    read = feed(pages, Position(at(10)))
    assert read.ids == [at(12), str(value), at(11), str(value), at(10, 30)]
    assert read.order_warnings == []


def test_a_row_without_the_key_is_emitted() -> None:
    """Absent is the same as null."""
    assert feed(Pages([{"id": "1"}]), Position(at(10))).ids == ["1"]


def test_moments_are_compared_as_moments_not_as_texts() -> None:
    """The bookmark leaves in one form, whatever came."""
    pages = Pages(rows("2026-01-01T12:00:00.5+00:00", "2026-01-01T13:00:00+01:00"))
    read = feed(pages, Position(at(10)))
    assert read.order_warnings == []
    assert read.bookmarks == ["2026-01-01T12:00:00.500000Z"]


def test_an_empty_page_with_a_cursor_is_not_the_end() -> None:
    """Rows may have been filtered out of it on the server."""
    pages = Pages([], rows(at(12)), [], rows(at(11), at(9)))
    read = feed(pages, Position(at(10)))
    assert read.ids == [at(12), at(11)]
    assert read.positions[-1] == Position(at(12))


def test_a_repeated_cursor_ends_the_run() -> None:
    """Pages that go round would be read for ever."""
    pages = Pages(rows(at(12)), rows(at(11)))
    pages.replace("c1", Page(rows(at(11)), "c1"))
    with pytest.raises(PageError, match="same cursor"):
        feed(pages)


@pytest.mark.parametrize("contents", [[], rows(None)], ids=["no row", "no moment"])
def test_an_empty_account_leaves_no_bookmark(contents: list[dict[str, object]]) -> None:
    """The next run reads everything again, and STATE has no empty entry."""
    (position,) = feed(Pages(contents), start=at(1)).positions
    assert position is not None
    assert position.to_state(KEY) == {}


@pytest.mark.parametrize("newest", [at(8), None])
def test_the_bookmark_never_goes_back(newest: str | None) -> None:
    """The newest rows may have been deleted since."""
    assert feed(Pages(rows(newest)), Position(at(10))).bookmarks == [at(10)]


def test_a_finished_walk_does_not_take_the_bookmark_back() -> None:
    """Whatever a saved walk says, what was emitted stays emitted."""
    position = Position(at(10), Walk(newest=at(8), cursor="c1", floor=at(7)))
    read = feed(Pages(rows(at(12), at(9)), rows(at(7, 30))), position)
    assert read.bookmarks == [at(10), at(12)]


def test_nothing_is_fetched_before_the_last_page_was_taken() -> None:
    """A position holds only once the rows before it are out."""
    pages = Pages(rows(at(12)), rows(at(11)))
    steps = feed_steps(pages, Read(), Position())
    assert pages.asked == []
    next(steps)
    assert pages.asked == [None]
    next(steps)
    assert pages.asked == [None, "c1"]


@pytest.mark.parametrize(
    ("position", "goes_on"),
    [
        (Position(), [True, True, False]),
        (Position(at(10, 30)), [True, False]),
        (Position(at(12)), [False]),
        (Position(at(10), Walk(at(11), "c1", at(9))), [True, False, True, False]),
    ],
    ids=["to the end", "to the floor", "idle", "an unfinished walk first"],
)
def test_a_page_is_announced_only_if_it_will_be_read(
    position: Position, goes_on: list[bool]
) -> None:
    """Whether the floor is reached is known before the rows are emitted.

    Where a walk ends the next one depends on what is saved then.
    """
    pages = Pages(rows(at(12), at(11)), rows(at(10, 29), at(10)), rows(at(9, 30)))
    read = feed(pages, position)
    assert [step.has_next_page for step in read.steps] == goes_on
