"""Random histories of messages that are read while they change."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox import Sandbox, Shop
from tests.support.runs import Output, latest, run

if TYPE_CHECKING:
    from tests.sandbox import Request

BOTH = ("tickets", "ticket_messages")
LAST_YEAR = "2025-01-01T00:00:00+00:00"


def assert_all_messages(shop: Shop, *outputs: Output) -> None:
    """Check that every message came out, with the ticket that it belongs to."""
    assert {
        message: row["ticket_id"]
        for message, row in latest("ticket_messages", *outputs).items()
    }.items() >= {row["id"]: row["ticket_id"] for row in shop.messages.rows()}.items()


@pytest.mark.parametrize("seed", range(24))
def test_any_history_loses_nothing_and_never_goes_back(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs at any hours with some of the streams, cut off after any message.

    Meanwhile messages and tickets are written, imported, edited and merged. In no run
    a message comes in an older version after a newer one.
    """
    monkeypatch.setattr("tap_gorgias.stream_types.base.PAGE_ROWS", 8)
    chance = random.Random(seed)  # noqa: S311 (the same history each time)
    shop = Shop(seed=seed, tickets=40, messages_per_ticket=2)
    with Sandbox(shop) as sandbox:
        version = [0]

        def live(_shop: Shop, _request: Request) -> None:
            if chance.random() < 0.3:
                happen(shop, chance, version)

        sandbox.before_request(live)
        outputs: list[Output] = []
        state: dict[str, Any] = {}
        for _ in range(chance.randrange(2, 8)):
            for _ in range(chance.randrange(10)):
                shop.advance(chance.choice([0, 1, 100, 4000, 40_000]))
                happen(shop, chance, version)
            if chance.random() < 0.2:
                sandbox.expire_cursors()
            config = {
                **sandbox.config,
                "parallel_streams": chance.choice([1, 2, 6]),
                "ticket_messages_settle_hours": chance.choice([0, 1, 24]),
            }
            streams = chance.choice([BOTH, BOTH, ("ticket_messages",), ("tickets",)])
            whole = run(config, *streams, state=state)
            assert_no_step_back(whole)
            if chance.random() < 0.7:
                whole = Output(whole.messages[: chance.randrange(len(whole.messages))])
            outputs.append(whole)
            state = whole.state or state
        live_on = sandbox.config | {"ticket_messages_settle_hours": 0}
        sandbox.remove_callbacks()
        shop.advance(4000)
        shop.tickets.update(shop.tickets.ids()[0])
        outputs.append(run(live_on, *BOTH, state=state))

        assert_all_messages(shop, *outputs)
        assert set(latest("tickets", *outputs)) >= set(shop.tickets.ids())


def happen(shop: Shop, chance: random.Random, version: list[int]) -> None:
    """Let one thing happen in the helpdesk."""
    tickets = shop.tickets.ids()
    version[0] += 1
    subject = f"{version[0]:08}"
    luck = chance.random()
    if luck < 0.4:
        shop.messages.create(chance.choice(tickets), subject=subject)
    elif luck < 0.55:
        shop.messages.create(
            chance.choice(tickets), created_datetime=LAST_YEAR, subject=subject
        )
    elif luck < 0.7 and len(tickets) > 20:
        source, target = chance.sample(tickets, 2)
        moved = shop.messages.of_ticket(source)
        shop.tickets.merge(source, target)
        for message in moved:
            shop.messages.update(message, subject=subject)
    elif luck < 0.85:
        message = chance.choice(shop.messages.ids())
        shop.messages.update(message, subject=subject)
    else:
        shop.tickets.import_ticket(LAST_YEAR)


def assert_no_step_back(output: Output) -> None:
    """Check that the versions of each message only rise within a run."""
    newest: dict[int, str] = {}
    for row in output.records("ticket_messages"):
        subject = row["subject"] or ""
        known = newest.get(row["id"], "")
        if subject.isdigit():
            assert subject >= known
            newest[row["id"]] = subject
