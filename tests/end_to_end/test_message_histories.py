"""Random histories of messages that change while they are read."""

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
    """Check that every message was emitted with the ticket that it belongs to."""
    assert {
        message: row["ticket_id"]
        for message, row in latest("ticket_messages", *outputs).items()
    }.items() >= {row["id"]: row["ticket_id"] for row in shop.messages.rows()}.items()


@pytest.mark.parametrize("seed", range(24))
def test_any_history_loses_nothing_and_emits_no_older_version_later(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs at any time select some of the streams and end after any message.

    Meanwhile messages and tickets are created, imported, edited and merged. No run
    emits an older version of a message after a newer one.
    """
    monkeypatch.setattr("tap_gorgias.stream_types.stream.GorgiasStream.page_size", 8)
    chance = random.Random(seed)  # noqa: S311 (the same history each time)
    shop = Shop(seed=seed, tickets=40, messages_per_ticket=2)
    with Sandbox(shop) as sandbox:
        version = [0]

        def change_sometimes(_shop: Shop, _request: Request) -> None:
            if chance.random() < 0.3:
                change(shop, chance, version)

        sandbox.before_request(change_sometimes)
        outputs: list[Output] = []
        state: dict[str, Any] = {}
        for _ in range(chance.randrange(2, 8)):
            for _ in range(chance.randrange(10)):
                shop.advance(chance.choice([0, 1, 100, 4000, 40_000]))
                change(shop, chance, version)
            if chance.random() < 0.2:
                sandbox.expire_cursors()
            config = {
                **sandbox.config,
                "parallel_streams": chance.choice([1, 2, 6]),
                "ticket_messages_settle_hours": chance.choice([0, 1, 24]),
            }
            streams = chance.choice([BOTH, BOTH, ("ticket_messages",), ("tickets",)])
            whole = run(config, *streams, state=state)
            assert_versions_ascend(whole)
            if chance.random() < 0.7:
                whole = Output(whole.messages[: chance.randrange(len(whole.messages))])
            outputs.append(whole)
            state = whole.state or state
        config = sandbox.config | {"ticket_messages_settle_hours": 0}
        sandbox.remove_callbacks()
        shop.advance(4000)
        shop.tickets.update(shop.tickets.ids()[0])
        outputs.append(run(config, *BOTH, state=state))

        assert_all_messages(shop, *outputs)
        assert set(latest("tickets", *outputs)) >= set(shop.tickets.ids())


def change(shop: Shop, chance: random.Random, version: list[int]) -> None:
    """Make one random change in the helpdesk."""
    tickets = shop.tickets.ids()
    version[0] += 1
    subject = f"{version[0]:08}"
    kind = chance.random()
    if kind < 0.4:
        shop.messages.create(chance.choice(tickets), subject=subject)
    elif kind < 0.55:
        shop.messages.create(
            chance.choice(tickets), created_datetime=LAST_YEAR, subject=subject
        )
    elif kind < 0.7 and len(tickets) > 20:
        source, target = chance.sample(tickets, 2)
        moved = shop.messages.of_ticket(source)
        shop.tickets.merge(source, target)
        for message in moved:
            shop.messages.update(message, subject=subject)
    elif kind < 0.85:
        message = chance.choice(shop.messages.ids())
        shop.messages.update(message, subject=subject)
    else:
        shop.tickets.import_ticket(LAST_YEAR)


def assert_versions_ascend(output: Output) -> None:
    """Check that the versions of each message only increase within a run."""
    newest: dict[int, str] = {}
    for row in output.records("ticket_messages"):
        subject = row["subject"] or ""
        known = newest.get(row["id"], "")
        if subject.isdigit():
            assert subject >= known
            newest[row["id"]] = subject
