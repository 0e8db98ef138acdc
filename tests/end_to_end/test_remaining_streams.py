"""Settings, phone and deletions of an account are read completely."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, Literal

import pytest

from tap_gorgias import timestamps
from tap_gorgias.streams import STREAMS
from tests.sandbox import PLANTED_SECRETS, Fault, Sandbox, Shop
from tests.sandbox.rows.account import settings
from tests.sandbox.rows.secrets import OAUTH2
from tests.support.runs import Output, PartialRun, catalog_of, run

SMALL = ("custom_fields", "integrations", "jobs", "macros", "rules", "widgets")
PHONE = ("voice_call_events", "voice_call_recordings", "voice_calls")
EVENTS = "voice_call_events"
LARGE = {"rules": "code_ast", "views": "filters_ast"}
MASKED = {
    "account_settings": "data",
    "integrations": "http",
    "jobs": "params",
    "macros": "actions",
    "rules": "code",
    "widgets": "template",
}

SECRETS = set(PLANTED_SECRETS)


@pytest.fixture
def shop() -> Shop:
    """A shop in which the phone's lists take several pages."""
    return Shop(seed=7, tickets=60, customers=30, voice_calls=230)


def rows_of(sandbox: Sandbox, stream: str) -> dict[int, dict[str, Any]]:
    """Return the shop's rows by id."""
    if stream == "account_settings":
        return {row["id"]: row for row in settings()}
    return {row["id"]: row for row in getattr(sandbox.shop, stream).rows()}


def leaked(text: str) -> set[str]:
    """Return the secrets that a text contains."""
    return {secret for secret in SECRETS if secret in text}


def selecting(stream: str, name: str) -> dict[str, Any]:
    """Return a catalog that also selects a property that is deselected by default."""
    catalog = catalog_of(stream)
    for entry in catalog["streams"]:
        for metadata in entry["metadata"]:
            if metadata["breadcrumb"] == ["properties", name]:
                metadata["metadata"]["selected"] = True
    return catalog


@pytest.mark.parametrize("stream", ["account_settings", *SMALL, *PHONE])
def test_every_row_is_emitted_once_and_completely(
    sandbox: Sandbox, stream: str
) -> None:
    """Only the format of date-times and secrets change."""
    rows = rows_of(sandbox, stream)
    output = run(sandbox.config, stream)

    assert sorted(output.ids(stream)) == sorted(rows)
    for record in output.records(stream):
        row = rows[record["id"]]
        row.pop(LARGE.get(stream, ""), None)
        absent = record.keys() - row.keys()
        assert {record.pop(name) for name in absent} <= {None}
        assert _comparable(stream, record) == _comparable(stream, row)


def _comparable(stream: str, row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {} if value == "{}" else value
        for name, value in row.items()
        if name != MASKED.get(stream) and "datetime" not in f"{name} {value}"
    }


@pytest.mark.parametrize("archived", ["documented", "recorded"])
def test_custom_fields_are_read_for_each_object_type(
    archived: Literal["documented", "recorded"],
) -> None:
    """Archived fields are included, as observed but not as documented."""
    with Sandbox(Shop(custom_fields_archived=archived)) as sandbox:
        fields = run(sandbox.config, "custom_fields").records("custom_fields")

        rows = [
            row
            for row in sandbox.shop.custom_fields.rows()
            if archived == "recorded" or row["deactivated_datetime"] is None
        ]
        assert sorted(f["id"] for f in fields) == [row["id"] for row in rows]
        assert [one.query["object_type"] for one in sandbox.requests] == [
            ["Ticket"],
            ["Customer"],
        ]
        assert not any("archived" in one.query for one in sandbox.requests)
    kinds = {(f["object_type"], bool(f["deactivated_datetime"])) for f in fields}
    assert len(kinds) == (4 if archived == "recorded" else 2)


@pytest.mark.parametrize("stream", ["integrations", "widgets"])
def test_an_unobserved_order_is_not_requested(sandbox: Sandbox, stream: str) -> None:
    """Pages follow one another by cursor in any order."""
    collection = getattr(sandbox.shop, stream)
    while len(collection) < 230:
        collection.create()

    ids = run(sandbox.config, stream).ids(stream)

    assert sorted(ids) == collection.ids()
    assert {frozenset(one.query) for one in sandbox.requests} == {
        frozenset({"limit"}),
        frozenset({"limit", "cursor"}),
    }


def test_archived_and_unedited_macros_are_emitted(sandbox: Sandbox) -> None:
    """They are sorted by a date that every macro has."""
    macros = run(sandbox.config, "macros").records("macros")

    dates = ("archived_datetime", "updated_datetime")
    kinds = {tuple(macro[date] is None for date in dates) for macro in macros}
    assert len(kinds) == 4
    orders = {request.query["order_by"][0] for request in sandbox.requests}
    assert orders == {"created_datetime:asc"}


@pytest.mark.parametrize("stream", LARGE)
def test_large_trees_are_emitted_if_selected(sandbox: Sandbox, stream: str) -> None:
    """By default only their sources, code and filters, are selected."""
    tree = LARGE[stream]

    default = run(sandbox.config, stream)
    selected = run(sandbox.config, catalog=selecting(stream, tree))

    assert tree not in default.schemas[stream]["schema"]["properties"]
    assert {record["id"]: record[tree] for record in selected.records(stream)} == {
        row["id"]: row[tree] for row in rows_of(sandbox, stream).values()
    }


@pytest.mark.parametrize(
    ("stream", "setting", "days"),
    [
        ("jobs", {}, 2),
        ("satisfaction_surveys", {}, 30),
        ("satisfaction_surveys", {"survey_lookback_days": 40}, 40),
        ("messages", {}, 2),
        ("messages", {"message_lookback_days": 90}, 90),
        ("voice_calls", {}, 2),
        ("voice_calls", {"voice_lookback_days": 40}, 40),
        ("voice_calls", {"voice_lookback_days": 0}, 0),
        ("voice_call_recordings", {"voice_lookback_days": 10}, 10),
    ],
)
def test_recent_rows_are_read_again(
    sandbox: Sandbox, stream: str, setting: dict[str, int], days: int
) -> None:
    """They may change without a date that a list could be sorted by."""
    config = {**sandbox.config, **setting}
    first = run(config, stream)
    newest = timestamps.parse(first.bookmark(stream)["replication_key_value"])
    floor = newest - max(timedelta(days=days), timedelta(minutes=5))
    collection = getattr(sandbox.shop, stream)
    for row_id, seconds in zip(collection.ids(), (1, -1), strict=False):
        timestamp = floor + timedelta(seconds=seconds)
        collection.update(row_id, created_datetime=timestamp.isoformat())

    second = run(config, stream, state=first.state)

    assert set(second.ids(stream)) == {
        row["id"]
        for row in rows_of(sandbox, stream).values()
        if timestamps.parse(row["created_datetime"]) >= floor
    }


def test_the_phone_may_answer_bare_arrays() -> None:
    """This is what the documentation shows."""
    with Sandbox(Shop(voice_calls=20), phone="arrays") as sandbox:
        output = run(sandbox.config, *PHONE)
        again = run(sandbox.config, *PHONE, state=output.state)

        for stream in PHONE:
            assert sorted(output.ids(stream)) == sorted(rows_of(sandbox, stream))
    assert again.state == output.state


@pytest.mark.parametrize("phone", [403, None], ids=["403", "404"])
def test_a_merchant_without_phone_gets_a_warning(
    sandbox: Sandbox, phone: Literal[403] | None, caplog: pytest.LogCaptureFixture
) -> None:
    """The run continues."""
    sandbox.phone = phone

    output = run(sandbox.config, *PHONE, "widgets")

    for stream in PHONE:
        assert output.records(stream) == []
        assert output.bookmark(stream)["replication_key_value"] is None
        assert caplog.text.count(f"{stream}: No rows, answered ") == 1
    assert "no phone" in caplog.text
    assert len(output.records("widgets")) == len(sandbox.shop.widgets)


@pytest.mark.parametrize("phone", [403, None], ids=["403", "404"])
def test_a_phone_that_was_read_before_cannot_be_absent(
    sandbox: Sandbox, phone: Literal[403] | None
) -> None:
    """Its streams fail, the others are read, and STATE is kept."""
    state = run(sandbox.config, *PHONE).state
    sandbox.phone = phone

    with pytest.raises(PartialRun) as failed:
        run(sandbox.config, *PHONE, "widgets", state=state)

    output = failed.value.output
    assert len(output.records("widgets")) == len(sandbox.shop.widgets)
    for stream in PHONE:
        assert output.records(stream) == []
        assert output.bookmark(stream) == state["bookmarks"][stream]


@pytest.mark.parametrize("stream", PHONE)
@pytest.mark.parametrize(("status", "after"), [(400, 0), (401, 0), (404, 1)])
def test_other_failures_of_the_phone_end_the_run(
    sandbox: Sandbox, stream: str, status: int, after: int
) -> None:
    """A phone that was available cannot be absent later in the run."""
    sandbox.faults.add(Fault.error(status), "/api/phone/*", after=after, times=99)

    with pytest.raises(PartialRun):
        run(sandbox.config, stream)


def test_call_events_resume_from_the_last_page(sandbox: Sandbox) -> None:
    """An idle run costs one request, and new events follow that page."""
    first = run(sandbox.config, EVENTS)
    sandbox.reset_counters()
    idle = run(sandbox.config, EVENTS, state=first.state)
    cost = sandbox.count()
    shop = sandbox.shop
    new = [shop.voice_call_events.create(call_id=n) for n in shop.voice_calls.ids()]

    later = run(sandbox.config, EVENTS, state=idle.state)

    assert cost == 1
    assert idle.state == first.state
    assert set(new) <= set(later.ids(EVENTS))
    assert len(later.ids(EVENTS)) < len(new) + 100
    assert {name for r in sandbox.requests for name in r.query} == {"limit", "cursor"}


def test_call_events_survive_any_interruption(sandbox: Sandbox) -> None:
    """Whichever STATE a target has committed, the next run misses nothing."""
    sandbox.faults.add(Fault.error(403), "/api/phone/*", after=6)
    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, EVENTS)
    dead = failure.value.output
    every = set(sandbox.shop.voice_call_events.ids())

    assert len(dead.states) == 1 + 6 + 1  # the last page is read again
    for index, message in enumerate(dead.messages):
        if message["type"] == "STATE":
            before = Output(dead.messages[:index]).ids(EVENTS)
            sandbox.reset_counters()
            again = run(sandbox.config, EVENTS, state=message["value"]).ids(EVENTS)
            assert {*before, *again} == every
            read_twice = 100 if before else 0
            assert len(before) + len(again) == len(every) + read_twice
            assert sandbox.count() == len(again) // 100 + 1


@pytest.mark.parametrize("cursor", ["expired", 7, "", ["c"]])
def test_call_events_are_read_from_the_start_if_the_cursor_is_invalid(
    sandbox: Sandbox, cursor: object, caplog: pytest.LogCaptureFixture
) -> None:
    """A refused cursor costs one more request; each case logs a warning."""
    state = run(sandbox.config, EVENTS).state
    caplog.clear()
    if cursor == "expired":
        sandbox.expire_cursors()
    else:
        state["bookmarks"][EVENTS]["cursor"] = cursor

    again = run(sandbox.config, EVENTS, state=state)

    assert sorted(again.ids(EVENTS)) == sandbox.shop.voice_call_events.ids()
    assert caplog.text.count("It starts again from the oldest row.") == 1


def test_call_events_before_the_start_date_are_not_emitted(sandbox: Sandbox) -> None:
    """They have to be read, but are never emitted."""
    start = "2026-10-01T00:00:00"
    rows = sandbox.shop.voice_call_events.rows()
    expected = [row["id"] for row in rows if row["created_datetime"] >= start]

    first = run({**sandbox.config, "start_date": start}, EVENTS)
    sandbox.expire_cursors()
    again = run({**sandbox.config, "start_date": start}, EVENTS, state=first.state)
    assert first.ids(EVENTS) == again.ids(EVENTS) == expected


def test_no_secret_leaves_the_tap(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither records nor STATE nor the log contain one."""
    output = run(sandbox.config, *(stream.name for stream in STREAMS))

    assert leaked(json.dumps(output.messages) + caplog.text) == set()
    assert {stream.name for stream in STREAMS} == set(output.schemas)
    for stream in ("account", *MASKED, "messages", "ticket_messages"):
        assert "***" in json.dumps(output.records(stream))


def test_ids_and_harmless_values_are_not_masked(sandbox: Sandbox) -> None:
    """They show which app a broken integration belongs to."""
    output = run(sandbox.config, "account", "account_settings", "integrations")
    webhooks = [r["http"] for r in output.records("integrations") if r["http"]]
    data = {row["type"]: row["data"] for row in output.records("account_settings")}
    (whole,) = output.records("account")

    assert {w["url"] for w in webhooks} == {
        "https://hooks.example.com/tickets",
        "https://hooks.example.com/services/***",
    }
    assert {"ticket": "{{ticket.id}}", "token": "***"} in [w["form"] for w in webhooks]
    (app,) = [webhook["oauth2"] for webhook in webhooks if webhook["oauth2"]]
    assert app == dict.fromkeys(OAUTH2, "***") | {"client_id": OAUTH2["client_id"]}
    provider = data["access"]["custom_sso_providers"]["8f14e45f"]
    assert provider["client_id"] == "sso-client"
    assert provider["metadata_url"].startswith("https://login.example.com/")
    assert data["connections"]["warehouse"] == {"user": "reader", "password": "***"}
    assert data["default-integration"] == {"email": 126_654}
    assert {row["type"]: row["data"] for row in whole["settings"]} == data


def test_secrets_in_json_text_are_masked(sandbox: Sandbox) -> None:
    """The text is parsed after its secrets have been masked."""

    def as_texts(body: dict[str, Any]) -> dict[str, Any]:
        rows = [{**row, "http": json.dumps(row["http"])} for row in body["data"]]
        return {**body, "data": rows}

    sandbox.faults.add(Fault.rewrite(as_texts), "/api/integrations")

    records = run(sandbox.config, "integrations").records("integrations")

    assert leaked(json.dumps(records)) == set()
    assert any((r["http"] or {}).get("method") == "POST" for r in records)


def test_an_idle_run_of_the_default_selection_is_cheap() -> None:
    """With a medium shop it takes at most 45 requests."""
    shop = Shop(seed=9, users=137, tags=205, voice_calls=300)
    for collection, size in ((shop.macros, 120), (shop.integrations, 109)):
        while len(collection) < size:
            collection.create()
    with Sandbox(shop) as sandbox:
        state = run(sandbox.config).state
        sandbox.reset_counters()
        run(sandbox.config, state=state)
        assert sandbox.count() <= 45
