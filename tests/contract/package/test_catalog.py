"""The catalog changes only on purpose.

The output of `tap-gorgias --discover` is compared with a file for each stream in
`catalog/`. After an intended change, update the files and review the difference:

    UPDATE_SNAPSHOTS=1 python -m pytest -n0 tests/contract/package/test_catalog.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tap_gorgias.streams import STREAMS

SNAPSHOTS = Path(__file__).parent / "catalog"
UPDATE = os.environ.get("UPDATE_SNAPSHOTS") == "1"
NAMES = sorted(stream.name for stream in STREAMS)

INCREMENTAL = {
    "customer_details": "updated_datetime",
    "customers": "updated_datetime",
    "deletions": "created_datetime",
    "events": "created_datetime",
    "jobs": "created_datetime",
    "messages": "created_datetime",
    "satisfaction_surveys": "created_datetime",
    "ticket_details": "updated_datetime",
    "ticket_messages": "created_datetime",
    "tickets": "updated_datetime",
    "voice_call_events": "created_datetime",
    "voice_call_recordings": "created_datetime",
    "voice_calls": "created_datetime",
}
DESELECTED = {"customer_details", "messages", "ticket_details", "view_items"}
DESELECTED_PROPERTIES = {
    "rules": ["code_ast"],
    "ticket_details": ["messages"],
    "views": ["filters_ast"],
}
KEYS = {"account": ["domain"], "view_items": ["view_id", "id"]}


@cache
def discovered() -> dict[str, dict[str, Any]]:
    """Run the installed command once and return the entry of each stream."""
    run = subprocess.run(
        [sys.executable, "-m", "tap_gorgias", "--discover"],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    return {
        entry["tap_stream_id"]: entry for entry in json.loads(run.stdout)["streams"]
    }


def pretty(entry: dict[str, Any]) -> str:
    """Format an entry so that differences are readable."""
    ordered = {**entry, "metadata": sorted(entry["metadata"], key=_breadcrumb)}
    return json.dumps(ordered, indent=2, sort_keys=True) + "\n"


def _breadcrumb(metadata: dict[str, Any]) -> list[str]:
    breadcrumb: list[str] = metadata["breadcrumb"]
    return breadcrumb


def root_of(name: str) -> dict[str, Any]:
    """Return the metadata of the stream itself."""
    entries = discovered()[name]["metadata"]
    root: dict[str, Any] = next(
        one["metadata"] for one in entries if not one["breadcrumb"]
    )
    return root


@pytest.mark.parametrize("name", NAMES)
def test_the_catalog_entry_is_as_reviewed(name: str) -> None:
    """A column that changes or disappears breaks somebody's warehouse."""
    file = SNAPSHOTS / f"{name}.json"
    found = pretty(discovered()[name])
    if UPDATE:
        file.write_text(found, "utf-8")
    assert file.exists(), f"{file.name} is missing; see the top of this module."
    assert found == file.read_text("utf-8")


def test_every_snapshot_has_a_stream() -> None:
    """A file without a stream shows that one was removed or renamed."""
    files = {file.stem for file in SNAPSHOTS.iterdir()}
    if UPDATE:
        for name in files - discovered().keys():
            (SNAPSHOTS / f"{name}.json").unlink()
        return
    assert files == discovered().keys()


def test_discovery_finds_every_stream_without_settings() -> None:
    """Discovery needs no account."""
    assert sorted(discovered()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_streams_with_redundant_or_expensive_rows_are_deselected(name: str) -> None:
    """They cost a request for each row, or repeat the rows of another stream."""
    assert root_of(name).get("selected-by-default", True) is (name not in DESELECTED)


@pytest.mark.parametrize("name", NAMES)
def test_a_property_is_selected_unless_it_is_huge(name: str) -> None:
    """Large trees and embedded messages are deselected by default."""
    deselected = [
        entry["breadcrumb"][-1]
        for entry in discovered()[name]["metadata"]
        if entry["breadcrumb"]
        and entry["metadata"].get("selected-by-default", True) is False
    ]
    assert deselected == DESELECTED_PROPERTIES.get(name, [])


@pytest.mark.parametrize("name", NAMES)
def test_replication_is_as_documented(name: str) -> None:
    """A stream with a replication key is incremental; others are full-table."""
    entry = discovered()[name]
    method = "INCREMENTAL" if name in INCREMENTAL else "FULL_TABLE"
    assert entry["replication_method"] == method
    assert entry.get("replication_key") == INCREMENTAL.get(name)


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_identified_as_documented(name: str) -> None:
    """The key is the id, except for the account and the items of views."""
    key = KEYS.get(name, ["id"])
    assert discovered()[name]["key_properties"] == key
    assert root_of(name)["table-key-properties"] == key
