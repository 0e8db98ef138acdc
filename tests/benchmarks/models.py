"""Measure the models on a large DuckDB: `python -m tests.benchmarks.models`.

Builds a helpdesk without the tap and a target, in tables like theirs, then runs `dbt
build` on empty tables, which shows what dbt itself costs, in full, and after an hour
of changes.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_gorgias.tap import TapGorgias
from tests.sandbox import Shop
from tests.sandbox.rows.account import settings
from tests.targets.dbt import Dbt
from tests.targets.environments import executable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

HOUR = 3_600
STREAMS = (
    "account_settings",
    "customers",
    "custom_fields",
    "deletions",
    "events",
    "satisfaction_surveys",
    "tags",
    "teams",
    "ticket_messages",
    "tickets",
    "users",
    "voice_calls",
)
"""The tables that the models read."""
TYPES = {"integer": "BIGINT", "boolean": "BOOLEAN", "number": "DOUBLE"}
_RUN = """
import duckdb, sys
database = duckdb.connect(sys.argv[1])
for statement in ["SET enable_progress_bar = false", *sys.stdin.read().split(";")]:
    database.execute(statement)
"""


def columns(stream: str) -> dict[str, str]:
    """Return the types of the columns that target-duckdb makes."""
    schema = TapGorgias(validate_config=False).streams[stream].schema
    found = {}
    for name, node in schema["properties"].items():
        kinds = {node["type"]} if isinstance(node["type"], str) else set(node["type"])
        (kind,) = kinds - {"null"}
        json_type = "JSON" if kind in {"object", "array"} else "VARCHAR"
        found[name] = TYPES.get(kind, json_type)
        if node.get("format") == "date-time":
            found[name] = "TIMESTAMP"
    return found


def rows_of(shop: Shop, stream: str) -> Iterable[dict[str, Any]]:
    """Return the rows of a stream."""
    if stream == "account_settings":
        return settings()
    if stream == "deletions":
        return _deletions(shop)
    rows: Iterable[dict[str, Any]] = getattr(
        shop, stream.removeprefix("ticket_")
    ).rows()
    return rows


def _deletions(shop: Shop) -> Iterator[dict[str, Any]]:
    for row in shop.events.rows():
        if row["type"].endswith(("-deleted", "-merged")):
            source = (row["data"] or {}).get("source_customer_id")
            target = row["object_id"] if source else None
            yield {**row, "source_object_id": source, "target_object_id": target}


def load(database: Path, shop: Shop, *, changed_only: bool = False) -> dict[str, int]:
    """Write the rows to the database, as after a run that reads them."""
    counts, statements = {}, ["CREATE SCHEMA IF NOT EXISTS gorgias"]
    mark = shop.now
    for stream in STREAMS:
        types = columns(stream)
        file = database.parent / f"{stream}.jsonl"
        collection = getattr(shop, stream.removeprefix("ticket_"), None)
        rows = (
            collection.stored_rows()
            if changed_only and collection
            else rows_of(shop, stream)
        )
        counts[stream] = 0
        with file.open("w", encoding="utf-8") as output:
            for row in rows:
                held = {name: row.get(name) for name in types}
                output.write(json.dumps({**held, "_sdc_extracted_at": mark}) + "\n")
                counts[stream] += 1
        shape = {**types, "_sdc_extracted_at": "TIMESTAMP"}
        declared = ", ".join(f"{name!r}: {kind!r}" for name, kind in shape.items())
        source = (
            f"read_json('{file}', format='newline_delimited',"
            f" columns={{{declared}}}, maximum_object_size=10000000)"
        )
        if changed_only:
            statements.append(
                f"DELETE FROM gorgias.{stream} WHERE id IN (SELECT id FROM {source})"  # noqa: S608
            )
            statements.append(f"INSERT INTO gorgias.{stream} SELECT * FROM {source}")  # noqa: S608
        else:
            statements.append(f"CREATE TABLE gorgias.{stream} AS FROM {source}")
    _run(database, statements)
    return counts


def create_empty(database: Path) -> None:
    """Create the tables without rows."""
    statements = ["CREATE SCHEMA IF NOT EXISTS gorgias"]
    for stream in STREAMS:
        shape = ", ".join(f'"{name}" {kind}' for name, kind in columns(stream).items())
        statements.append(f"CREATE TABLE IF NOT EXISTS gorgias.{stream} ({shape})")
    _run(database, statements)


def _run(database: Path, statements: Sequence[str]) -> None:
    subprocess.run(  # noqa: S603
        [executable("dbt", "python"), "-c", _RUN, database],
        input=";".join(statements),
        check=True,
        encoding="utf-8",
    )


def change(shop: Shop, tickets: int) -> None:
    """Let an hour pass in which some tickets get messages and some are new."""
    shop.advance(HOUR)
    for number in shop.tickets.ids()[-tickets:]:
        shop.messages.create(number)
    for _ in range(tickets // 4):
        number = shop.tickets.create()
        shop.messages.create(number)


def build(dbt: Dbt, *options: str) -> str:
    """Return how long `dbt build` takes, and how much of the processor."""
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    words = ("build", "--exclude-resource-type", "unit_test", *options)
    subprocess.run(  # noqa: S603
        [executable("dbt"), *dbt.arguments(*words)],
        cwd=dbt.project,
        env={**os.environ, **dbt.settings()},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return f"{time.monotonic() - began:.1f} s, {used:.1f} s of processor time"


def main() -> None:
    """Measure the builds and print their times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="for the database, is kept")
    parser.add_argument("--tickets", type=int, default=100_000)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    size = options.tickets
    shop = Shop(
        tickets=size,
        messages_per_ticket=2.7,
        customers=3 * size,
        events=3 * size,
        satisfaction_surveys=size // 5,
        voice_calls=size // 50,
        users=30,
        tags=100,
        days=730,
    )
    database = options.folder / "helpdesk.duckdb"
    if not database.exists():
        sys.stdout.write(f"{json.dumps(load(database, shop))}\n")
    missing = set(TapGorgias(validate_config=False).streams) - set(STREAMS)
    variables = {"gorgias_streams_not_loaded": sorted(missing)}
    empty = options.folder / "empty.duckdb"
    create_empty(empty)
    dbt = Dbt("duckdb", options.folder / "dbt", {"path": str(empty)}, variables)
    build(dbt)  # the first run parses all files
    sys.stdout.write(f"empty tables: {build(dbt, '--full-refresh')}\n")
    dbt.connection = {"path": str(database)}
    sys.stdout.write(f"full: {build(dbt, '--full-refresh')}\n")
    change(shop, max(size // 1_000, 4))
    load(database, shop, changed_only=True)
    sys.stdout.write(f"an hour later: {build(dbt)}\n")


if __name__ == "__main__":
    main()
