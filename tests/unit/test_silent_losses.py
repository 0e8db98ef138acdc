"""What is hidden at first is seen later: late rows, wrong clocks, missing keys."""

from __future__ import annotations

import itertools
import weakref
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tap_gorgias import timestamps
from tap_gorgias.errors import ApiError
from tap_gorgias.replication import walks
from tap_gorgias.replication.bookmarks import Position
from tap_gorgias.replication.imported_tickets import Sources, beginning, with_imports
from tap_gorgias.replication.pages import MissingRow, Page, up_to_the_present
from tap_gorgias.replication.settling import Settling
from tests.support.lists import KEY, Pages, Read, at, rows
from tests.support.responses import paged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_gorgias.replication.pages import Row

MINUTE = timedelta(minutes=1)


def log(*pages: Page, bookmark: str | None = None) -> Read:
    """Read a log of some pages, oldest rows first."""
    last = len(pages) - 1
    read = Read()
    steps = walks.log(
        lambda _: iter(
            replace(page, next_cursor=None if number == last else "c", key=KEY)
            for number, page in enumerate(pages)
        ),
        read,
        bookmark=bookmark,
        start=None,
    )
    return read.take(steps)


def feed(pages: Pages, position: Position | None = None) -> Read:
    """Read a feed in which rows may lack their keys."""
    read = Read()
    plan = walks.WalkPlan(
        position or Position(),
        lambda bookmark: walks.floor_of(bookmark, None, walks.OVERLAP),
    )
    return read.take(walks.feed(pages, plan, read))


def keyless(timestamp: str) -> Row:
    """Return a row without its key."""
    return {"id": None, KEY: timestamp}


def test_the_bookmark_of_a_log_does_not_pass_the_first_look_at_the_present() -> None:
    """Rows before it may have become visible behind the reader of a long run."""
    read = log(
        Page(rows(at(8), at(9)), now=at(10)),
        Page(rows(at(9, 30), at(9, 58)), now=at(10)),
        Page(rows(at(10, 1), at(10, 6)), now=at(10, 7)),
    )
    assert read.bookmarks == [at(9), at(9, 58), at(10)]


def test_a_quiet_log_moves_to_its_newest_row() -> None:
    """Nothing near the present was read, so nothing can be hidden."""
    read = log(Page(rows(at(8)), now=at(12)), Page(rows(at(9)), now=at(12, 10)))
    assert read.bookmarks == [at(8), at(9)]


def test_a_row_without_its_key_holds_a_log_once() -> None:
    """The next run reads it again, and then goes on."""
    pages = (
        Page([*rows(at(8)), keyless(at(9))], now=at(23)),
        Page(rows(at(10)), now=at(23)),
    )
    first = log(*pages)
    assert first.bookmarks == [at(9), at(9)]
    assert log(*pages, bookmark=at(9)).bookmarks[-1] == at(10)


@pytest.mark.parametrize(
    ("page", "held"),
    [
        ([keyless(at(11)), *rows(at(10))], at(11)),
        ([{}, *rows(at(10))], at(10)),
        ([*rows(at(10)), {}], at(9)),
    ],
    ids=["with a date", "no date", "no date and last on its page"],
)
def test_a_row_without_its_key_holds_the_bookmark_of_a_feed_but_not_its_walk(
    page: list[Row], held: str
) -> None:
    """A first sync is not read from its top again for one row."""
    pages = Pages(rows(at(12)), page, rows(at(9)))
    first = feed(pages)
    cursors = [one and one.walk and one.walk.cursor for one in first.positions]
    assert cursors == ["c1", "c2", None]
    assert first.positions[-1] == Position(held)
    assert feed(pages, Position(held)).positions[-1] == Position(at(12))


@pytest.mark.parametrize(
    "page",
    [
        Page([keyless(at(20))], "c1", at(10), KEY),
        Page([MissingRow(keyless(at(20)))], "c1", key=KEY),
    ],
    ids=["without its key", "unreadable"],
)
def test_a_row_of_the_future_that_cannot_be_loaded_holds_nothing(page: Page) -> None:
    """Every run reads it again, and its date as a bookmark would hide all changes."""
    pages = Pages([], rows(at(9))).replace(None, page)
    assert feed(pages).positions[-1] == Position(at(9))


@pytest.mark.parametrize(
    ("newest", "is_due"), [(at(9), False), (at(22), True), (at(1), True)]
)
def test_settling_is_due_if_the_newest_tickets_seem_to_be_old(
    newest: str,
    is_due: bool,  # noqa: FBT001
) -> None:
    """The list may begin with its oldest tickets, which the walk finds out."""
    position = Position(at(8))
    plan = Settling(position, None, None, timedelta(hours=12)).plan
    assert plan.begins(Page(rows(newest), key=KEY), position.bookmark) == is_due


FUTURE = Page(rows(at(20), at(19)), "c", at(10), KEY)
PRESENT = Page(rows(at(9)), "c", at(10), KEY)
UNDATED = Page(rows(None, 1_700_000_000), "c", at(10), KEY)
NO_ROWS = Page([], "c", at(10), KEY)


@pytest.mark.parametrize(
    ("head", "read"),
    [
        ([PRESENT, PRESENT], 1),
        ([FUTURE, NO_ROWS, PRESENT, PRESENT], 3),
        ([UNDATED, PRESENT], 1),
        ([FUTURE, UNDATED, PRESENT], 2),
        ([FUTURE] * 70, 50),
    ],
    ids=["present", "future and empty", "no dates", "no dates below", "only future"],
)
def test_a_page_of_future_rows_decides_nothing(head: list[Page], read: int) -> None:
    """The next page shows the present, unless there are no dates, or too many pages."""
    assert up_to_the_present(iter(head)) == head[:read]


class Noted(dict[str, Any]):
    """A row that can be referenced weakly."""


@pytest.mark.parametrize("date", [None, at(20)], ids=["no date", "future"])
def test_a_list_without_a_date_of_the_past_is_read_page_by_page(
    date: str | None,
) -> None:
    """It is not held in memory, and a run that is killed goes on where it was."""
    noted: list[weakref.ref[Noted]] = []

    def page_at(cursor: str | None) -> Page:
        row = Noted({"id": len(noted), KEY: date})
        noted.append(weakref.ref(row))
        following = str(int(cursor or 0) + 1) if len(noted) < 200 else None
        return Page([row], following, at(10), KEY)

    plan = walks.WalkPlan(Position(), lambda _: None)
    steps = walks.feed(paged(page_at), plan, Read())
    first = next(steps)
    assert first.position
    assert first.position.walk
    assert first.position.walk.cursor == "1"
    assert len(noted) <= 50
    for _ in itertools.islice(steps, 90):
        assert sum(row() is not None for row in noted) <= 52


@pytest.mark.parametrize(
    ("now", "mark"),
    [(at(9, 30), at(9, 30)), (at(9, 3), at(9, 3)), (at(23), at(9, 35))],
    ids=["clock is right", "quiet", "clock is ahead"],
)
def test_the_first_mark_of_imports_is_what_tickets_prove(now: str, mark: str) -> None:
    """A `Date` that is ahead counts no further than the overlap."""
    newest = at(9) if now == at(9, 3) else at(9, 30)
    assert beginning(Page(rows(newest), now=now, key=KEY))[:16] == mark[:16]  # type: ignore[index]


def test_a_page_of_future_tickets_proves_no_mark_of_imports() -> None:
    """The next page does, if the clock of Gorgias is ahead."""
    walk = [
        walks.Step([], Position(), page.next_cursor is not None, None, page)
        for page in (
            Page(rows(at(20)), "c1", at(10, 9), KEY),
            Page(rows(at(9)), None, at(10, 9), KEY),
        )
    ]
    nothing = Sources(lambda _: iter(()), lambda _: iter(()), lambda *_: None)
    *_, end = with_imports(iter(walk), Position(), nothing)
    assert end.position
    assert str(end.position.imports)[:16] == at(9, 5)[:16]


def imports(
    *events: Page, mark: str, tickets: Sequence[Row] = (), refused: Sequence[int] = ()
) -> tuple[list[int], str | None, list[int]]:
    """Follow events of new tickets; return the ids asked for, the mark, what is out."""
    asked: list[int] = []
    left_out: list[int] = []

    def tickets_of(ids: Sequence[int]) -> Iterator[Page]:
        if set(ids) & set(refused):
            reason = "no"
            raise ApiError(reason, stream="tickets", path="/api/tickets", status=400)
        asked.extend(ids)
        yield Page([{"id": one} for one in ids])

    last = len(events) - 1
    pages = [
        replace(
            page, next_cursor=None if number == last else "c", key="created_datetime"
        )
        for number, page in enumerate(events)
    ]
    page = Page(list(tickets), key=KEY)
    steps = with_imports(
        iter([walks.Step(page.rows, Position(at(8)), page=page)]),
        Position(at(8), imports=mark),
        Sources(lambda _: iter(pages), tickets_of, lambda one, _: left_out.append(one)),
    )
    *_, end = steps
    return asked, end.position.imports if end.position else None, left_out


def created(ticket: object, timestamp: str) -> Row:
    """Return an event of a new ticket."""
    return {"object_id": ticket, "created_datetime": timestamp}


def test_the_mark_of_imports_moves_to_what_events_prove() -> None:
    """An hour that the clock of one response is ahead hides no import."""
    _, mark, _ = imports(Page([created(1, at(9))], now=at(23)), mark=at(8))
    assert mark is not None
    assert timestamps.earlier(mark, walks.OVERLAP)[:19] == at(9)[:19]


def test_the_mark_of_imports_does_not_pass_the_first_look_at_the_present() -> None:
    """Events may become visible behind the reader while a large import is read."""
    _, mark, _ = imports(
        Page([created(1, at(9, 58))], now=at(10)),
        Page([created(2, at(10, 9))], now=at(10, 10)),
        mark=at(8),
    )
    assert mark == at(10)


@pytest.mark.parametrize("odd", [None, True, "", "x", 4.5, [], {}])
def test_an_event_without_an_id_is_skipped(odd: object) -> None:
    """Asking for it would be refused in every run."""
    page = Page([created(odd, at(9)), created(7, at(9))], now=at(10))
    asked, _, _ = imports(page, mark=at(8))
    assert asked == [7]


def test_a_refused_id_costs_no_other_ticket() -> None:
    """The ids are asked for in halves."""
    page = Page([created(one, at(9)) for one in range(1, 90)], now=at(10))
    asked, mark, left_out = imports(page, mark=at(8), refused=[13, 77])
    assert sorted(asked) == [one for one in range(1, 90) if one not in {13, 77}]
    assert left_out == [13, 77]
    assert mark is not None
