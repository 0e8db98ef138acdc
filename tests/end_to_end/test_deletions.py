"""Deletions: what vanished, asked for by type, whatever Gorgias lets filter by."""

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
    """A shop whose events take eight pages, and its deletions two."""
    return Shop(seed=7, tickets=60, customers=30, events=730)


def refuse_types(
    sandbox: Sandbox, refused: set[str], tell: Callable[[set[str]], str]
) -> None:
    """Refuse requests that name one of these types, in some words."""

    def check(_shop: Shop, request: Request) -> None:
        if found := refused & set(request.query.get("types", ())):
            reject("types", tell(found))

    sandbox.before_request(check)


def named(types: set[str]) -> str:
    """Name the types that are refused."""
    return " ".join(f"{name!r} is not a valid choice." for name in sorted(types))


def unnamed(_: set[str]) -> str:
    """Name none."""
    return "Not a valid choice."


def valid(types: set[str]) -> str:
    """Name those that would be valid, as far as the text reaches."""
    return f"Must be one of: {', '.join(set(FILTERABLE) - types)}."


def asked(sandbox: Sandbox) -> list[set[str]]:
    """Return the types of each request."""
    return [set(one.query.get("types", ())) for one in sandbox.requests]


def deletions_in(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Return the events of the shop that tell of a deletion or merge."""
    gone = ("-deleted", "-merged")
    return [row for row in sandbox.shop.events.rows() if row["type"].endswith(gone)]


def test_all_types_that_can_be_filtered_are_asked_for(sandbox: Sandbox) -> None:
    """Nothing but deletions is read, and no request is refused."""
    output = run(sandbox.config, "deletions")

    wanted = {one for one in FILTERABLE if one.endswith(("-deleted", "-merged"))}
    assert len(wanted) == 15
    assert asked(sandbox) == [wanted, wanted]
    assert sandbox.count(status=200) == 2
    events = {row["id"]: row for row in deletions_in(sandbox)}
    assert sorted(output.ids("deletions")) == sorted(events)
    for row in output.records("deletions"):
        for name in ("object_type", "object_id", "type", "user_id", "data"):
            assert row[name] == events[row["id"]][name]


def test_types_that_a_refusal_names_are_left_out(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """The others are still filtered by Gorgias."""
    refuse_types(sandbox, {"view-deleted", "widget-deleted"}, named)

    output = run(sandbox.config, "deletions")

    first, *rest = asked(sandbox)
    assert rest == [first - {"view-deleted", "widget-deleted"}] * 2
    assert len(output.ids("deletions")) == len(deletions_in(sandbox))
    told = "The types are left out: `view-deleted`, `widget-deleted`."
    assert caplog.text.count(told) == 1


@pytest.mark.parametrize("tell", [unnamed, valid])
def test_a_type_that_is_new_is_left_out_if_none_is_named(
    sandbox: Sandbox, tell: Callable[[set[str]], str], caplog: pytest.LogCaptureFixture
) -> None:
    """What the older documentation has is asked for then."""
    refuse_types(sandbox, {NEW}, tell)

    run(sandbox.config, "deletions")

    first, *rest = asked(sandbox)
    assert rest == [first - {NEW}] * 2
    assert caplog.text.count(f"The types are left out: `{NEW}`.") == 1


def test_if_any_type_is_refused_all_events_are_read(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Each step is told; deletions that cannot be filtered come as well."""
    shop = sandbox.shop
    shop.events.create(type="facebook-comment-deleted", object_id=5)
    refuse_types(sandbox, set(FILTERABLE), unnamed)

    output = run(sandbox.config, "deletions")

    first, second, *rest = asked(sandbox)
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
    """Without the types it is refused as well."""
    sandbox.faults.add(Fault.error(400), "/api/events", times=99)

    with pytest.raises(PartialRun):
        run(sandbox.config, "deletions")

    assert sandbox.count() == 3
    assert "All events are read instead" not in caplog.text


def test_types_are_not_changed_in_the_middle(sandbox: Sandbox) -> None:
    """A cursor of one list would skip rows of another."""
    sandbox.faults.add(Fault.error(400), "/api/events", after=1)

    with pytest.raises(PartialRun):
        run(sandbox.config, "deletions")

    assert sandbox.count() == 2


def changes(sandbox: Sandbox) -> list[tuple[Any, ...]]:
    """Read the deletions that a run finds after the shop has changed."""
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
def test_deletions_tell_what_vanished(about: TicketMerged) -> None:
    """As recorded for customers and tags; which ticket a merge names is not known."""
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
    deleted, merged, gone, customer, tag, other = found
    assert [deleted[2:], gone[2:], tag[2:]] == [(None, None)] * 3
    assert merged[2:] == (None, None)
    vanished_first = merged[1] not in shop.tickets
    assert vanished_first is (about == "vanished")
    assert customer[1:] == (customer[3], gone[1], customer[3])
    assert customer[3] in shop.customers
    assert other[1:] == (other[1], other[1], None)
    assert "created_datetime[gte]" in request.query


DATA: dict[str, tuple[dict[str, Any] | None, tuple[Any, Any]]] = {
    "nothing": (None, (None, None)),
    "other things": ({"reason": "duplicate", "source": 7}, (None, None)),
    "the one that is gone": ({"source_ticket_id": 7}, (7, 5)),
    "the one that is left": ({"target_ticket_id": 9}, (5, 9)),
    "both": ({"source_ticket_id": 5, "target_ticket_id": 9}, (5, 9)),
    "that it is gone itself": ({"source_ticket_id": 5}, (5, None)),
    "that it is left itself": ({"target_ticket_id": 5}, (None, 5)),
}


@pytest.mark.parametrize("told", DATA)
def test_a_merge_of_tickets_has_the_sides_that_its_data_tells(
    sandbox: Sandbox, told: str
) -> None:
    """If Gorgias ever tells them; `object_id` alone says neither."""
    data, sides = DATA[told]
    sandbox.shop.events.create(
        type="ticket-merged", object_type="Ticket", object_id=5, data=data
    )
    merged = run(sandbox.config, "deletions").records("deletions")[-1]
    assert (merged["source_object_id"], merged["target_object_id"]) == sides
