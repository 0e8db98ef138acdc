"""With several streams in parallel, a refusal affects only its own stream."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, Any

import pytest

from tap_gorgias.errors import TransientApiError
from tests.sandbox import Fault, Sandbox, Shop
from tests.support.logs import errors_of
from tests.support.runs import (
    DEFAULT_STREAMS,
    Files,
    Output,
    PartialRun,
    catalog_of,
    everything,
    latest,
    run,
    run_command,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shop() -> Shop:
    """A small shop."""
    return Shop(seed=3, tickets=150, customers=60)


def counts(output: Output) -> dict[str, int]:
    """Return the number of records of each stream."""
    return {stream: len(output.records(stream)) for stream in output.schemas}


def test_refused_streams_do_not_affect_other_streams(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """The exit code is 1, and a line for each stream suggests a remedy."""
    whole = Output.parse(run_command(Files(tmp_path).arguments(sandbox.config)).stdout)
    sandbox.forbidden = {"account", "satisfaction-surveys"}

    result = run_command(Files(tmp_path).arguments(sandbox.config))

    output = Output.parse(result.stdout)
    refused = {"account", "satisfaction_surveys"}
    assert result.returncode == 1
    assert {name: n for name, n in counts(output).items() if n} == {
        name: n for name, n in counts(whole).items() if name not in refused
    }
    assert output.messages[-1]["type"] == "STATE"
    entry = output.bookmark("satisfaction_surveys")
    assert entry["replication_key_value"] is None
    assert not any(entry["walk"].values())
    *reasons, end = errors_of(result.stderr)
    for name, scope, line in zip(
        ("account", "satisfaction_surveys"),
        ("account:read", "satisfaction_survey:read"),
        sorted(reasons),
        strict=True,
    ):
        assert line.startswith(f"{name}: failed: ")
        assert f"`{scope}`" in line
        assert "deselect" in line
    assert end.startswith(
        f"2 of {len(DEFAULT_STREAMS)} streams were not read completely: account, "
    )
    assert "Traceback" not in result.stderr


def test_a_refusal_is_reported_at_once(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """The report does not wait for the end of a run, which may take hours."""
    sandbox.forbidden = {"tickets"}
    config = {**sandbox.config, "parallel_streams": 1}
    caplog.set_level("DEBUG")
    with pytest.raises(PartialRun):
        run(config, "tickets", "tags", "events")
    messages = [one.getMessage() for one in caplog.records]
    failed = next(i for i, text in enumerate(messages) if ": failed: " in text)
    began = next(i for i, text in enumerate(messages) if "sync of 'events'" in text)
    assert failed < began


def test_a_bug_in_one_stream_affects_only_that_stream(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its text is withheld because it may contain customer data."""

    def fail(_self: object, _row: object, _context: object = None) -> None:
        message = "private words"
        raise ZeroDivisionError(message)

    monkeypatch.setattr("tap_gorgias.streams.tickets.TagsStream.post_process", fail)
    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, "tags", "tickets")

    assert len(failure.value.output.records("tickets")) == 150
    assert "Unexpected ZeroDivisionError" in caplog.text
    assert "private" not in caplog.text


def test_an_outage_ends_a_run_within_about_six_minutes(sandbox: Sandbox) -> None:
    """After one stream has waited for five minutes, each other one tries once.

    The first looks, twice and without waiting, whether a single row can be read.
    """
    sandbox.faults.add(Fault.error(503), "*", times=10**6)
    config = {**sandbox.config, "parallel_streams": 1}
    with pytest.raises(PartialRun) as failure:
        run(config)

    clock = failure.value.output
    assert isinstance(failure.value.__cause__, TransientApiError)
    first, *others = (request.path for request in sandbox.requests)
    assert sandbox.count(first) <= 12 + 2
    again = [path for path in others if path != first]
    assert len(again) == len(DEFAULT_STREAMS) - 1
    assert clock.records("tickets") == []


def test_sequential_streams_have_the_same_order_in_every_run(
    sandbox: Sandbox,
) -> None:
    """Frequently used streams come first, and events last."""
    config = {**sandbox.config, "parallel_streams": 1}
    first, second = (run(config) for _ in range(2))

    def order(output: Output) -> list[tuple[str, str, Any]]:
        return [
            (one["type"], one.get("stream", ""), one.get("record", {}).get("id"))
            for one in output.messages
        ]

    assert order(first) == order(second)
    streams = list(first.schemas)
    assert streams[:4] == [
        "customers",
        "satisfaction_surveys",
        "ticket_messages",
        "tickets",
    ]
    assert streams[-1] == "events"


def test_parallel_streams_emit_the_same_rows_as_sequential_ones(
    sandbox: Sandbox,
) -> None:
    """Rows and STATE are equal, and each SCHEMA precedes its rows."""
    catalog = everything()
    alone = run({**sandbox.config, "parallel_streams": 1}, catalog=catalog)
    for parallel in (2, 6, 8):
        config = {**sandbox.config, "parallel_streams": parallel}
        output = run(config, catalog=catalog)
        assert counts(output) == counts(alone)
        assert output.state == alone.state
        kinds = [(m["type"], m.get("stream")) for m in output.messages]
        for stream in alone.schemas:
            assert kinds.count(("SCHEMA", stream)) == 1
            assert kinds.index(("SCHEMA", stream)) < kinds.index(("RECORD", stream))


def test_rows_of_a_page_stay_together(sandbox: Sandbox) -> None:
    """Targets load faster if streams do not alternate with each row."""
    output = run(sandbox.config, "tickets", "customers", "ticket_messages")
    streams = [m["stream"] for m in output.messages if m["type"] == "RECORD"]
    turns = sum(one != other for one, other in itertools.pairwise(streams))
    pages = 2 + 1 + len(output.records("ticket_messages")) // 100 + 1
    assert turns <= pages


def test_versions_are_activated_after_the_last_row(
    sandbox: Sandbox,
) -> None:
    """A failed stream activates none, so its table is not emptied."""
    config = {**sandbox.config, "emit_activate_version_messages": True}
    sandbox.faults.add(Fault.error(403), "/api/macros", after=1)
    with pytest.raises(PartialRun) as failure:
        run(config, "tags", "macros")

    kinds = [(m["type"], m.get("stream")) for m in failure.value.output.messages]
    last_row = max(i for i, kind in enumerate(kinds) if kind == ("RECORD", "tags"))
    assert kinds.index(("ACTIVATE_VERSION", "tags")) > last_row
    assert ("ACTIVATE_VERSION", "macros") not in kinds


def test_no_state_of_parallel_streams_precedes_its_rows(
    sandbox: Sandbox,
) -> None:
    """Whichever STATE a target has committed, the next run misses nothing."""
    streams = ("tickets", "customers", "ticket_messages", "ticket_details", "events")
    collections = {
        "tickets": sandbox.shop.tickets,
        "customers": sandbox.shop.customers,
        "ticket_messages": sandbox.shop.messages,
        "ticket_details": sandbox.shop.tickets,
        "events": sandbox.shop.events,
    }
    whole = run(sandbox.config, *streams)
    places = [i for i, m in enumerate(whole.messages) if m["type"] == "STATE"]
    for place in random.Random(1).sample(places, 12):  # noqa: S311 (always the same)
        before = Output(whole.messages[:place])
        state = whole.messages[place]["value"]
        after = run(sandbox.config, *streams, state=state)
        for stream, collection in collections.items():
            assert set(latest(stream, before, after)) == set(collection.ids())


def test_a_catalog_without_streams_reads_nothing(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """This is not a failure, but a pattern may select no stream by mistake."""
    output = run(sandbox.config, catalog=catalog_of())
    assert {message["type"] for message in output.messages} == {"STATE"}
    assert output.state["bookmarks"] == {}
    assert sandbox.count() == 0
    assert "No stream is selected, so nothing is read." in caplog.messages
