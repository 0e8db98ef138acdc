"""STATE of version 0.1.0 is resumed without losing rows or reading many again.

`states_of_0_1_0.json` was recorded from that version. It contains each STATE and the
ids that had not been emitted by then.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox import Sandbox, Shop
from tests.support.runs import Output, run

RECORDED: dict[str, Any] = json.loads(
    Path(__file__).with_name("states_of_0_1_0.json").read_text()
)
START = "2026-09-01T00:00:00Z"


@pytest.fixture
def shop() -> Shop:
    """The shop from which the states were recorded."""
    return Shop(seed=21, tickets=320, customers=40)


def resume(sandbox: Sandbox, name: str, **config: Any) -> Output:
    """Run this version with a recorded STATE."""
    recorded = RECORDED[name]
    sandbox.reset_counters()
    settings = {**sandbox.config, **config}
    return run(settings, *recorded["streams"], state=recorded["state"])


@pytest.mark.parametrize(
    ("name", "requests"),
    [
        # The rest of the list, and a request each for messages, tickets and events.
        ("in the middle of the bulk", 4 + 6 + 4),
        # 120 details and the remaining tickets for each of three streams.
        ("in the middle of the first walk over the tickets", 120 + 16),
        ("at rest", 8),
        # `tickets` is read for the first time.
        ("at rest, the child alone", 4 + 3),
    ],
)
def test_missing_rows_are_read_with_few_requests(
    sandbox: Sandbox, name: str, requests: int
) -> None:
    """The previous run may have ended at any point."""
    output = resume(sandbox, name)

    for stream, ids in RECORDED[name]["missing"].items():
        assert set(output.ids(stream)) >= set(ids)
    assert sandbox.count() <= requests


def test_a_later_walk_over_the_tickets_is_finished(sandbox: Sandbox) -> None:
    """Tickets whose messages it has emitted are not requested again."""
    shop = sandbox.shop
    shop.advance(3600)
    for ticket in shop.tickets.ids()[:250]:
        shop.messages.create(ticket)

    output = resume(sandbox, "in the middle of a later walk")

    missing = RECORDED["in the middle of a later walk"]["missing"]
    assert set(output.ids("ticket_messages")) >= set(missing["ticket_messages"])
    by_ticket = [
        request for request in sandbox.requests if "ticket_id" in request.query
    ]
    assert len(by_ticket) <= 52


@pytest.mark.parametrize(
    "name",
    [
        "with a start date, in the middle of the bulk",
        "with a start date, before the old tickets were asked",
    ],
)
def test_messages_of_tickets_older_than_the_start_date_are_read(
    sandbox: Sandbox, name: str
) -> None:
    """Part of their conversation is older than the start date."""
    output = resume(sandbox, name, start_date=START)

    shop = sandbox.shop
    old = {
        row["id"]
        for row in shop.tickets.rows()
        if row["created_datetime"] < START <= row["updated_datetime"]
    }
    expected = {
        row["id"]
        for row in shop.messages.rows()
        if row["created_datetime"] >= START or row["ticket_id"] in old
    }
    missing = set(RECORDED[name]["missing"]["ticket_messages"])
    assert set(output.ids("ticket_messages")) >= expected & missing
    assert "since" not in output.bookmark("ticket_messages")


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_the_state_that_follows_is_of_this_version(sandbox: Sandbox, name: str) -> None:
    """It contains nothing of the old format, and the next run is idle."""
    output = resume(sandbox, name)

    text = json.dumps(output.state)
    assert not [old for old in ("parent_walk", "emitt", "null") if old in text]
    assert "settled" in output.bookmark("ticket_messages")
    sandbox.reset_counters()
    streams = RECORDED[name]["streams"]
    run(sandbox.config, *streams, state=output.state)
    assert sandbox.count() <= 8
