"""One parent that fails is one parent: it is named, left out and asked for again."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Any

import pytest

from tap_gorgias.stream_types.children import ChildStream
from tests.sandbox import Answer, Fault, Sandbox, Shop
from tests.support.runs import Output, PartialRun, latest, run

if TYPE_CHECKING:
    from collections.abc import Collection

    from tests.sandbox import Request

FAILED = {"error": {"msg": "Failed."}}
LAST_YEAR = "2025-01-01T00:00:00+00:00"
STREAMS = ("ticket_details", "ticket_messages", "customer_details")


@pytest.fixture
def shop() -> Shop:
    """A shop with two pages of tickets and customers."""
    return Shop(seed=31, tickets=150, customers=150, messages_per_ticket=1)


def parent_of(request: Request) -> int | None:
    """Return the parent that a request asks for."""
    ticket = request.query.get("ticket_id") if request.path == "/api/messages" else None
    last = ticket[0] if ticket else request.path.rpartition("/")[2]
    return int(last) if last.isdigit() else None


def fail(sandbox: Sandbox, parents: Collection[int], status: int) -> None:
    """Make the requests for some parents fail until `heal`."""

    def spoil(request: Request, answer: Answer) -> Answer:
        return Answer(status, FAILED) if parent_of(request) in parents else answer

    sandbox.rewrite(spoil)


def config_of(sandbox: Sandbox) -> dict[str, Any]:
    """Return settings with which each run settles the changed tickets."""
    return {**sandbox.config, "ticket_messages_settle_hours": 0}


def changed(sandbox: Sandbox, stream: str) -> list[int]:
    """Change all parents of a stream, and return their ids."""
    shop = sandbox.shop
    shop.advance(7200)
    if stream == "customer_details":
        for customer in shop.customers.ids():
            shop.advance(60)
            shop.customers.update(customer)
        return shop.customers.ids()
    for ticket in shop.tickets.ids():
        shop.advance(60)
        # The list of messages does not show these.
        shop.messages.create(ticket, created_datetime=LAST_YEAR)
        shop.tickets.update(ticket)
    return shop.tickets.ids()


def failed_run(sandbox: Sandbox, stream: str, state: dict[str, Any]) -> Output:
    """Run a stream that fails at its end."""
    with pytest.raises(PartialRun) as failure:
        run(config_of(sandbox), stream, state=state)
    return failure.value.output


def parents_in(output: Output, stream: str) -> set[int]:
    """Return the parents whose rows were read one by one."""
    if stream != "ticket_messages":
        return set(output.ids(stream))
    rows = output.records(stream)
    return {
        row["ticket_id"]
        for row in rows
        if row["created_datetime"].startswith("2025-01")
    }


@pytest.mark.parametrize("status", [400, 403, 410, 422, 500])
@pytest.mark.parametrize("stream", STREAMS)
def test_one_parent_that_fails_blocks_nothing(
    sandbox: Sandbox, stream: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """It is named, the run fails, and the next run asks for it first."""
    before = run(config_of(sandbox), stream)
    parents = changed(sandbox, stream)
    bad = parents[75]
    fail(sandbox, [bad], status)

    first = failed_run(sandbox, stream, before.state)

    assert parents_in(first, stream) == {*parents} - {bad}
    assert first.bookmark(stream)["retry"] == [bad]
    assert f" {bad} is left out" in caplog.text

    sandbox.reset_counters()
    again = failed_run(sandbox, stream, first.state)
    assert again.bookmark(stream)["retry"] == [bad]
    assert sandbox.count() < 40

    sandbox.remove_callbacks()
    sandbox.reset_counters()
    healed = run(config_of(sandbox), stream, state=again.state)
    assert bad in parents_in(healed, stream)
    assert not healed.bookmark(stream).get("retry")
    assert next(one for one in map(parent_of, sandbox.requests) if one) == bad


@pytest.mark.parametrize("stream", ["ticket_details", "ticket_messages"])
@pytest.mark.parametrize("seed", range(4))
def test_any_parents_that_fail_are_all_that_is_missing(
    sandbox: Sandbox, stream: str, seed: int
) -> None:
    """More than fit into STATE hold the position. A healthy run heals everything."""
    chance = random.Random(seed)  # noqa: S311 (to be repeated)
    before = run(config_of(sandbox), stream)
    parents = changed(sandbox, stream)
    bad = set(chance.sample(parents[:-5], [1, 12, 90, 120][seed]))
    fail(sandbox, bad, chance.choice([400, 410, 422]))

    first = failed_run(sandbox, stream, before.state)
    sandbox.remove_callbacks()
    second = run(config_of(sandbox), stream, state=first.state)

    assert parents_in(first, stream) == {*parents} - bad
    assert len(first.bookmark(stream)["retry"]) == min(len(bad), 100)
    assert bad <= parents_in(second, stream)
    if len(bad) <= 100:
        assert len(parents_in(second, stream) - bad) <= 6


@pytest.mark.parametrize("fault", [Fault.error(503), Fault.reset()])
@pytest.mark.parametrize("after", [1, 60, 125])
def test_parents_in_a_row_without_an_answer_are_an_outage(
    sandbox: Sandbox, after: int, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream stops there, remembers no parent, and goes on in the next run."""
    monkeypatch.setattr(ChildStream, "requests_in_flight", 1)
    sandbox.faults.add(fault, "/api/tickets/*", after=after, times=10**6)
    first = failed_run(sandbox, "ticket_details", {})
    sandbox.faults.clear()

    second = run(sandbox.config, "ticket_details", state=first.state)

    assert len(first.ids("ticket_details")) <= after
    assert not first.state or not first.bookmark("ticket_details").get("retry")
    assert set(latest("ticket_details", first, second)) == set(
        sandbox.shop.tickets.ids()
    )
    assert len(second.ids("ticket_details")) <= 150 - after + 10 + 8


def test_a_403_for_the_first_parent_is_a_missing_permission(sandbox: Sandbox) -> None:
    """The stream fails at once."""
    fail(sandbox, sandbox.shop.tickets.ids(), 403)
    output = failed_run(sandbox, "ticket_details", {})
    assert output.ids("ticket_details") == []
    assert sandbox.count("/api/tickets/") <= 8


@pytest.mark.parametrize("status", [301, 404])
@pytest.mark.parametrize("stream", STREAMS)
def test_parents_that_the_list_still_shows_are_not_gone(
    sandbox: Sandbox, stream: str, status: int
) -> None:
    """A hidden permission must not look like deleted tickets."""
    before = run(config_of(sandbox), stream)
    parents = changed(sandbox, stream)
    fail(sandbox, parents, status)

    first = failed_run(sandbox, stream, before.state)
    sandbox.remove_callbacks()
    second = run(config_of(sandbox), stream, state=first.state)

    assert parents_in(first, stream) == set()
    assert {*parents} == parents_in(second, stream)


def test_many_parents_that_are_gone_make_one_line(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """They were deleted after the list was read, and the stream is complete."""
    shop = sandbox.shop
    doomed = shop.tickets.ids()[:60]
    caplog.set_level("INFO")

    def delete(_: Shop, request: Request) -> None:
        if request.path.startswith("/api/tickets/") and doomed[0] in shop.tickets:
            for ticket in doomed:
                shop.tickets.delete(ticket)

    sandbox.before_request(delete)
    output = run(sandbox.config, "ticket_details")

    assert set(output.ids("ticket_details")) >= set(shop.tickets.ids())
    lines = [line for line in caplog.messages if "deleted or merged" in line]
    assert len(lines) == 1
    assert int(re.findall(r"\d+", lines[0])[0]) > 10
    assert "subdomain" not in caplog.text


@pytest.mark.parametrize("status", [301, 404])
def test_a_ticket_deleted_between_two_pages_of_its_messages_is_gone(
    status: int,
) -> None:
    """As on the first page."""
    with Sandbox(Shop(seed=5, tickets=12, messages_per_ticket=1)) as sandbox:
        shop = sandbox.shop
        state = run(config_of(sandbox), "ticket_messages").state
        shop.advance(7200)
        for ticket in shop.tickets.ids()[:4]:
            shop.messages.create(ticket, created_datetime=LAST_YEAR)
        long = shop.tickets.ids()[2]
        for _ in range(120):
            shop.messages.create(long, created_datetime=LAST_YEAR)

        def vanish(request: Request, answer: Answer) -> Answer:
            is_long = parent_of(request) == long
            again = sum(parent_of(one) == long for one in sandbox.requests)
            return Answer(status, FAILED) if is_long and again else answer

        sandbox.rewrite(vanish)
        output = run(config_of(sandbox), "ticket_messages", state=state)

    found = parents_in(output, "ticket_messages")
    assert found >= {*shop.tickets.ids()[:4]} - {long}
    assert not output.bookmark("ticket_messages").get("retry")


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_a_view_that_fails_does_not_hide_the_others(
    sandbox: Sandbox, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """It is named, and the stream fails at its end."""
    views = {
        row["view_id"]
        for row in run(sandbox.config, "view_items").records("view_items")
    }
    bad = min(views)  # the first that is requested
    sandbox.faults.add(Fault.error(status), f"/api/views/{bad}/items", times=10**6)

    output = failed_run(sandbox, "view_items", {})

    assert {row["view_id"] for row in output.records("view_items")} == views - {bad}
    assert f"View {bad} is left out" in caplog.text
