"""The catalog changes only on purpose, and no column ever changes its type.

The columns of `tap-gorgias --discover`, at any depth, are compared with `columns.csv`.
After a column was added, update the file and review the difference:

    UPDATE_SNAPSHOTS=1 python -m pytest -n0 tests/contract/package/test_catalog.py
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tap_gorgias.streams import STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS = Path(__file__).parent / "columns.csv"
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


class Column(NamedTuple):
    """A column, or a value inside one, as in a line of `columns.csv`."""

    stream: str
    column: str
    type: str
    format: str
    selected: str
    bounds: str

    @property
    def stored_as(self) -> tuple[str, ...]:
        """What the type in a warehouse follows from."""
        return self.type, self.format, self.bounds


Columns = dict[tuple[str, str], Column]


def known_columns() -> Columns:
    """Read `columns.csv`."""
    with COLUMNS.open(encoding="utf-8", newline="") as file:
        rows = [Column(*row) for row in csv.reader(file)][1:]
    return {(row.stream, row.column): row for row in rows}


def found_columns() -> Columns:
    """Return the columns of the catalog."""
    rows = [row for entry in discovered().values() for row in _columns_of(entry)]
    return {(row.stream, row.column): row for row in rows}


def _columns_of(entry: dict[str, Any]) -> Iterator[Column]:
    chosen = {tuple(one["breadcrumb"]): one["metadata"] for one in entry["metadata"]}

    def walk(schema: dict[str, Any], path: str) -> Iterator[Column]:
        if path:
            kinds = [schema["type"]] if isinstance(schema["type"], str) else None
            metadata = chosen.get(("properties", path), {})
            yield Column(
                entry["tap_stream_id"],
                path,
                " or ".join(kinds or schema["type"]),
                schema.get("format", ""),
                _selection(metadata),
                _bounds(schema),
            )
        for name, inner in schema.get("properties", {}).items():
            yield from walk(inner, f"{path}.{name}" if path else name)
        if "items" in schema:
            yield from walk(schema["items"], f"{path}[]")

    yield from walk(entry["schema"], "")


def _selection(metadata: dict[str, Any]) -> str:
    if metadata.get("inclusion") == "automatic":
        return "always"
    by_default = metadata.get("selected-by-default", True)
    return ("by default" if by_default else "on request") if metadata else ""


def _bounds(schema: dict[str, Any]) -> str:
    if "maxLength" in schema:
        return f"{schema['maxLength']} characters"
    bounds = schema.get("minimum"), schema.get("maximum")
    if bounds == (-(2**63), 2**63 - 1):
        return "64 bits"
    return "" if bounds == (None, None) else f"{bounds[0]} to {bounds[1]}"


def root_of(name: str) -> dict[str, Any]:
    """Return the metadata of the stream itself."""
    entries = discovered()[name]["metadata"]
    root: dict[str, Any] = next(
        one["metadata"] for one in entries if not one["breadcrumb"]
    )
    return root


def changed_columns(known: Columns, found: Columns) -> list[tuple[str, str]]:
    """Return the columns that a warehouse would have to store in another way."""
    both = known.keys() & found.keys()
    return [key for key in both if known[key].stored_as != found[key].stored_as]


def test_no_column_ever_changes_its_type() -> None:
    """Targets rename the column of a table then, and its old values are lost.

    Never edit a type in the file. Add a column under another name.
    """
    assert changed_columns(known_columns(), found_columns()) == []


def test_the_columns_are_as_reviewed() -> None:
    """A column that disappears breaks somebody's warehouse."""
    found = found_columns()
    if UPDATE and not changed_columns(known_columns(), found):
        with COLUMNS.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerows([Column._fields, *found.values()])
    assert list(known_columns().values()) == list(found.values())


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
