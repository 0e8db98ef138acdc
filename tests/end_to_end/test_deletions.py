"""Deletions are read by event type, and name the deleted object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox import Fault, Sandbox, Shop
from tests.sandbox.answers import reject
from tests.sandbox.event_types import FILTERABLE
from tests.support.runs import PartialRun, run

if TYPE_CHECKING:
    from tests.sandbox import Request
    from tests.sandbox.shop import TicketMerged

CONDITION = "custom-field-condition-deleted"
SIDES = ("type", "object_id", "source_object_id", "target_object_id")


@pytest.fixture
def shop() -> Shop:
    """A shop with eight pages of events and two of deletions."""
    return Shop(seed=7, tickets=60, customers=30, events=730)


def requested_types(sandbox: Sandbox) -> list[set[str]]:
    """Return the types of each request."""
    return [set(one.query.get("types", ())) for one in sandbox.requests]


def deletions_in(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Return the deletions and merges among the events of the shop."""
    suffixes = ("-deleted", "-merged")
    events = [row for row in sandbox.shop.events.rows() if row["type"] != CONDITION]
    return [row for row in events if row["type"].endswith(suffixes)]


def test_types_that_delete_rows_of_streams_are_requested(sandbox: Sandbox) -> None:
    """Only deletions are read. No stream holds conditions of custom fields."""
    sandbox.shop.events.create(type=CONDITION)
    events = {row["id"]: row for row in deletions_in(sandbox)}

    output = run(sandbox.config, "deletions")

    suffixes = ("-deleted", "-merged")
    expected = {one for one in FILTERABLE if one.endswith(suffixes)} - {CONDITION}
    assert len(expected) == 14
    assert requested_types(sandbox) == [expected, expected]
    assert sandbox.count(status=200) == 2
    assert sorted(output.ids("deletions")) == sorted(events)
    for row in output.records("deletions"):
        for name in ("object_type", "object_id", "type", "user_id", "data"):
            assert row[name] == events[row["id"]][name]


def test_an_event_that_is_no_object_is_not_left_out_in_silence(
    sandbox: Sandbox,
) -> None:
    """The run fails, and the next one reads the event again."""

    def without_first(page: dict[str, Any]) -> dict[str, Any]:
        return {**page, "data": [None, *page["data"][1:]]}

    sandbox.faults.add(Fault.rewrite(without_first), "/api/events", after=1)
    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, "deletions")
    first = failure.value.output
    second = run(sandbox.config, "deletions", state=first.state)

    expected = {row["id"] for row in deletions_in(sandbox)}
    assert {*first.ids("deletions"), *second.ids("deletions")} == expected


def test_types_that_gorgias_refuses_fail_the_stream(sandbox: Sandbox) -> None:
    """Without them deletions would be lost. The next run reads them all."""

    def refuse(_shop: Shop, request: Request) -> None:
        if "view-deleted" in request.query.get("types", ()):
            reject("types", "'view-deleted' is not a valid choice.")

    state = run(sandbox.config, "deletions").state
    sandbox.shop.tags.delete(sandbox.shop.tags.id_at(0))
    sandbox.before_request(refuse)
    sandbox.reset_counters()
    with pytest.raises(PartialRun) as failed:
        run(sandbox.config, "deletions", state=state)

    assert sandbox.count() == 1
    assert "'view-deleted' is not a valid choice." in str(failed.value.__cause__)
    sandbox.remove_callbacks()
    later = run(sandbox.config, "deletions", state=failed.value.output.state)
    assert later.records("deletions")[-1]["type"] == "tag-deleted"


def test_events_of_other_types_are_no_deletions(sandbox: Sandbox) -> None:
    """They come if Gorgias ignores the filter."""
    sandbox.ignored.add(("/api/events", "types"))

    output = run(sandbox.config, "deletions")

    assert sandbox.count() == 8
    assert len(output.ids("deletions")) == len(deletions_in(sandbox))


def changes(sandbox: Sandbox) -> list[tuple[Any, ...]]:
    """Return the deletions that a run finds after the shop has changed."""
    state = run(sandbox.config, "deletions").state
    shop = sandbox.shop
    ticket, source, target, *_ = shop.tickets.ids()
    customer, into, *_ = shop.customers.ids()
    shop.tickets.delete(ticket)
    shop.tickets.merge(source, target)
    shop.customers.merge(customer, into)
    tag, other, *_ = shop.tags.ids()
    shop.tags.delete(tag)
    shop.events.create(type="tag-merged", object_type="Tag", object_id=other)
    shop.events.create(type="ticket-created", object_type="Ticket", object_id=5)
    sandbox.reset_counters()
    rows = run(sandbox.config, "deletions", state=state).records("deletions")
    return [tuple(row[side] for side in SIDES) for row in rows[-6:]]


@pytest.mark.parametrize("about", ["survivor", "vanished"])
def test_deletions_name_the_deleted_object(about: TicketMerged) -> None:
    """Customers and tags are as observed; which ticket a merge names is unknown."""
    with Sandbox(Shop(seed=7, tickets=60, ticket_merged=about)) as sandbox:
        found = changes(sandbox)
        shop = sandbox.shop
        (request,) = sandbox.requests

    assert [one[0] for one in found] == [
        "ticket-deleted",
        "ticket-merged",
        "customer-deleted",
        "customer-merged",
        "tag-deleted",
        "tag-merged",
    ]
    deleted, merged, duplicate, customer, tag, other = found
    assert [deleted[2:], duplicate[2:], tag[2:]] == [(None, None)] * 3
    assert merged[2:] == (None, None)
    vanished_first = merged[1] not in shop.tickets
    assert vanished_first is (about == "vanished")
    assert customer[1:] == (customer[3], duplicate[1], customer[3])
    assert customer[3] in shop.customers
    assert other[1:] == (other[1], other[1], None)
    assert "created_datetime[gte]" in request.query


DATA: dict[str, tuple[dict[str, Any] | None, tuple[Any, Any]]] = {
    "nothing": (None, (None, None)),
    "other things": ({"reason": "duplicate", "source": 7}, (None, None)),
    "the deleted ticket": ({"source_ticket_id": 7}, (7, 5)),
    "the one that is left": ({"target_ticket_id": 9}, (5, 9)),
    "both": ({"source_ticket_id": 5, "target_ticket_id": 9}, (5, 9)),
    "itself as the deleted ticket": ({"source_ticket_id": 5}, (5, None)),
    "that it is left itself": ({"target_ticket_id": 5}, (None, 5)),
}


@pytest.mark.parametrize("name", DATA)
def test_a_merge_of_tickets_has_the_sides_in_its_data(
    sandbox: Sandbox, name: str
) -> None:
    """Without data, `object_id` determines neither side."""
    data, sides = DATA[name]
    sandbox.shop.events.create(
        type="ticket-merged", object_type="Ticket", object_id=5, data=data
    )
    merged = run(sandbox.config, "deletions").records("deletions")[-1]
    assert (merged["source_object_id"], merged["target_object_id"]) == sides
