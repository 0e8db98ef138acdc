"""A list is read in pieces where a page fails, and an unreadable row is passed over."""

from __future__ import annotations

import base64
import json
import random
from typing import TYPE_CHECKING, TypeAlias

import pytest

from tap_gorgias.errors import TransientApiError
from tap_gorgias.replication.pages import MissingRow, Page
from tap_gorgias.replication.pieces import (
    NO_RETRIES,
    ListReader,
    Order,
    cursor_beyond,
)
from tests.support.lists import at

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Place: TypeAlias = "tuple[str, int]"
    """The timestamp and the id of a row."""

CURSOR = "WyJuZXh0IiwgIjIwMjYtMDEtMDFUMTA6MDA6MDAiLCA1XQ=="
"""`["next", "2026-01-01T10:00:00", 5]`"""
PLACES = {
    "the same time": [at(10), at(10), at(10), at(10)],
    "minutes apart": [at(10, 1), at(10, 3), at(10, 8), at(11)],
    "the row and its neighbours at once": [at(10, 1), at(10, 2), at(10, 2), at(10, 2)],
    "months apart": ["2026-02-01T10:00:00.000000Z", at(10), at(11), at(12)],
}


class Table:
    """A table in which each page with one of its rows fails."""

    def __init__(
        self, places: Sequence[Place], *bad: int, is_ascending: bool = True
    ) -> None:
        self.places = places
        self.is_ascending = is_ascending
        self.asked: list[tuple[str | None, int | None]] = []
        self._bad = set(bad)
        self.order = Order("created", at(9), at(23), is_ascending=is_ascending)

    def page(self, cursor: str | None, size: int | None, _: float | None = 0.0) -> Page:
        """Return a page as Gorgias would."""
        self.asked.append((cursor, size))
        places = self.places
        if cursor is not None:
            direction, time, row = json.loads(base64.b64decode(cursor))
            after = (f"{time}Z" if "." in time else f"{time}.000000Z", row)
            if direction == "prev":
                return self._page_before(after)
            places = [one for one in places if self._is_after(one, after)]
        page = places[:size]
        if self._bad & {row for _, row in page}:
            message = "failed."
            raise TransientApiError(message, stream="s", path="/p", status=500)
        rest = len(places) > len(page)
        following = _cursor(page[-1]) if rest else None
        return Page([{"id": row, "created": time} for time, row in page], following)

    def _is_after(self, place: Place, other: Place) -> bool:
        return place > other if self.is_ascending else place < other

    def _page_before(self, place: Place) -> Page:
        before = [one for one in self.places if self._is_after(place, one)][-1:]
        if self._bad & {row for _, row in before}:
            message = "failed."
            raise TransientApiError(message, stream="s", path="/p", status=500)
        rows = [{"id": row, "created": time} for time, row in before]
        return Page(rows, _cursor(before[0]) if before else None)

    def probe(self, cursor: str) -> Page | None:
        """Request a single row."""
        try:
            return self.page(cursor, 1)
        except TransientApiError:
            return None

    def read(self, **rules: Callable[..., bool]) -> tuple[list[int], list[str]]:
        """Read the table, and return the ids and what is said to be missing."""
        said: list[str] = []
        reader = ListReader(
            self.page,
            4,
            self.order,
            is_divisible=True,
            report_incomplete=said.append,
            **rules,
        )
        rows = [row for page in reader.pages(None, None) for row in page.rows]
        return [row["id"] for row in rows if not isinstance(row, MissingRow)], said


def _cursor(place: Place) -> str:
    time, row = place
    return base64.b64encode(json.dumps(["next", time[:-1], row]).encode()).decode()


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("is_ascending", [False, True])
@pytest.mark.parametrize("bad", [0, 1, 3])
def test_an_unreadable_row_is_passed_over_alone(
    name: str,
    is_ascending: bool,  # noqa: FBT001
    bad: int,
) -> None:
    """Rows of the same microsecond come, and the log names the one that does not."""
    ids = [82_000_014, 82_000_190, 700_017, 82_000_020]
    places = sorted(zip(PLACES[name], ids, strict=True), reverse=not is_ascending)
    time, unreadable = places[bad]
    table = Table(places, unreadable, is_ascending=is_ascending)
    start = _cursor(places[bad - 1]) if bad else _cursor((at(9), 0))
    if not bad and not is_ascending:
        start = _cursor(("2026-03-01T10:00:00.000000Z", 0))

    beyond = cursor_beyond(start, table.probe, is_ascending=is_ascending)

    assert beyond is not None
    cursor, found_time, found = beyond
    after = [row["id"] for row in table.page(cursor, None).rows]
    assert after == [row for _, row in places[bad + 1 :]]
    assert abs(int(found_time[-7:-1]) - int(time[-7:-1])) in {0, 1, 999_999}
    assert found == unreadable
    assert len(table.asked) < 150


def test_a_row_before_which_others_are_unreadable_may_not_be_the_only_one() -> None:
    """What lies between them cannot be found, and the log says so."""
    table = Table([(at(10), 1), (at(11), 2), (at(11, 50), 3), (at(13), 4)], 2, 3)
    assert table.read()[0] == [1, 4]
    assert cursor_beyond(_cursor((at(10), 1)), table.probe, is_ascending=True) == (
        _cursor((at(11, 50), 2**53 - 1)),
        at(11, 50),
        None,
    )


def test_rows_between_unreadable_ones_come() -> None:
    """Each is named, although the search meets a later one first."""
    places = [(at(10), 1), (at(10, 30), 2), (at(10, 31), 3), (at(11), 4), (at(13), 5)]
    ids, said = Table(places, 2, 4).read()
    assert ids == [1, 3, 5]
    assert [one.split(" Row ")[1].split()[0] for one in said] == ["2", "4"]


@pytest.mark.parametrize("is_ascending", [False, True])
@pytest.mark.parametrize("seed", range(40))
def test_all_readable_rows_come_however_the_others_lie(
    seed: int,
    is_ascending: bool,  # noqa: FBT001
) -> None:
    """Unless unreadable ones follow one another, which the log says."""
    chance = random.Random(seed)  # noqa: S311 (no secret)
    times = [at(10, chance.choice([0, 1, 2, 7, 30])) for _ in range(12)]
    places = sorted(
        zip(times, chance.sample(range(82_000_000, 82_000_900), 12), strict=True),
        reverse=not is_ascending,
    )
    bad = {row for _, row in places if chance.random() < 0.3}
    table = Table(places, *bad, is_ascending=is_ascending)
    table.order = Order(
        "created",
        at(9) if is_ascending else at(23),
        at(23) if is_ascending else at(1),
        is_ascending=is_ascending,
    )

    ids, said = table.read()

    lost = {row for _, row in places} - bad - {*ids}
    assert len(ids) == len({*ids})
    if lost:
        assert any("or several" in one for one in said)
    else:
        assert len(said) <= len(bad)


def test_only_one_stream_looks_for_a_readable_row_in_an_outage() -> None:
    """The others send one request each."""
    table = Table([(at(10), 1)], 1)
    with pytest.raises(TransientApiError):
        table.read(may_probe=lambda: False)
    assert len(table.asked) == 1
    with pytest.raises(TransientApiError):
        Table([(at(10), 1), (at(23, 30), 2)], 1, 2).read()


def test_a_connection_that_is_lost_between_pieces_is_retried() -> None:
    """Only what fewer rows may mend is requested without retries."""
    table = Table([(at(10, minute), minute) for minute in range(8)], 5)

    def page(cursor: str | None, size: int | None, seconds: float | None) -> Page:
        found = table.page(cursor, size)
        if seconds == NO_RETRIES:
            message = "the connection was lost."
            raise TransientApiError(message, stream="s", path="/p")
        return found

    pages = ListReader(page, 4, table.order, is_divisible=True).pages(None, None)
    rows = [row for page in pages for row in page.rows]
    assert [row.get("id") for row in rows] == [0, 1, 2, 3, 4, None, 6, 7]


@pytest.mark.parametrize("is_ascending", [False, True])
@pytest.mark.parametrize("other", [0, -1])
def test_a_made_cursor_that_leads_elsewhere_ends_the_search(
    other: int, *, is_ascending: bool
) -> None:
    """Nobody knows whether Gorgias reads backwards from it."""
    places = [(at(10, minute), minute) for minute in range(1, 9)]
    places = places if is_ascending else places[::-1]
    table = Table(places, 4, is_ascending=is_ascending)

    def probe(cursor: str) -> Page | None:
        assert len(table.asked) < 500
        direction = json.loads(base64.b64decode(cursor))[0]
        page = table.probe(cursor)
        if direction == "prev" and page is not None:
            return Page(page.rows, _cursor(places[other]))
        return page

    start = places[places.index((at(10, 4), 4)) - 1]
    beyond = cursor_beyond(_cursor(start), probe, is_ascending=is_ascending)
    assert beyond is not None
    assert probe(beyond[0]) is not None


@pytest.mark.parametrize("cursor", ["c1", "b2Zmc2V0OjI=", "", "W10=", "WzEsIDJd"])
def test_a_cursor_of_another_form_is_not_guessed(cursor: str) -> None:
    """Nothing is asked for, and the stream fails at its row."""
    assert cursor_beyond(cursor, lambda _: Page([]), is_ascending=False) is None
