"""Streams with a request per parent: details, items, rate, size of STATE and log."""

from __future__ import annotations

import gzip
import json
import subprocess
import time
from collections import Counter
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tap_gorgias.stream_types.children import ChildStream
from tests.sandbox import Fault, Sandbox, Shop
from tests.support.fake_clock import FakeClock
from tests.support.runs import Files, Output, batches_of, catalog_of, run, run_command


@pytest.fixture
def shop() -> Shop:
    """A shop with several pages of tickets and messages."""
    return Shop(seed=21, tickets=320, customers=40)


def test_details_are_read_for_each_changed_parent(sandbox: Sandbox) -> None:
    """A request for each ticket and customer returns the fields that lists omit."""
    streams = ("ticket_details", "customer_details")
    first = run(sandbox.config, *streams)
    sandbox.shop.advance(3600)
    changed = sandbox.shop.customers.ids()[4]
    sandbox.shop.customers.update(changed)
    second = run(sandbox.config, *streams, state=first.state)

    assert set(first.ids("ticket_details")) == set(sandbox.shop.tickets.ids())
    assert set(first.ids("customer_details")) == set(sandbox.shop.customers.ids())
    assert changed in second.ids("customer_details")
    assert len(second.ids("customer_details")) <= 2
    assert first.records("ticket_details")[0]["reply_options"]
    assert first.records("customer_details")[0]["channels"]


def test_messages_within_ticket_details_can_be_selected(sandbox: Sandbox) -> None:
    """They are deselected by default because `ticket_messages` has them."""
    catalog = catalog_of("ticket_details")
    for entry in catalog["streams"]:
        for metadata in entry["metadata"]:
            if metadata["breadcrumb"] == ["properties", "messages"]:
                metadata["metadata"]["selected"] = True

    without = run(sandbox.config, "ticket_details")
    chosen = run(sandbox.config, catalog=catalog)

    assert "messages" not in without.records("ticket_details")[0]
    assert any(row["messages"] for row in chosen.records("ticket_details"))


def test_items_of_views_are_read_page_by_page(sandbox: Sandbox) -> None:
    """Requests have the parameters that prevent an endless loop in the API."""
    output = run(sandbox.config, "views", "view_items")

    items = output.records("view_items")
    types = {view["id"]: view["type"] for view in output.records("views")}
    assert {item["item_type"] for item in items} == {"ticket", "customer"}
    for item in items:
        assert types[item["view_id"]] == f"{item['item_type']}-list"
    every = next(v["id"] for v in output.records("views") if v["name"] == "All tickets")
    assert {i["id"] for i in items if i["view_id"] == every} == set(
        sandbox.shop.tickets.ids()
    )
    assert len({(i["view_id"], i["id"]) for i in items}) == len(items)
    followed = [r for r in sandbox.requests if "cursor" in r.query]
    assert followed
    assert {frozenset(r.query) for r in followed} == {
        frozenset({"cursor", "direction", "ignored_item", "limit"})
    }


def test_state_and_log_do_not_grow_with_the_number_of_parents(tmp_path: Path) -> None:
    """SCHEMA is written once, STATE is small, and the log is short."""
    shop = Shop(seed=4, tickets=400, messages_per_ticket=1)
    with Sandbox(shop) as sandbox:
        command = Files(tmp_path).arguments(sandbox.config, ["ticket_details"])
        result = run_command(command)

    output = Output.parse(result.stdout)
    assert result.returncode == 0
    assert len(output.records("ticket_details")) == 400
    assert len([m for m in output.messages if m["type"] == "SCHEMA"]) == 1
    assert max(len(json.dumps(state)) for state in output.states) < 1024
    assert len(output.states) <= 400 / ChildStream.contexts_per_state + 4 + 2
    assert len(result.stderr.splitlines()) < 60


def test_latency_does_not_limit_requests_for_parents() -> None:
    """Several requests are in flight while earlier answers are processed."""
    shop = Shop(seed=6, tickets=90, messages_per_ticket=1)
    # In real time at a sixteenth of the latency, with the burst of a larger account.
    with Sandbox(shop, latency=0.8 / 16) as sandbox:
        began = time.perf_counter()
        output = run(sandbox.config, "ticket_details", clock=FakeClock())
        seconds = time.perf_counter() - began

        assert len(output.records("ticket_details")) == 90
        assert seconds < 91 * (0.8 / 16) / 2


def test_a_signal_ends_a_run_that_waits_for_answers(tmp_path: Path) -> None:
    """Requests in flight are abandoned."""
    with Sandbox(Shop(seed=6, tickets=30)) as sandbox:
        sandbox.faults.add(Fault.hang(), "/api/tickets/*", after=5, times=20)
        command = Files(tmp_path).arguments(sandbox.config, ["ticket_details"])
        process = subprocess.Popen(  # noqa: S603 (our own command)
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        while sandbox.count("/api/tickets/", status=200) < 5:
            assert process.poll() is None
        began = time.perf_counter()
        process.terminate()
        _, log = process.communicate(timeout=50)

    assert process.returncode == 143
    assert time.perf_counter() - began < 10
    assert "Traceback" not in log


def test_no_state_precedes_the_batches_of_its_stream(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """Streams are read in parallel, and each STATE contains all of them."""
    config = {**sandbox.config, "batch_config": batches_of(50, tmp_path)}
    streams = ["tickets", "ticket_details", "ticket_messages", "customers"]

    result = run_command(Files(tmp_path).arguments(config, streams))

    output = Output.parse(result.stdout)
    rows: Counter[str] = Counter()
    for message in output.messages:
        if message["type"] == "BATCH":
            for file in message["manifest"]:
                lines = gzip.decompress(Path(unquote(urlsplit(file).path)).read_bytes())
                rows[message["stream"]] += lines.count(b"\n")
        for stream, entry in message.get("value", {}).get("bookmarks", {}).items():
            if entry["replication_key_value"] is not None:
                assert rows[stream] == len(getattr(sandbox.shop, OF_SHOP[stream]))
    assert result.returncode == 0
    assert output.state["bookmarks"].keys() == set(streams)
    batches = [one for one in output.messages if one["type"] == "BATCH"]
    assert len(batches) <= sum(-(-count // 50) for count in rows.values())


OF_SHOP = {
    "tickets": "tickets",
    "ticket_details": "tickets",
    "ticket_messages": "messages",
    "customers": "customers",
}
