"""Streams that follow their parent through any selections and interruptions."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from tests.runs import Output, PartialRun, latest, run
from tests.sandbox import Fault, Sandbox, Shop

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A shop with several pages of tickets and messages."""
    with Sandbox(Shop(seed=21, tickets=320, customers=40)) as sandbox:
        yield sandbox


DETAILS = ("tickets", "ticket_details")


def interrupted(
    sandbox: Sandbox, pages: int, *streams: str, state: dict[str, Any] | None = None
) -> Output:
    """Run until so many pages of tickets are out."""
    sandbox.faults.add(Fault.error(400), "/api/tickets", after=pages)
    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, *streams, state=state)
    sandbox.faults.clear()
    return failure.value.output


def assert_all_details(sandbox: Sandbox, *outputs: Output) -> None:
    """Check that the details of every ticket came out."""
    details = latest("ticket_details", *outputs)
    assert set(details) == set(sandbox.shop.tickets.ids())


def test_a_child_that_joins_a_walk_half_way_misses_nothing(sandbox: Sandbox) -> None:
    """What was walked without it is walked once more."""
    first = interrupted(sandbox, 2, "tickets")
    second = run(sandbox.config, *DETAILS, state=first.state)
    third = run(sandbox.config, *DETAILS, state=second.state)

    assert_all_details(sandbox, second, third)


def test_a_child_that_leaves_a_walk_half_way_misses_nothing(sandbox: Sandbox) -> None:
    """The rest of the walk is not its own."""
    first = interrupted(sandbox, 2, *DETAILS)
    second = run(sandbox.config, "tickets", state=first.state)
    third = run(sandbox.config, *DETAILS, state=second.state)

    assert_all_details(sandbox, first, third)


def test_a_child_that_leaves_a_walk_and_joins_it_again_misses_nothing(
    sandbox: Sandbox,
) -> None:
    """A page in the middle was read without it."""
    first = interrupted(sandbox, 1, *DETAILS)
    second = interrupted(sandbox, 1, "tickets", state=first.state)
    third = run(sandbox.config, *DETAILS, state=second.state)
    fourth = run(sandbox.config, *DETAILS, state=third.state)

    assert_all_details(sandbox, first, third, fourth)


def test_a_child_that_follows_an_interrupted_walk_is_not_asked_twice(
    sandbox: Sandbox,
) -> None:
    """No request is paid twice."""
    first = interrupted(sandbox, 2, *DETAILS)
    sandbox.reset_counters()
    second = run(sandbox.config, *DETAILS, state=first.state)

    assert_all_details(sandbox, first, second)
    assert sandbox.count() <= 320 - 200 + 2 + 1 + 1


@pytest.mark.parametrize("seed", range(20))
def test_any_selections_and_kills_lose_nothing(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random histories: runs with some of the streams, cut off after any message."""
    monkeypatch.setattr("tap_gorgias.stream.PAGE_ROWS", 8)
    chance = random.Random(seed)  # noqa: S311 (the same history each time)
    streams = ["tickets", "ticket_messages", "ticket_details"]
    with Sandbox(Shop(seed=seed, tickets=50, messages_per_ticket=2)) as sandbox:
        shop = sandbox.shop
        outputs: list[Output] = []
        state: dict[str, Any] = {}
        for _ in range(chance.randrange(2, 9)):
            for _ in range(chance.randrange(8)):
                shop.advance(chance.choice([0, 1, 100, 4000]))
                shop.messages.create(chance.choice(shop.tickets.ids()))
            if chance.random() < 0.2:
                sandbox.expire_cursors()
            selected = [name for name in streams if chance.random() < 0.6] or streams
            whole = run(sandbox.config, *selected, state=state)
            if chance.random() < 0.7:
                whole = Output(whole.messages[: chance.randrange(len(whole.messages))])
            outputs.append(whole)
            state = whole.state or state
        shop.advance(4000)
        outputs.append(run(sandbox.config, *streams, state=state))

        messages = latest("ticket_messages", *outputs)
        assert set(messages) >= set(shop.messages.ids())
        versions = {row["id"]: row["updated_datetime"] for row in shop.tickets.rows()}
        for stream in ("tickets", "ticket_details"):
            rows = latest(stream, *outputs)
            assert {ticket: _as_sent(row) for ticket, row in rows.items()} == versions


def _as_sent(row: dict[str, Any]) -> str:
    text: str = row["updated_datetime"]
    return text.replace("Z", "+00:00").replace(".000000", "")


def test_a_parent_selected_in_the_middle_of_a_walk_misses_nothing(
    sandbox: Sandbox,
) -> None:
    """Its own records have a gap that outlives several interrupted runs."""
    first = run(sandbox.config, "ticket_details")
    second = interrupted(sandbox, 2, *DETAILS, state=first.state)
    third = run(sandbox.config, "ticket_details", state=second.state)
    fourth = run(sandbox.config, *DETAILS, state=third.state)

    tickets = latest("tickets", second, fourth)
    assert set(tickets) == set(sandbox.shop.tickets.ids())
    assert "emitted" not in fourth.bookmark("tickets")


def test_a_walk_that_became_unusable_does_not_hide_the_parents_gap(
    sandbox: Sandbox,
) -> None:
    """A version that knows more may have written it."""
    first = run(sandbox.config, "ticket_details")
    second = interrupted(sandbox, 2, *DETAILS, state=first.state)
    state = second.state
    state["bookmarks"]["tickets"]["walk"]["shard"] = 1

    third = run(sandbox.config, *DETAILS, state=state)

    assert set(latest("tickets", third)) == set(sandbox.shop.tickets.ids())


@pytest.mark.parametrize("stream_map", [{"__filter__": "status == 'open'"}, None])
def test_a_map_of_the_parent_leaves_its_children_alone(
    sandbox: Sandbox, stream_map: dict[str, str] | None
) -> None:
    """Filtering tickets is no reason to lose what follows them."""
    config = {**sandbox.config, "stream_maps": {"tickets": stream_map}}
    first = run(config, "tickets", "ticket_messages")
    sandbox.shop.advance(3600)
    for ticket in sandbox.shop.tickets.ids()[:30]:
        sandbox.shop.messages.create(ticket)

    second = run(config, "tickets", "ticket_messages", state=first.state)

    messages = latest("ticket_messages", first, second)
    assert set(messages) >= set(sandbox.shop.messages.ids())


def test_a_start_date_moved_later_leaves_a_followed_walk_alone(
    sandbox: Sandbox,
) -> None:
    """What the walk began to read is read to its end."""
    early = {**sandbox.config, "start_date": "2026-06-01T00:00:00Z"}
    late = {**sandbox.config, "start_date": "2026-10-01T00:00:00Z"}
    whole = run(early, *DETAILS)
    sandbox.faults.add(Fault.error(400), "/api/tickets", after=2)
    with pytest.raises(PartialRun) as failure:
        run(early, *DETAILS)
    sandbox.faults.clear()
    first = failure.value.output

    second = run(late, *DETAILS, state=first.state)

    for stream in DETAILS:
        assert set(latest(stream, first, second)) == set(whole.ids(stream))


def test_a_follower_that_comes_with_a_refused_cursor_is_complete_at_once(
    sandbox: Sandbox,
) -> None:
    """The walk that starts again is a new one, and all its readers follow it."""
    first = interrupted(sandbox, 2, "tickets")
    sandbox.expire_cursors()
    second = run(sandbox.config, *DETAILS, state=first.state)
    sandbox.reset_counters()
    third = run(sandbox.config, *DETAILS, state=second.state)

    assert_all_details(sandbox, second)
    assert sandbox.count() <= 2
    assert len(third.records("ticket_details")) <= 1
