"""A run writes STATE before anything else, complete, and with nothing new in it."""

from __future__ import annotations

import json

import pytest

from tap_gorgias.replication.bookmarks import NO_WALK
from tap_gorgias.streams import STREAMS
from tap_gorgias.tap import TapGorgias
from tests.sandbox import Fault, Sandbox, Shop
from tests.support.memory import CONFIG
from tests.support.runs import PartialRun, catalog_of, everything, run

INCREMENTAL = {stream.name for stream in STREAMS if stream.replication_key}


@pytest.fixture
def shop() -> Shop:
    """A shop with a few pages of each list."""
    return Shop(seed=4, tickets=230, customers=130)


def test_the_first_message_is_a_state_with_all_selected_incremental_streams(
    sandbox: Sandbox,
) -> None:
    """A refresh that dies at once has voided what older runs left in a merged STATE."""
    output = run(sandbox.config, catalog=everything())

    first = output.messages[0]
    assert first["type"] == "STATE"
    entries = first["value"]["bookmarks"]
    assert entries.keys() == INCREMENTAL
    for entry in entries.values():
        rest = set(map(json.dumps, entry.values())) - {json.dumps(NO_WALK)}
        assert rest == {"null", json.dumps(entry["replication_key"])}


def test_every_state_of_a_run_has_the_same_keys_at_every_depth(
    sandbox: Sandbox,
) -> None:
    """Otherwise a key that is left out would survive in a merged STATE."""
    config = {**sandbox.config, "statistics": ["tickets_created"]}
    output = run(config, catalog=everything(config))

    assert len({json.dumps(_keys_of(state)) for state in output.states}) == 1


def _keys_of(value: object) -> object:
    if not isinstance(value, dict):
        return None
    return {key: _keys_of(value[key]) for key in sorted(value)}


def test_the_first_state_of_a_later_run_holds_nothing_new(sandbox: Sandbox) -> None:
    """Some targets take the first STATE for rows that are already loaded."""
    sandbox.faults.add(Fault.error(400), "/api/*", after=6)
    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, catalog=everything())
    state = failure.value.output.state

    second = run(sandbox.config, catalog=everything(), state=state)

    assert second.states[0] == state


def test_entries_of_other_streams_are_kept_as_they_are(sandbox: Sandbox) -> None:
    """Several jobs may share a STATE, which is merged key by key."""
    state = {"bookmarks": {"events": {"replication_key_value": "2026-10-01"}}}

    output = run(sandbox.config, "customers", state=state)

    for each in output.states:
        assert each["bookmarks"].keys() == {"customers", "events"}
        assert each["bookmarks"]["events"] == state["bookmarks"]["events"]


def test_a_run_of_snapshots_writes_a_state_that_is_not_empty(sandbox: Sandbox) -> None:
    """Some targets fail on an empty one."""
    assert all("bookmarks" in state for state in run(sandbox.config, "tags").states)


def test_a_full_table_read_leaves_the_entry_for_the_next_incremental_run(
    sandbox: Sandbox,
) -> None:
    """All rows are emitted again, so the bookmark is still true."""
    first = run(sandbox.config, "tickets")
    catalog = catalog_of("tickets")
    for entry in catalog["streams"]:
        entry["replication_method"] = "FULL_TABLE"

    output = run(sandbox.config, catalog=catalog, state=first.state)

    assert output.states[0] == output.state == first.state


@pytest.mark.parametrize("stream", STREAMS)
def test_an_entry_has_the_documented_keys(stream: type) -> None:
    """No stream adds a key to the entry that is not always there."""
    tap = TapGorgias(config=dict(CONFIG))
    one = tap.streams[stream.name]  # type: ignore[attr-defined]
    if one.replication_key:
        assert tuple(one.entry_at_start()) == one.state_keys  # type: ignore[attr-defined]
