"""Messages of tickets: in bulk first, then by changed tickets, with nothing between."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

import pytest

from tests.runs import Output, PartialRun, latest, run
from tests.sandbox import Fault, Request, Sandbox, Shop

if TYPE_CHECKING:
    from collections.abc import Iterator

BOTH = ("tickets", "ticket_messages")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A shop with several pages of tickets and messages."""
    with Sandbox(Shop(seed=21, tickets=320, customers=40)) as sandbox:
        yield sandbox


def assert_all_messages(shop: Shop, *outputs: Output) -> None:
    """Check that every message came out, with the ticket that it belongs to."""
    assert {
        message: row["ticket_id"]
        for message, row in latest("ticket_messages", *outputs).items()
    }.items() >= {row["id"]: row["ticket_id"] for row in shop.messages.rows()}.items()


def test_a_first_sync_reads_messages_a_hundred_at_a_time() -> None:
    """2,500 tickets with 9,000 messages: 3 % above the minimum at most."""
    shop = Shop(seed=1, tickets=2_500)
    with Sandbox(shop) as sandbox:
        output = run(sandbox.config, *BOTH)

        minimum = math.ceil(2_500 / 100) + math.ceil(len(shop.messages) / 100)
        assert len(shop.messages) > 8_000
        assert_all_messages(shop, output)
        assert sandbox.count() <= 1.03 * minimum


def test_a_changed_ticket_costs_one_request() -> None:
    """41 changed tickets: 41 requests and a few."""
    shop = Shop(seed=2, tickets=900)
    with Sandbox(shop) as sandbox:
        first = run(sandbox.config, *BOTH)
        shop.advance(3600)
        for ticket in shop.tickets.ids()[:41]:
            shop.messages.create(ticket)
        sandbox.reset_counters()

        second = run(sandbox.config, *BOTH, state=first.state)

        assert_all_messages(shop, first, second)
        assert sandbox.count() <= 41 + 4


def test_an_idle_run_asks_for_tickets_inside_the_overlap_only(
    sandbox: Sandbox,
) -> None:
    """One request, and one for each of them."""
    first = run(sandbox.config, *BOTH)
    sandbox.reset_counters()

    second = run(sandbox.config, *BOTH, state=first.state)

    assert sandbox.count("/api/tickets") == 1
    assert sandbox.count("/api/messages") == len(second.records("tickets")) <= 1


def test_a_long_conversation_is_read_to_its_end(sandbox: Sandbox) -> None:
    """A ticket can have thousands of messages."""
    first = run(sandbox.config, *BOTH)
    sandbox.shop.advance(3600)
    ticket = sandbox.shop.tickets.ids()[10]
    for _ in range(230):
        sandbox.shop.messages.create(ticket)

    second = run(sandbox.config, *BOTH, state=first.state)

    assert_all_messages(sandbox.shop, first, second)


def test_an_imported_message_with_an_old_date_comes_out(sandbox: Sandbox) -> None:
    """It lies behind every bookmark, but its ticket changed."""
    first = run(sandbox.config, *BOTH)
    sandbox.shop.advance(3600)
    sandbox.shop.messages.create(
        sandbox.shop.tickets.ids()[0], created_datetime="2020-01-01T00:00:00+00:00"
    )

    second = run(sandbox.config, *BOTH, state=first.state)

    assert_all_messages(sandbox.shop, first, second)


def test_messages_of_a_merged_ticket_come_with_their_new_ticket(
    sandbox: Sandbox,
) -> None:
    """They move without a change of their own."""
    first = run(sandbox.config, *BOTH)
    sandbox.shop.advance(3600)
    source, target = sandbox.shop.tickets.ids()[3:5]
    sandbox.shop.tickets.merge(source, target)

    second = run(sandbox.config, *BOTH, state=first.state)

    assert_all_messages(sandbox.shop, first, second)


def test_what_happens_during_the_bulk_comes_out_in_this_run_or_the_next(
    sandbox: Sandbox,
) -> None:
    """New messages, imported ones and merges fall between the gears otherwise."""
    shop = sandbox.shop
    chance = random.Random(5)  # noqa: S311 (the same history each time)

    def live(_shop: Shop, request: Request) -> None:
        if request.path == "/api/messages" and len(shop.tickets) > 310:
            shop.advance(chance.random() * 400)
            tickets = shop.tickets.ids()
            shop.messages.create(chance.choice(tickets))
            shop.messages.create(
                chance.choice(tickets), created_datetime="2020-01-01T00:00:00+00:00"
            )
            shop.tickets.merge(*chance.sample(tickets, 2))

    sandbox.before_request(live)
    first = run(sandbox.config, *BOTH)
    second = run(sandbox.config, *BOTH, state=first.state)

    assert_all_messages(shop, first, second)


def test_an_interrupted_bulk_is_finished_and_not_repeated(sandbox: Sandbox) -> None:
    """Its walk stands in STATE like that of any feed."""
    sandbox.faults.add(Fault.error(400), "/api/messages", after=6)
    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, *BOTH)
    first = failure.value.output
    assert set(first.bookmark("ticket_messages")) == {"replication_key", "walk"}
    sandbox.reset_counters()

    second = run(sandbox.config, *BOTH, state=first.state)

    assert_all_messages(sandbox.shop, first, second)
    pages = math.ceil(len(sandbox.shop.messages) / 100)
    assert sandbox.count("/api/messages") <= pages - 6 + 1


def test_a_refused_cursor_of_the_bulk_loses_nothing(sandbox: Sandbox) -> None:
    """It starts again from the newest message."""
    sandbox.faults.add(Fault.error(400), "/api/messages", after=6)
    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, *BOTH)
    sandbox.expire_cursors()

    second = run(sandbox.config, *BOTH, state=failure.value.output.state)

    assert_all_messages(sandbox.shop, second)


def test_the_child_alone_walks_its_parent_without_emitting_it(
    sandbox: Sandbox,
) -> None:
    """The parent's bookmark advances, so that the next run is cheap."""
    first = run(sandbox.config, "ticket_messages")
    sandbox.reset_counters()
    second = run(sandbox.config, "ticket_messages", state=first.state)

    assert_all_messages(sandbox.shop, first)
    assert first.records("tickets") == []
    assert first.bookmark("tickets")["replication_key_value"]
    assert sandbox.count() <= 2
    assert second.records("tickets") == []


def test_a_parent_selected_later_misses_nothing(sandbox: Sandbox) -> None:
    """Its bookmark advanced while its records did not go out."""
    first = run(sandbox.config, "ticket_messages")

    second = run(sandbox.config, *BOTH, state=first.state)
    third = run(sandbox.config, *BOTH, state=second.state)

    assert set(latest("tickets", second)) == set(sandbox.shop.tickets.ids())
    assert len(third.records("tickets")) <= 1
    assert "emitted" not in third.bookmark("tickets")


def test_a_child_added_later_misses_nothing(sandbox: Sandbox) -> None:
    """It is read in bulk, whatever the parent's bookmark says."""
    first = run(sandbox.config, "tickets")
    sandbox.reset_counters()

    second = run(sandbox.config, *BOTH, state=first.state)

    assert_all_messages(sandbox.shop, second)
    assert sandbox.count() <= math.ceil(len(sandbox.shop.messages) / 100) + 4


def test_a_child_removed_and_added_again_misses_nothing(sandbox: Sandbox) -> None:
    """What changed while it paused is read when it comes back."""
    shop = sandbox.shop
    first = run(sandbox.config, *BOTH)
    shop.advance(3600)
    for ticket in shop.tickets.ids()[:20]:
        shop.messages.create(ticket)
    second = run(sandbox.config, "tickets", state=first.state)
    shop.advance(3600)

    third = run(sandbox.config, *BOTH, state=second.state)

    assert_all_messages(shop, first, third)


def test_tickets_older_than_the_start_date_are_read_one_by_one() -> None:
    """Part of their conversation lies before it."""
    shop = Shop(seed=30, tickets=300)
    start = "2026-09-01T00:00:00Z"
    with Sandbox(shop) as sandbox:
        output = run({**sandbox.config, "start_date": start}, *BOTH)

        changed = [
            row for row in shop.tickets.rows() if row["updated_datetime"] > start
        ]
        old = {row["id"] for row in changed if row["created_datetime"] < start}
        wanted = {
            row["id"]
            for row in shop.messages.rows()
            if row["created_datetime"] >= start or row["ticket_id"] in old
        }
        assert old
        assert set(latest("ticket_messages", output)) == wanted
        assert sandbox.count("/api/messages") <= len(old) + 1 + math.ceil(
            len(shop.messages) / 100
        )
        assert "since" not in output.bookmark("ticket_messages")


@pytest.mark.parametrize(
    ("fault", "words"),
    [(Fault.error(404), "answered 404"), (Fault.error(301), "answered 301")],
)
def test_a_parent_that_is_gone_is_skipped_with_one_line(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, fault: Fault, words: str
) -> None:
    """It was deleted or merged between two requests."""
    first = run(sandbox.config, *BOTH)
    sandbox.shop.advance(3600)
    for ticket in sandbox.shop.tickets.ids()[:5]:
        sandbox.shop.messages.create(ticket)
    sandbox.faults.add(fault, "/api/messages", after=2)
    caplog.set_level("INFO")
    caplog.clear()

    second = run(sandbox.config, *BOTH, state=first.state)

    assert caplog.text.count("It was deleted or merged: skipped.") == 1
    assert caplog.text.count(words) == 1
    assert len(second.records("tickets")) >= 5


def test_other_errors_of_a_parent_end_the_run(sandbox: Sandbox) -> None:
    """The bookmark stays before the ticket whose messages are missing."""
    first = run(sandbox.config, *BOTH)
    sandbox.shop.advance(3600)
    for ticket in sandbox.shop.tickets.ids()[:5]:
        sandbox.shop.messages.create(ticket)
    sandbox.faults.add(Fault.error(400), "/api/messages", after=2)
    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, *BOTH, state=first.state)
    second = failure.value.output

    third = run(sandbox.config, *BOTH, state=second.state or first.state)

    assert_all_messages(sandbox.shop, first, second, third)
