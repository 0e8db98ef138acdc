"""Tickets that an import dates back are read."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from tap_gorgias.stream_types.stream import GorgiasStream
from tests.sandbox import Fault, Request, Sandbox, Shop
from tests.support.runs import LOOK_FOR_IMPORTS, Output, latest, run

LAST_YEAR = "2025-01-01T00:00:00+00:00"
ALL = ("tickets", "ticket_details", "ticket_messages")


@pytest.fixture
def shop() -> Shop:
    """A shop with several pages of tickets."""
    return Shop(seed=21, tickets=320, customers=40)


def import_tickets(shop: Shop, number: int) -> set[int]:
    """Import tickets with dates of last year, an hour later."""
    shop.advance(3600)
    return {shop.tickets.import_ticket(LAST_YEAR) for _ in range(number)}


def test_imported_tickets_are_read_by_the_next_run(sandbox: Sandbox) -> None:
    """It costs a request per 100 events, and one per 100 tickets."""
    first = run(sandbox.config, "tickets")
    imported = import_tickets(sandbox.shop, 1_000)
    sandbox.reset_counters()

    second = run(sandbox.config, "tickets", state=first.state)

    assert imported <= set(second.ids("tickets"))
    assert len(second.ids("tickets")) <= 1_000 + 2
    assert sandbox.count() <= 1 + math.ceil(1_000 / 100) + math.ceil(1_000 / 100) + 1


def test_new_tickets_of_the_walk_are_not_requested_again(sandbox: Sandbox) -> None:
    """Their events cost a request per 100."""
    first = run(sandbox.config, "tickets")
    sandbox.shop.advance(3600)
    new = {sandbox.shop.tickets.create() for _ in range(250)}
    sandbox.reset_counters()

    second = run(sandbox.config, "tickets", state=first.state)

    assert new <= set(second.ids("tickets"))
    assert len(second.ids("tickets")) == len(set(second.ids("tickets")))
    assert sandbox.count("/api/tickets") == 3
    assert sandbox.count("/api/events") == 3


def test_an_idle_run_costs_one_more_request(sandbox: Sandbox) -> None:
    """This also holds after a large import, whose events are not followed again."""
    state = run(sandbox.config, "tickets").state
    import_tickets(sandbox.shop, 150)
    for _ in range(2):  # The second run reads recent events again.
        state = run(sandbox.config, "tickets", state=state).state
        sandbox.shop.advance(3600)
    sandbox.reset_counters()

    run(sandbox.config, "tickets", state=state)

    assert sandbox.count("/api/tickets") == 1
    assert sandbox.count("/api/events") == LOOK_FOR_IMPORTS


def test_a_first_sync_requests_no_events(sandbox: Sandbox) -> None:
    """It reads all tickets anyway."""
    run(sandbox.config, *ALL)
    assert sandbox.count("/api/events") == 0


def test_children_of_imported_tickets_are_read(sandbox: Sandbox) -> None:
    """Details come with the next run, and messages when they are settled."""
    first = run(sandbox.config, *ALL)
    imported = import_tickets(sandbox.shop, 12)
    second = run(sandbox.config, *ALL, state=first.state)
    sandbox.shop.advance(24 * 3600)
    sandbox.shop.tickets.update(sandbox.shop.tickets.ids()[0])
    third = run(sandbox.config, *ALL, state=second.state)

    messages = {
        one for ticket in imported for one in sandbox.shop.messages.of_ticket(ticket)
    }
    assert imported <= set(second.ids("ticket_details"))
    assert len(messages) == 12
    assert messages <= set(third.ids("ticket_messages"))


@pytest.mark.parametrize("status", [400, 403, 404])
def test_without_permission_for_events_there_is_one_warning(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """The stream is read all the same, and catches up once it has the permission."""
    first = run(sandbox.config, "tickets")
    imported = import_tickets(sandbox.shop, 3)
    sandbox.faults.add(Fault.error(status), "/api/events")
    second = run(sandbox.config, "tickets", state=first.state)
    third = run(sandbox.config, "tickets", state=second.state)

    warning = "the tap cannot find tickets that an import dates back"
    assert caplog.text.count(warning) == 1
    assert "`events:read`" in caplog.text
    assert imported <= set(third.ids("tickets"))


@pytest.mark.parametrize("seed", range(12))
def test_any_history_of_imports_and_kills_loses_nothing(  # noqa: C901
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tickets are created, imported, changed and deleted at any time."""
    monkeypatch.setattr(GorgiasStream, "page_size", 8)
    monkeypatch.setattr("tap_gorgias.replication.imported_tickets.IDS_PER_REQUEST", 5)
    chance = random.Random(seed)  # noqa: S311 (the same history each time)
    shop = Shop(seed=seed, tickets=40, messages_per_ticket=1)

    def change() -> None:
        shop.advance(chance.choice([0, 1, 100, 4000]))
        ticket = chance.choice(shop.tickets.ids())
        kind = chance.random()
        if kind < 0.5:
            for _ in range(chance.randrange(1, 7)):
                shop.tickets.import_ticket(chance.choice([LAST_YEAR, shop.now]))
        elif kind < 0.7:
            shop.tickets.create()
        elif kind < 0.9:
            shop.tickets.update(ticket)
        else:
            shop.tickets.delete(ticket)

    def change_sometimes(_shop: Shop, _request: Request) -> None:
        if chance.random() < 0.2 and len(shop.tickets) < 300:
            change()

    with Sandbox(shop) as sandbox:
        sandbox.before_request(change_sometimes)
        outputs: list[Output] = []
        state: dict[str, Any] = {}
        for _ in range(chance.randrange(2, 7)):
            for _ in range(chance.randrange(4)):
                change()
            if chance.random() < 0.2:
                sandbox.expire_cursors()
            whole = run(sandbox.config, "tickets", "ticket_details", state=state)
            if chance.random() < 0.7:
                whole = Output(whole.messages[: chance.randrange(len(whole.messages))])
            outputs.append(whole)
            state = whole.state or state
        sandbox.remove_callbacks()
        shop.advance(4000)
        outputs.append(run(sandbox.config, "tickets", "ticket_details", state=state))

        for stream in ("tickets", "ticket_details"):
            assert set(latest(stream, *outputs)) >= set(shop.tickets.ids())
