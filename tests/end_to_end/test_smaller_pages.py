"""A page that cannot be read whole is read in pieces, if need be without a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_gorgias.api import session
from tests.sandbox import Answer, Sandbox, Shop
from tests.support.runs import Output, PartialRun, run

if TYPE_CHECKING:
    from tests.sandbox import Request

LARGE = "x" * 200_000


@pytest.fixture
def shop() -> Shop:
    """A shop with several pages of tickets and events."""
    return Shop(seed=4, tickets=250, events=250, customers=10, messages_per_ticket=0)


def limits(sandbox: Sandbox, path: str) -> list[int]:
    """Return how many rows each request for a list has asked for."""
    return [int(one.query["limit"][0]) for one in sandbox.requests if one.path == path]


def failed_run(sandbox: Sandbox, stream: str, state: dict[str, Any]) -> Output:
    """Run a stream that fails at its end."""
    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, stream, state=state)
    return failure.value.output


def fail_pages_with(sandbox: Sandbox, path: str, bad: int) -> None:
    """Answer 500 to each page of a list that holds a row."""

    def change(request: Request, answer: Answer) -> Answer:
        data = answer.payload.get("data") if request.path == path else None
        is_bad = any(row["id"] == bad for row in data or ())
        return Answer(500, {"error": {"msg": "Failed."}}) if is_bad else answer

    sandbox.rewrite(change)


def test_a_page_that_is_too_large_is_read_in_pieces(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only that page: the pieces grow again, and the run is complete."""
    rows = run(sandbox.config, "tickets").records("tickets")
    monkeypatch.setattr(session, "MAX_BODY_BYTES", 1_000_000)
    for row in rows[120:128]:
        sandbox.shop.tickets.update(row["id"], touch=False, excerpt=LARGE)
    sandbox.reset_counters()

    output = run(sandbox.config, "tickets")

    assert sorted(output.ids("tickets")) == sandbox.shop.tickets.ids()
    asked = limits(sandbox, "/api/tickets")
    assert asked[:4] == [100, 100, 1, 50]
    assert asked[-1] > 50
    assert len(asked) < 20


def test_a_row_that_is_too_large_is_the_only_one_missing(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run fails, and the row comes once it is small enough."""
    rows = run(sandbox.config, "tickets").records("tickets")
    monkeypatch.setattr(session, "MAX_BODY_BYTES", 1_000_000)
    bad = rows[140]["id"]
    sandbox.shop.tickets.update(bad, touch=False, excerpt=LARGE * 6)

    first = failed_run(sandbox, "tickets", {})
    sandbox.shop.tickets.update(bad, touch=False, excerpt="Small.")
    second = run(sandbox.config, "tickets", state=first.state)

    assert {*sandbox.shop.tickets.ids()} - {*first.ids("tickets")} == {bad}
    assert bad in second.ids("tickets")


@pytest.mark.parametrize(
    ("stream", "place"),
    [
        *(("tickets", place) for place in (0, 1, 99, 100, 249)),
        *(("events", place) for place in (0, 1, 99, 100, 249)),
        *(("users", place) for place in (0, 5)),
    ],
)
def test_a_row_that_always_fails_blocks_no_other(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, stream: str, place: int
) -> None:
    """Whichever place it has, the other rows come, and those that follow in time."""
    shop = sandbox.shop
    rows = run(sandbox.config, stream).records(stream)
    bad = rows[place]["id"]
    fail_pages_with(sandbox, f"/api/{stream}", bad)
    sandbox.reset_counters()

    first = failed_run(sandbox, stream, {})
    shop.advance(7200)
    new = getattr(shop, stream).create()
    second = failed_run(sandbox, stream, first.state)

    assert {row["id"] for row in rows} - {*first.ids(stream)} == {bad}
    assert new in second.ids(stream)
    assert f"Row {bad} of " in caplog.text


@pytest.mark.parametrize("stream", ["customers", "events"])
@pytest.mark.parametrize("bad", [0, 1, 3])
def test_rows_of_the_same_microsecond_come(
    sandbox: Sandbox, stream: str, bad: int
) -> None:
    """As a change of many rows at once makes them."""
    rows = getattr(sandbox.shop, stream)
    when = "2026-11-02T08:00:00.123456+00:00"
    dates = {"created_datetime": when, "updated_datetime": when}
    ids = [rows.create(**dates) for _ in range(4)]
    fail_pages_with(sandbox, f"/api/{stream}", ids[bad])

    output = failed_run(sandbox, stream, {})

    assert {*rows.ids()} - {*output.ids(stream)} == {ids[bad]}
