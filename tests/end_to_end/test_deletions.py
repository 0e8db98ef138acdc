"""Deletions are read by event type, whichever types Gorgias can filter by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox import Fault, Sandbox, Shop
from tests.sandbox.answers import reject
from tests.sandbox.event_types import FILTERABLE
from tests.support.runs import PartialRun, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox import Request
    from tests.sandbox.shop import TicketMerged

NEW = "custom-field-condition-deleted"
SIDES = ("type", "object_id", "source_object_id", "target_object_id")


@pytest.fixture
def shop() -> Shop:
    """A shop with eight pages of events and two of deletions."""
    return Shop(seed=7, tickets=60, customers=30, events=730)


def refuse_types(
    sandbox: Sandbox, refused: set[str], tell: Callable[[set[str]], str]
) -> None:
    """Refuse requests that name one of these types, with a message."""

    def check(_shop: Shop, request: Request) -> None:
        if found := refused & set(request.query.get("types", ())):
            reject("types", tell(found))

    sandbox.before_request(check)


def name_refused_types(types: set[str]) -> str:
    """Return a message that names the refused types."""
    return " ".join(f"{name!r} is not a valid choice." for name in sorted(types))


def name_no_types(_: set[str]) -> str:
    """Return a message that names no types."""
    return "Not a valid choice."


def name_valid_types(types: set[str]) -> str:
    """Return a message that lists the valid types."""
    return f"Must be one of: {', '.join(set(FILTERABLE) - types)}."


def requested_types(sandbox: Sandbox) -> list[set[str]]:
    """Return the types of each request."""
    return [set(one.query.get("types", ())) for one in sandbox.requests]


def deletions_in(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Return the deletions and merges among the events of the shop."""
    suffixes = ("-deleted", "-merged")
    events = sandbox.shop.events.rows()
    return [row for row in events if row["type"].endswith(suffixes)]


def test_all_filterable_types_are_requested(sandbox: Sandbox) -> None:
    """Only deletions are read, and no request is refused."""
    output = run(sandbox.config, "deletions")

    expected = {one for one in FILTERABLE if one.endswith(("-deleted", "-merged"))}
    assert len(expected) == 15
    assert requested_types(sandbox) == [expected, expected]
    assert sandbox.count(status=200) == 2
    events = {row["id"]: row for row in deletions_in(sandbox)}
    assert sorted(output.ids("deletions")) == sorted(events)
    for row in output.records("deletions"):
        for name in ("object_type", "object_id", "type", "user_id", "data"):
            assert row[name] == events[row["id"]][name]


def test_types_that_a_refusal_names_are_not_requested_again(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Gorgias still filters by the other types."""
    refuse_types(sandbox, {"view-deleted", "widget-deleted"}, name_refused_types)

    output = run(sandbox.config, "deletions")

    first, *rest = requested_types(sandbox)
    assert rest == [first - {"view-deleted", "widget-deleted"}] * 2
    assert len(output.ids("deletions")) == len(deletions_in(sandbox))
    warning = "The types are left out: `view-deleted`, `widget-deleted`."
    assert caplog.text.count(warning) == 1


@pytest.mark.parametrize("tell", [name_no_types, name_valid_types])
def test_a_new_type_is_dropped_if_a_refusal_names_none(
    sandbox: Sandbox, tell: Callable[[set[str]], str], caplog: pytest.LogCaptureFixture
) -> None:
    """The types of the older documentation are requested instead."""
    refuse_types(sandbox, {NEW}, tell)

    run(sandbox.config, "deletions")

    first, *rest = requested_types(sandbox)
    assert rest == [first - {NEW}] * 2
    assert caplog.text.count(f"The types are left out: `{NEW}`.") == 1


def test_if_any_type_is_refused_all_events_are_read(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Each fallback is logged, and deletions of unfilterable types are emitted too."""
    shop = sandbox.shop
    shop.events.create(type="facebook-comment-deleted", object_id=5)
    refuse_types(sandbox, set(FILTERABLE), name_no_types)

    output = run(sandbox.config, "deletions")

    first, second, *rest = requested_types(sandbox)
    assert (second, rest) == (first - {NEW}, [set()] * 8)
    assert len(output.ids("deletions")) == len(deletions_in(sandbox))
    assert "facebook-comment-deleted" in {
        row["type"] for row in output.records("deletions")
    }
    assert caplog.text.count("The types are left out: ") == 1
    assert caplog.text.count("All events are read instead") == 1


def test_a_refusal_that_is_not_about_types_ends_the_run(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """The request is refused without the types as well."""
    sandbox.faults.add(Fault.error(400), "/api/events", times=99)

    with pytest.raises(PartialRun):
        run(sandbox.config, "deletions")

    assert sandbox.count() == 3
    assert "All events are read instead" not in caplog.text


def test_types_do_not_change_within_a_list(sandbox: Sandbox) -> None:
    """A cursor of one list would skip rows of another."""
    sandbox.faults.add(Fault.error(400), "/api/events", after=1)

    run(sandbox.config, "deletions")

    (types,) = {tuple(request.query["types"]) for request in sandbox.requests}
    assert len(types) > 1


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
