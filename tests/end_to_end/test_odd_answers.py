"""Answers that differ from the documentation lose no rows and cause no loops."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tap_gorgias.errors import GorgiasError, IncompleteError
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


def test_characters_that_databases_refuse_are_removed(sandbox: Sandbox) -> None:
    """PostgreSQL accepts no NUL, and UTF-8 has no lone surrogates."""

    def poison(body: Body) -> Body:
        for row in body["data"]:
            row["subject"] = "a\x00b\ud83dc\U0001f600"
            row["meta"] = {"no\x00te": ["\x00"]}
        return body

    spoil(sandbox, "/api/tickets", poison, times=9)

    ticket = run(sandbox.config, "tickets").records("tickets")[0]

    assert ticket["subject"] == "abc\U0001f600"
    assert ticket["meta"] == {"note": [""]}
