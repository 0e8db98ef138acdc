"""Child streams are read independently, with any selection and after interruptions."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tap_gorgias.stream_types.children import ChildStream
from tap_gorgias.stream_types.stream import GorgiasStream
from tests.sandbox import Fault, Sandbox, Shop
from tests.support.runs import LOOK_FOR_IMPORTS, Output, PartialRun, latest, run


@pytest.fixture
def shop() -> Shop:
    """A shop with several pages of tickets and messages."""
    return Shop(seed=21, tickets=320, customers=40)


DETAILS = ("tickets", "ticket_details")


def interrupted(
    sandbox: Sandbox, requests: int, *streams: str, state: dict[str, Any] | None = None
) -> Output:
    """Run until a number of requests have been answered."""
    sandbox.faults.add(Fault.error(401), after=requests)
    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, *streams, state=state)
    sandbox.faults.clear()
    return failure.value.output


def assert_all_details(sandbox: Sandbox, *outputs: Output) -> None:
    """Check that the details of every ticket were emitted."""
    details = latest("ticket_details", *outputs)
    assert set(details) == set(sandbox.shop.tickets.ids())


def test_a_child_alone_does_not_write_its_parent(sandbox: Sandbox) -> None:
    """Records and STATE are those of the child only."""
    first = run(sandbox.config, "ticket_details")
    sandbox.reset_counters()
    second = run(sandbox.config, "ticket_details", state=first.state)

    assert_all_details(sandbox, first)
    assert first.schemas.keys() == {"ticket_details"}
    assert first.state["bookmarks"].keys() == {"ticket_details"}
    assert sandbox.count() <= 1 + 1 + LOOK_FOR_IMPORTS
    assert len(second.records("ticket_details")) <= 1


@pytest.mark.parametrize("after", [3, 60, 105, 150, 290])
def test_an_interrupted_child_resumes_in_the_middle_of_a_page(
    sandbox: Sandbox, after: int
) -> None:
    """A kill costs the requests in flight and those since the last STATE."""
    first = interrupted(sandbox, after, "ticket_details")
    second = run(sandbox.config, "ticket_details", state=first.state)

    assert_all_details(sandbox, first, second)
    in_vain = ChildStream.requests_in_flight + ChildStream.contexts_per_state
    looks = 2 + LOOK_FOR_IMPORTS  # the page again, the head, and a ticket there
    assert sandbox.count() <= 4 + 320 + in_vain + looks + 1


@pytest.mark.parametrize("seed", range(20))
def test_any_selections_and_kills_lose_nothing(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random histories select some of the streams and end after any message."""
    monkeypatch.setattr(GorgiasStream, "page_size", 8)
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


@pytest.mark.parametrize("stream_map", [{"__filter__": "status == 'open'"}, None])
def test_a_stream_map_of_the_parent_does_not_filter_its_children(
    sandbox: Sandbox, stream_map: dict[str, str] | None
) -> None:
    """Filtering tickets must not lose their details."""
    config = {**sandbox.config, "stream_maps": {"tickets": stream_map}}
    first = run(config, "tickets", "ticket_messages")
    sandbox.shop.advance(3600)
    for ticket in sandbox.shop.tickets.ids()[:30]:
        sandbox.shop.messages.create(ticket)

    second = run(config, "tickets", "ticket_messages", state=first.state)

    messages = latest("ticket_messages", first, second)
    assert set(messages) >= set(sandbox.shop.messages.ids())


def test_a_later_start_date_does_not_shorten_an_unfinished_walk(
    sandbox: Sandbox,
) -> None:
    """The walk continues to its original floor."""
    early = {**sandbox.config, "start_date": "2026-06-01T00:00:00Z"}
    late = {**sandbox.config, "start_date": "2026-10-01T00:00:00Z"}
    whole = run(early, *DETAILS)
    sandbox.faults.add(Fault.error(401), "/api/tickets*", after=150)
    with pytest.raises(PartialRun) as failure:
        run(early, *DETAILS)
    sandbox.faults.clear()
    first = failure.value.output

    second = run(late, *DETAILS, state=first.state)

    for stream in DETAILS:
        assert set(latest(stream, first, second)) == set(whole.ids(stream))
