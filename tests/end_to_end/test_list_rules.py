"""A list ends only when Gorgias says so, and a cursor proves itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox import Answer, Fault, Sandbox, Shop
from tests.support.cases import table
from tests.support.runs import Output, PartialRun, latest, run

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from tests.sandbox import Request

    Spoil = Callable[[Answer], Answer]

STREAMS = {
    "tickets": "/api/tickets",
    "events": "/api/events",
    "tags": "/api/tags",
    "ticket_messages": "/api/messages",
    "view_items": "/api/views/",
    "voice_call_events": "/api/phone/voice-call-events",
}
END = {"prev_cursor": None, "next_cursor": None, "next_items": None}


def body(payload: Any) -> Spoil:  # noqa: ANN401
    """Return a function that answers 200 with another body."""
    return lambda answer: replace(answer, status=200, payload=payload, body=None)


SPOILED: dict[str, Spoil] = {
    "null": body({"data": None, "meta": None}),
    "null with meta": body({"data": None, "meta": END}),
    "empty without meta": body({"data": []}),
    "rows without meta": lambda answer: replace(
        answer, payload={"data": answer.payload["data"]}
    ),
    "meta without the next page": lambda answer: replace(
        answer, payload={**answer.payload, "meta": {}}
    ),
    "nothing": body({}),
    "502": lambda answer: replace(answer, status=502),
}
DEAD: dict[str, Spoil] = {
    "400": lambda answer: replace(answer, status=400),
    "404": lambda answer: replace(answer, status=404),
    "410": lambda answer: replace(answer, status=410),
    "empty": body({"data": [], "meta": END}),
    "null": body({"data": None, "meta": None}),
}


@pytest.fixture
def shop() -> Shop:
    """A shop in which each list has several pages."""
    return Shop(
        seed=4,
        tickets=250,
        customers=130,
        events=300,
        tags=230,
        voice_calls=130,
        messages_per_ticket=1,
    )


def spoil(sandbox: Sandbox, path: str, pages: Collection[int], how: Spoil) -> None:
    """Spoil some of every three whole pages that a cursor leads to."""
    spoiled: dict[str, bool] = {}

    def change(request: Request, answer: Answer) -> Answer:
        cursor = "".join(request.query.get("cursor", []))
        if not cursor or not request.path.startswith(path) or answer.status != 200:
            return answer
        if request.query.get("limit", ["100"]) == ["100"]:
            spoiled.setdefault(cursor, len(spoiled) % 3 in pages)
        return how(answer) if spoiled.get(cursor) else answer

    sandbox.rewrite(change)


def attempt(sandbox: Sandbox, stream: str, state: dict[str, Any]) -> Output:
    """Run a stream that may fail."""
    try:
        return run(sandbox.config, stream, state=state)
    except PartialRun as failure:
        return failure.output


def keys(stream: str, *outputs: Output) -> set[object]:
    """Return the keys of all records."""
    rows = [row for output in outputs for row in output.records(stream)]
    return {(row.get("view_id"), row["id"]) for row in rows}


@table(SPOILED)
@pytest.mark.parametrize("stream", STREAMS)
def test_a_part_is_never_taken_for_the_whole(
    sandbox: Sandbox, stream: str, case: Spoil
) -> None:
    """A run that misses rows fails, and the next healthy one brings them."""
    whole = keys(stream, run(sandbox.config, stream))
    for pages in ({0}, {1}, {0, 1}):
        spoil(sandbox, STREAMS[stream], pages, case)
        try:
            first = run(sandbox.config, stream)
        except PartialRun as failure:
            first = failure.output
            assert "ACTIVATE_VERSION" not in {one["type"] for one in first.messages}
        else:
            assert keys(stream, first) == whole
        sandbox.remove_callbacks()
        outputs = [first]
        if stream not in {"tags", "view_items"}:
            outputs.append(run(sandbox.config, stream, state=first.state))
            assert keys(stream, *outputs) == whole


@table(DEAD)
@pytest.mark.parametrize("stream", ["tickets", "ticket_details", "voice_call_events"])
def test_a_dead_cursor_loses_nothing_however_gorgias_tells(
    sandbox: Sandbox, stream: str, case: Spoil
) -> None:
    """The walk starts again with the same floor."""
    path = STREAMS.get(stream, "/api/tickets")
    whole = keys(stream, run(sandbox.config, stream))
    sandbox.faults.add(Fault.error(403), path, after=2, times=1)
    first = attempt(sandbox, stream, {})
    sandbox.faults.clear()
    assert keys(stream, first) < whole
    dead = {
        "".join(one.query["cursor"])
        for one in sandbox.requests
        if "cursor" in one.query
    }

    def refuse(request: Request, answer: Answer) -> Answer:
        return case(answer) if {*request.query.get("cursor", [])} & dead else answer

    sandbox.rewrite(refuse)
    sandbox.expire_cursors()
    second = run(sandbox.config, stream, state=first.state)
    assert keys(stream, second) == whole


def test_new_changes_arrive_above_a_walk_that_cannot_be_read_on(
    sandbox: Sandbox,
) -> None:
    """The walk is kept, and a healthy run finishes it."""
    sandbox.faults.add(Fault.error(403), "/api/tickets", after=1)
    first = attempt(sandbox, "tickets", {})
    shop = sandbox.shop
    shop.advance(7200)
    new = shop.tickets.ids()[:3]
    for ticket in new:
        shop.tickets.update(ticket)

    def fail(request: Request, answer: Answer) -> Answer:
        return replace(answer, status=500) if "cursor" in request.query else answer

    sandbox.rewrite(fail)
    second = attempt(sandbox, "tickets", first.state)
    sandbox.remove_callbacks()
    third = run(sandbox.config, "tickets", state=second.state)

    assert set(new) <= set(second.ids("tickets"))
    walks = [one.bookmark("tickets")["walk"] for one in (first, second)]
    assert walks[0]["cursor"] == walks[1]["cursor"]
    assert walks[0]["newest"] < walks[1]["newest"]
    assert set(latest("tickets", first, second, third)) == set(shop.tickets.ids())


def test_added_event_types_are_read_from_the_start(sandbox: Sandbox) -> None:
    """Fewer types read on from the bookmark."""
    types = sorted({row["type"] for row in sandbox.shop.events.rows()})
    some = {**sandbox.config, "event_types": types[:1]}
    first = run(some, "events")
    idle = run(some, "events", state=first.state)
    wide = run({**sandbox.config, "event_types": types[:2]}, "events", state=idle.state)
    every = run(sandbox.config, "events", state=wide.state)
    narrow = run(some, "events", state=every.state)

    assert len(idle.ids("events")) < len(first.ids("events"))
    assert {row["type"] for row in wide.records("events")} == set(types[:2])
    assert set(every.ids("events")) == set(sandbox.shop.events.ids())
    assert len(narrow.ids("events")) < len(first.ids("events"))
