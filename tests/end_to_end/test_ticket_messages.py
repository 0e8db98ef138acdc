"""Messages are read from their list in each run, and settled ticket by ticket."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from tap_gorgias.replication.bookmarks import NO_WALK, SETTLED_KEYS
from tests.sandbox import Answer, Fault, Request, Sandbox, Shop
from tests.support.runs import LOOK_FOR_IMPORTS, Output, PartialRun, latest, run

BOTH = ("tickets", "ticket_messages")
DAY = 24 * 3600
LAST_YEAR = "2025-01-01T00:00:00+00:00"


@pytest.fixture
def shop() -> Shop:
    """A shop with several pages of tickets and messages."""
    return Shop(seed=21, tickets=320, customers=40)


def every_run(sandbox: Sandbox, **settings: Any) -> dict[str, Any]:
    """Return settings with which each run settles."""
    return {**sandbox.config, "ticket_messages_settle_hours": 0, **settings}


def tickets_with_requests(sandbox: Sandbox) -> list[str]:
    """Return the ticket of each request for the messages of a ticket."""
    return [
        request.query["ticket_id"][0]
        for request in sandbox.requests
        if "ticket_id" in request.query
    ]


def assert_all_messages(shop: Shop, *outputs: Output) -> None:
    """Check that every message was emitted with the ticket that it belongs to."""
    assert {
        message: row["ticket_id"]
        for message, row in latest("ticket_messages", *outputs).items()
    }.items() >= {row["id"]: row["ticket_id"] for row in shop.messages.rows()}.items()


def a_day_later(shop: Shop) -> None:
    """Let a day pass, at whose end a ticket changes."""
    shop.advance(DAY)
    shop.tickets.update(shop.tickets.ids()[-1], status="closed")


def test_a_first_sync_reads_messages_a_hundred_at_a_time() -> None:
    """2,500 tickets with 9,000 messages take a request per page, and two more."""
    shop = Shop(seed=1, tickets=2_500)
    with Sandbox(shop) as sandbox:
        output = run(sandbox.config, *BOTH)

        pages = math.ceil(2_500 / 100) + math.ceil(len(shop.messages) / 100)
        assert len(shop.messages) > 8_000
        assert_all_messages(shop, output)
        assert sandbox.count() <= pages + 2


def test_new_messages_cost_only_requests_for_the_list() -> None:
    """300 changed tickets and 300 new messages take at most 12 requests."""
    shop = Shop(seed=2, tickets=900)
    with Sandbox(shop) as sandbox:
        first = run(sandbox.config, *BOTH)
        shop.advance(3600)
        for ticket in shop.tickets.ids()[:300]:
            shop.messages.create(ticket)
        sandbox.reset_counters()

        second = run(sandbox.config, *BOTH, state=first.state)

        assert_all_messages(shop, first, second)
        assert sandbox.count() <= 12


def test_an_idle_run_checks_both_lists(sandbox: Sandbox) -> None:
    """The request for tickets checks whether settling is due."""
    first = run(sandbox.config, *BOTH)
    sandbox.reset_counters()

    second = run(sandbox.config, *BOTH, state=first.state)

    assert sandbox.count() == 3 + LOOK_FOR_IMPORTS
    assert second.state == first.state


def test_messages_that_the_list_misses_are_read_within_the_settle_hours(
    sandbox: Sandbox,
) -> None:
    """These are backdated messages, and those that a merge moved."""
    shop = sandbox.shop
    first = run(sandbox.config, *BOTH)
    shop.advance(3600)
    source, target, third = shop.tickets.ids()[3:6]
    old = shop.messages.create(third, created_datetime=LAST_YEAR)
    moved = shop.messages.of_ticket(source)
    shop.tickets.merge(source, target)

    second = run(sandbox.config, *BOTH, state=first.state)
    assert tickets_with_requests(sandbox) == []
    a_day_later(shop)
    third_run = run(sandbox.config, *BOTH, state=second.state)

    assert old not in second.ids("ticket_messages")
    assert {old, *moved} <= set(third_run.ids("ticket_messages"))
    assert_all_messages(shop, first, second, third_run)
    assert len(tickets_with_requests(sandbox)) <= 5


def test_settling_costs_a_request_for_each_changed_ticket() -> None:
    """The list of tickets costs a request per page."""
    shop = Shop(seed=2, tickets=900, messages_per_ticket=2)
    with Sandbox(shop) as sandbox:
        first = run(sandbox.config, *BOTH)
        shop.advance(DAY)
        for ticket in shop.tickets.ids()[:500]:
            shop.tickets.update(ticket, status="closed")
        sandbox.reset_counters()

        run(sandbox.config, "ticket_messages", state=first.state)

        assert 500 <= len(tickets_with_requests(sandbox)) <= 502
        assert sandbox.count() <= 1.05 * 500


def test_zero_settle_hours_need_no_newer_ticket(sandbox: Sandbox) -> None:
    """An import is settled although the ticket that was settled last is gone."""
    first = run(every_run(sandbox), "ticket_messages")
    tickets = sandbox.shop.tickets
    tickets.delete(
        max(tickets.ids(), key=lambda one: tickets.row(one)["updated_datetime"])
    )
    imported = tickets.import_ticket(LAST_YEAR)

    second = run(every_run(sandbox), "ticket_messages", state=first.state)

    rows = second.records("ticket_messages")
    assert imported in {row["ticket_id"] for row in rows}


def test_settling_follows_all_other_streams(sandbox: Sandbox) -> None:
    """It delays nothing, however many streams are read in parallel."""
    for parallel in (1, 3):
        config = {**sandbox.config, "parallel_streams": parallel}
        first = run(config)
        a_day_later(sandbox.shop)
        sandbox.reset_counters()

        run(config, state=first.state)

        others = [r for r in sandbox.requests if "ticket_id" not in r.query]
        assert tickets_with_requests(sandbox)
        begin = next(
            i for i, r in enumerate(sandbox.requests) if "ticket_id" in r.query
        )
        late = [r.path for r in sandbox.requests[begin:] if r in others]
        # Reading the events of possibly imported tickets is part of settling.
        assert set(late) <= {"/api/tickets", "/api/events"}


def test_a_long_conversation_is_read_to_its_end(sandbox: Sandbox) -> None:
    """A ticket can have thousands of messages."""
    first = run(every_run(sandbox), *BOTH)
    sandbox.shop.advance(3600)
    ticket = sandbox.shop.tickets.ids()[10]
    for _ in range(230):
        sandbox.shop.messages.create(ticket, created_datetime=LAST_YEAR)

    second = run(every_run(sandbox), *BOTH, state=first.state)

    assert_all_messages(sandbox.shop, first, second)


def test_an_interrupted_walk_over_the_list_is_finished_and_not_repeated(
    sandbox: Sandbox,
) -> None:
    """STATE contains its position like that of any feed."""
    sandbox.faults.add(Fault.error(403), "/api/messages", after=6)
    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, *BOTH)
    first = failure.value.output
    entry = first.bookmark("ticket_messages")
    assert tuple(entry) == SETTLED_KEYS
    assert entry["walk"]["cursor"]
    assert entry["settled"]
    assert entry["settling"] == NO_WALK
    sandbox.reset_counters()

    second = run(sandbox.config, *BOTH, state=first.state)

    assert_all_messages(sandbox.shop, first, second)
    pages = math.ceil(len(sandbox.shop.messages) / 100)
    assert sandbox.count("/api/messages") <= pages - 6 + 1


def test_the_first_run_requests_tickets_older_than_the_start_date() -> None:
    """Part of their conversation is older than the start date."""
    shop = Shop(seed=30, tickets=300)
    start = "2026-09-01T00:00:00Z"
    with Sandbox(shop) as sandbox:
        output = run({**sandbox.config, "start_date": start}, *BOTH)

        changed = [
            row for row in shop.tickets.rows() if row["updated_datetime"] > start
        ]
        old = {row["id"] for row in changed if row["created_datetime"] < start}
        expected = {
            row["id"]
            for row in shop.messages.rows()
            if row["created_datetime"] >= start or row["ticket_id"] in old
        }
        assert old
        assert set(latest("ticket_messages", output)) == expected
        assert len(tickets_with_requests(sandbox)) <= len(old) + 1
        assert output.bookmark("ticket_messages")["since"] is None


@pytest.mark.parametrize("after", range(0, 130, 13))
def test_a_kill_while_settling_costs_at_most_three_requests(
    sandbox: Sandbox, after: int
) -> None:
    """It may happen at any point."""
    shop = sandbox.shop
    first = run(sandbox.config, *BOTH)
    shop.advance(DAY)
    for ticket in shop.tickets.ids()[:120]:
        shop.messages.create(ticket, created_datetime=LAST_YEAR)
    sandbox.reset_counters()
    run(sandbox.config, "ticket_messages", state=first.state)
    whole = sandbox.count()
    sandbox.reset_counters()
    sandbox.faults.add(Fault.error(401), "/api/messages", after=after)
    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, "ticket_messages", state=first.state)
    killed = failure.value.output

    rest = run(sandbox.config, "ticket_messages", state=killed.state)

    assert_all_messages(shop, first, killed, rest)
    looks = 3  # the first pages of both lists and of the events, as in any run
    assert sandbox.count() <= whole + looks + 3
    assert max(len(json.dumps(killed.bookmark("ticket_messages"))), 0) < 1024


def test_unfinished_settling_does_not_delay_new_messages(sandbox: Sandbox) -> None:
    """Each run reads the list first."""
    shop = sandbox.shop
    first = run(sandbox.config, *BOTH)
    a_day_later(shop)
    for ticket in shop.tickets.ids()[:120]:
        shop.tickets.update(ticket)
    state = first.state
    for _ in range(3):
        shop.advance(600)
        new = shop.messages.create(shop.tickets.ids()[0])
        sandbox.faults.add(Fault.error(503), "/api/messages", after=20, times=10_000)
        with pytest.raises(PartialRun) as failure:
            run(sandbox.config, *BOTH, state=state)
        sandbox.faults.clear()
        state = failure.value.output.state
        assert new in failure.value.output.ids("ticket_messages")
    assert len(set(tickets_with_requests(sandbox))) > 50


@pytest.mark.parametrize("fault", [Fault.error(404), Fault.error(301)])
def test_a_deleted_parent_is_skipped_with_one_line(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, fault: Fault
) -> None:
    """It was deleted or merged between two requests."""
    first = run(every_run(sandbox), *BOTH)
    sandbox.shop.advance(3600)
    for ticket in sandbox.shop.tickets.ids()[:5]:
        sandbox.shop.messages.create(ticket)
    sandbox.faults.add(fault, "/api/messages", after=3)
    caplog.set_level("INFO")
    caplog.clear()

    second = run(every_run(sandbox), *BOTH, state=first.state)

    lines = [line for line in caplog.messages if "deleted or merged" in line]
    (gone,) = {int(word) for line in lines for word in line.split() if word.isdigit()}
    assert gone in sandbox.shop.tickets.ids()
    assert len(lines) == 1
    assert "subdomain" not in caplog.text
    assert len(second.records("tickets")) >= 5


def test_a_message_that_a_merge_moves_meanwhile_keeps_its_new_ticket(
    sandbox: Sandbox,
) -> None:
    """The later of two responses may be the older one, so it is requested again."""
    shop = sandbox.shop
    first = run(every_run(sandbox), "ticket_messages")
    source, target = shop.tickets.ids()[3:5]
    for ticket in (source, target):  # the target is requested first
        shop.advance(3600)
        shop.tickets.update(ticket)
    moved = shop.messages.of_ticket(target)[0]
    sandbox.reset_counters()

    def before_the_merge(request: Request, answer: Answer) -> Answer:
        is_first = tickets_with_requests(sandbox).count(str(source)) == 0
        if request.query.get("ticket_id") != [str(source)] or not is_first:
            return answer
        row = {**shop.messages.row(moved), "ticket_id": source}
        rows = [*answer.payload["data"], row]
        return replace(answer, payload={**answer.payload, "data": rows})

    sandbox.rewrite(before_the_merge)
    second = run(every_run(sandbox), "ticket_messages", state=first.state)

    assert latest("ticket_messages", second)[moved]["ticket_id"] == target
    assert tickets_with_requests(sandbox).count(str(source)) == 2
