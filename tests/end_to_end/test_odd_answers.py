"""Answers that differ from the documentation lose no rows and cause no loops."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tap_gorgias.errors import ApiError, GorgiasError, IncompleteError
from tests.sandbox import Fault, Sandbox, Shop
from tests.sandbox.answers import Answer
from tests.support.runs import LOOK_FOR_IMPORTS, PartialRun, run

if TYPE_CHECKING:
    from collections.abc import Callable

Body = dict[str, Any]


def instead(body: Any) -> Fault:  # noqa: ANN401
    """Return a fault that answers 200 with an ASCII body."""
    text = json.dumps(body).encode()
    return Fault("instead", lambda _: Answer(200, body=text))


@pytest.fixture
def shop() -> Shop:
    """A shop with four pages of tickets."""
    return Shop(seed=3, tickets=350, customers=130, events=300)


def spoil(
    sandbox: Sandbox, path: str, change: Callable[[Body], Any], **when: int
) -> None:
    """Change the decoded answers of a path."""

    def spoiled(answer: Answer) -> Answer:
        return instead(change(json.loads(answer.content()))).spoil(answer)

    sandbox.faults.add(Fault("spoiled", spoiled), path, **when)


def reversed_rows(body: Body) -> Body:
    """Reverse the rows of a page."""
    return {**body, "data": body["data"][::-1]}


def test_a_page_out_of_order_does_not_end_the_walk(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """The rest of the list is read with one warning, and only what changed emitted."""
    state = run(sandbox.config, "tickets").state
    sandbox.shop.advance(3600)
    changed = sandbox.shop.tickets.ids()[::50]
    for ticket in changed:
        sandbox.shop.tickets.update(ticket)
    spoil(sandbox, "/api/tickets", reversed_rows)
    spoil(sandbox, "/api/tickets", reversed_rows)
    sandbox.reset_counters()
    caplog.clear()

    output = run(sandbox.config, "tickets", state=state)

    assert set(changed) <= set(output.ids("tickets"))
    assert len(output.ids("tickets")) <= len(changed) + 1
    assert sandbox.count() == 4 + LOOK_FOR_IMPORTS
    assert caplog.text.count("ignores the requested order, newest first") == 1


def test_a_row_that_changes_during_the_walk_is_not_out_of_order(
    sandbox: Sandbox,
) -> None:
    """A new row in a later page does not cause a read of the whole list."""
    state = run(sandbox.config, "tickets").state
    shop = sandbox.shop
    shop.advance(3600)
    for ticket in shop.tickets.ids()[:120]:
        shop.tickets.update(ticket, status="closed")

    def freshen(body: Body) -> Body:
        body["data"][3]["updated_datetime"] = "2026-11-02T23:00:00.000000+00:00"
        return body

    spoil(sandbox, "/api/tickets", freshen, after=1)
    sandbox.reset_counters()

    output = run(sandbox.config, "tickets", state=state)

    assert sandbox.count() == 2 + LOOK_FOR_IMPORTS
    assert len(set(output.ids("tickets"))) > 120


def test_events_out_of_order_do_not_move_the_bookmark_past_unread_ones(
    sandbox: Sandbox,
) -> None:
    """A run that is killed after such a page resumes from the old bookmark."""
    spoil(sandbox, "/api/events", reversed_rows, after=1)
    sandbox.faults.add(Fault.error(403), "/api/events", after=1)

    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, "events")
    partial = failure.value.output
    rest = run(sandbox.config, "events", state=partial.state)

    assert set(partial.ids("events")) | set(rest.ids("events")) == set(
        sandbox.shop.events.ids()
    )


def test_an_empty_page_with_a_cursor_is_not_the_end(sandbox: Sandbox) -> None:
    """Only a missing cursor ends a list."""
    first_page: list[Any] = []

    def empty(body: Body) -> Body:
        first_page.extend(body["data"])
        return {**body, "data": []}

    spoil(sandbox, "/api/tickets", empty)

    tickets = run(sandbox.config, "tickets").ids("tickets")

    assert set(tickets) == set(sandbox.shop.tickets.ids()) - {
        row["id"] for row in first_page
    }


def test_a_repeated_cursor_ends_the_run(sandbox: Sandbox) -> None:
    """An error is better than an endless loop."""
    page = {"data": [{"id": 1}], "meta": {"next_cursor": "c2FtZQ=="}}
    sandbox.faults.add(instead(page), "/api/users", times=2)

    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, "users")

    assert "users: /api/users failed: the same cursor was returned twice" in str(
        failure.value.__cause__
    )


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="empty object"),
        pytest.param({"data": {"id": 1}}, id="object for a list"),
        pytest.param({"data": [1, 2]}, id="numbers for records"),
        pytest.param(
            {"data": [], "meta": {"next_cursor": 5}}, id="number for a cursor"
        ),
        pytest.param("text", id="text"),
        pytest.param(None, id="null"),
    ],
)
def test_an_answer_of_another_shape_is_a_clear_error(
    sandbox: Sandbox,
    body: Any,  # noqa: ANN401
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is taken neither for records nor for the end of a list."""
    spoil(sandbox, "/api/tags", lambda _: body)

    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, "tags")

    assert isinstance(failure.value.__cause__, GorgiasError)
    assert "/api/tags failed: " in caplog.text
    assert failure.value.output.records("tags") == []


@pytest.mark.parametrize("key", [{}, {"id": None}], ids=["missing", "null"])
def test_a_row_without_its_key_is_skipped_and_fails_the_stream_at_its_end(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, key: Body
) -> None:
    """The other rows are emitted, with one warning."""

    def without_keys(body: Body) -> Body:
        rows = body["data"]
        return {**body, "data": [{"name": "a", **key}, *rows]}

    spoil(sandbox, "/api/tags", without_keys)
    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, "tags")

    assert set(failure.value.output.ids("tags")) == set(sandbox.shop.tags.ids())
    reason = "tags: /api/tags failed: a record came without its key (id)."
    assert isinstance(failure.value.__cause__, IncompleteError)
    assert f"{reason} It is left out." in caplog.text


def test_a_row_without_its_key_is_requested_again(sandbox: Sandbox) -> None:
    """The position stays before it, so the next run reads the row."""
    lost = sandbox.shop.jobs.ids()[-1]

    def without_a_key(body: Body) -> Body:
        rows = [
            {**row, "id": None if row["id"] == lost else row["id"]}
            for row in body["data"]
        ]
        return {**body, "data": rows}

    spoil(sandbox, "/api/jobs", without_a_key, times=9)
    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, "jobs")
    sandbox.faults.clear()
    again = run(sandbox.config, "jobs", state=failure.value.output.state)

    assert lost not in failure.value.output.ids("jobs")
    assert lost in again.ids("jobs")


def test_a_null_instead_of_a_list_is_a_missing_permission(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """The stream fails, and does not tell the target to drop its rows."""
    config = {**sandbox.config, "emit_activate_version_messages": True}
    for path in ("/api/tags", "/api/tickets"):
        spoil(sandbox, path, lambda body: {**body, "data": None})

    with pytest.raises(PartialRun) as failure:
        run(config, "tags", "tickets")

    assert "`tags:read`" in caplog.text
    assert "`tickets:read`" in caplog.text
    kinds = {message["type"] for message in failure.value.output.messages}
    assert not kinds & {"ACTIVATE_VERSION", "RECORD"}


def test_unknown_fields_are_reported_once(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """No data is dropped silently."""

    def extend(body: Body) -> Body:
        rows = [{**row, "mood": "private words"} for row in body["data"]]
        return {**body, "data": rows}

    spoil(sandbox, "/api/tickets", extend, times=9)

    output = run(sandbox.config, "tickets")

    assert caplog.text.count("`mood`") == 1
    assert "private words" not in caplog.text
    assert "mood" not in output.records("tickets")[0]


def test_invalid_dates_become_null_with_one_warning(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """An invalid date would break most targets."""

    def break_dates(body: Body) -> Body:
        for row in body["data"]:
            row["closed_datetime"] = ""
            row["snooze_datetime"] = "not a date"
        return body

    spoil(sandbox, "/api/tickets", break_dates, times=9)

    tickets = run(sandbox.config, "tickets").records("tickets")

    assert {(t["closed_datetime"], t["snooze_datetime"]) for t in tickets} == {
        (None, None)
    }
    assert caplog.text.count("`closed_datetime`") == 1


def test_rows_without_a_date_are_emitted(sandbox: Sandbox) -> None:
    """A null is ignored when the order is checked."""

    def forget(body: Body) -> Body:
        for row in body["data"][:5]:
            row["updated_datetime"] = None
        return body

    spoil(sandbox, "/api/customers", forget, times=9)

    customers = run(sandbox.config, "customers").ids("customers")

    assert set(customers) == set(sandbox.shop.customers.ids())


def test_characters_that_databases_refuse_are_removed(sandbox: Sandbox) -> None:
    """PostgreSQL accepts no NUL, and UTF-8 has no lone surrogates."""

    def poison(body: Body) -> Body:
        for row in body["data"]:
            row["subject"] = "a\x00b\ud83dc\U0001f600"
            row["meta"] = {"k\x00ey": ["\x00"]}
        return body

    spoil(sandbox, "/api/tickets", poison, times=9)

    ticket = run(sandbox.config, "tickets").records("tickets")[0]

    assert ticket["subject"] == "abc\U0001f600"
    assert ticket["meta"] == {"key": [""]}


def test_a_redirect_is_not_followed(sandbox: Sandbox) -> None:
    """Credentials are only sent to the configured host."""
    sandbox.faults.add(Fault.error(301), "/api/tags")
    sandbox.reset_counters()

    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, "tags")

    assert isinstance(failure.value.__cause__, ApiError)
    assert sandbox.count() == 1
