"""A list that is cut off without notice is not taken as complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox import Fault, Sandbox, Shop
from tests.support.cases import table
from tests.support.runs import PartialRun, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Body = Any


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A shop in which lists of each kind take several pages."""
    shop = Shop(
        seed=4, tickets=250, customers=130, events=300, tags=130, voice_calls=130
    )
    with Sandbox(shop) as sandbox:
        yield sandbox


def without_meta(body: Body) -> Body:
    """Remove everything that refers to another page."""
    return {name: body[name] for name in body if name != "meta"}


def without_next(body: Body) -> Body:
    """Remove the fields that refer to the next page."""
    removed = {"next_cursor", "next_items"}
    meta = {name: body["meta"][name] for name in body["meta"] if name not in removed}
    return {**body, "meta": meta}


def bare(body: Body) -> Body:
    """Return only the rows."""
    return body["data"]


CUTS: dict[str, Callable[[Body], Body]] = {
    "no meta": without_meta,
    "meta is null": lambda body: {**body, "meta": None},
    "no name of a next page": without_next,
    "bare array": bare,
    "empty name of a next page": lambda body: {
        **body,
        "meta": dict.fromkeys(body["meta"], ""),
    },
}
LISTS = {
    "feed": ("tickets", "/api/tickets", "next_cursor"),
    "log": ("events", "/api/events", "next_cursor"),
    "filtered log": ("deletions", "/api/events", "next_cursor"),
    "snapshot": ("tags", "/api/tags", "next_cursor"),
    "bulk": ("ticket_messages", "/api/messages", "next_cursor"),
    "items of a view": ("view_items", "/api/views/*/items", "next_items"),
    "calls": ("voice_calls", "/api/phone/voice-calls", "next_cursor"),
    "events of calls": (
        "voice_call_events",
        "/api/phone/voice-call-events",
        "next_cursor",
    ),
}


@table(CUTS)
@pytest.mark.parametrize("list_name", LISTS)
def test_a_full_page_without_information_about_the_next_fails_the_stream(
    sandbox: Sandbox,
    list_name: str,
    case: Callable[[Body], Body],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No bookmark is saved, so the next run reads the missing rows."""
    stream, path, name = LISTS[list_name]
    shop = sandbox.shop
    for _ in range(130):
        tag = shop.tags.ids()[0]
        shop.events.create(type="tag-deleted", object_type="Tag", object_id=tag)
    cut = Fault.rewrite(lambda body: case(body) if _is_full(body) else body)
    sandbox.faults.add(cut, path, times=1_000)

    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, stream)

    assert f"but `{name}` is missing" in caplog.text
    state = failure.value.output.state
    entry = state.get("bookmarks", {}).get(stream, {})
    assert entry.get("replication_key_value") is None


def _is_full(body: Body) -> bool:
    return len(body["data"]) >= 100


@pytest.mark.parametrize("stream", ["tags", "tickets", "events", "voice_calls"])
def test_a_partial_page_needs_no_information_about_the_next(stream: str) -> None:
    """Unpaged lists and some observed answers have no such field."""
    shop = Shop(tickets=20, events=20, voice_calls=20)
    with Sandbox(shop) as sandbox:
        whole = run(sandbox.config, stream).ids(stream)
        cut = Fault.rewrite(without_meta)
        sandbox.faults.add(cut, "/api/*", times=9)
        assert run(sandbox.config, stream).ids(stream) == whole


def test_settings_of_the_account_have_no_pages(sandbox: Sandbox) -> None:
    """There is no next page, whatever the number of settings."""

    def many(body: Body) -> Body:
        (first, *_) = body["data"]
        return {"data": [{**first, "id": number} for number in range(150)]}

    sandbox.faults.add(Fault.rewrite(many), "/api/account/settings")
    rows = run(sandbox.config, "account_settings").records("account_settings")
    assert len(rows) == 150


def test_a_null_page_after_a_cursor_is_requested_again(sandbox: Sandbox) -> None:
    """It is a fault, and no missing permission: nothing is read twice."""
    null = Fault.rewrite(lambda body: {**body, "data": None, "meta": None})
    sandbox.faults.add(null, "/api/tickets", after=1)

    output = run(sandbox.config, "tickets")

    assert sorted(output.ids("tickets")) == sorted(sandbox.shop.tickets.ids())
    assert sandbox.count("/api/tickets") == 3 + 1
