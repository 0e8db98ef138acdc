"""What is particular to target-bigquery: its command, its columns, a loss of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlglot import exp, parse_one

from tap_gorgias.tap import TapGorgias
from tests.sandbox import Sandbox, Shop
from tests.support.documents import OPERATORS, blocks
from tests.support.runs import Files
from tests.targets import bigquery
from tests.targets.environments import executable, why_not
from tests.targets.loading import load, settings_of
from tests.targets.processes import piped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    bool(why_not(bigquery.BigQuery.name)), reason=str(why_not(bigquery.BigQuery.name))
)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A small shop."""
    with Sandbox(Shop(tickets=30)) as sandbox:
        yield sandbox


def load_as_a_user(
    target: bigquery.BigQuery, sandbox: Sandbox, *streams: str
) -> tuple[str, str]:
    """Run the command that users run, waits included, and have it succeed.

    Returns:
        What the target wrote, and its log.
    """
    files = Files(target.folder)
    settings = str(files.write("target", settings_of(target)))
    tap = files.arguments(sandbox.config, streams)
    command = [str(executable(target.name)), "--config", settings]
    _, told = piped(tap, command, target.folder, target.variables)
    return told, (target.folder / "log").read_text("utf-8")


def test_the_command_loads(sandbox: Sandbox, tmp_path: Path) -> None:
    """As it is installed: the other tests take its waits away."""
    with bigquery.server(tmp_path) as target:
        _, log = load_as_a_user(target, sandbox, "tags")

        loaded = target.rows("tags")["tags"]

    assert {row["id"] for row in loaded} == set(sandbox.shop.tags.ids())
    assert "Loaded" not in log  # so its absence is no sign of a loss


def test_a_load_job_that_fails_at_the_end_is_dropped(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """With exit code 0, a STATE, and no word in the log.

    So does z3-target-bigquery 0.7.2. When this fails, the target was mended: say so in
    docs/meltano.md and docs/operators.md.
    """
    with bigquery.server(tmp_path, failing="events") as target:
        told, log = load_as_a_user(target, sandbox, "events")

        loaded = target.rows("events")["events"]
        [counts] = target.ask(blocks("sql", OPERATORS)[0])

    assert loaded == []
    assert counts == [{"name": "events", "row_count": 0}]
    assert len(sandbox.shop.events) > 10
    assert "replication_key_value" in told
    assert "This load job was to fail." in (tmp_path / "emulator.log").read_text(
        "utf-8"
    )
    assert "BadRequest" not in log
    assert "Loaded" not in log


def test_row_counts_are_those_of_the_shop(sandbox: Sandbox, tmp_path: Path) -> None:
    """The query for operators finds each table, and what a summary of the tap tells."""
    streams = ("events", "tags", "tickets")
    with bigquery.server(tmp_path) as target:
        load(target, sandbox.config, tmp_path, streams=streams)

        [counts] = target.ask(blocks("sql", OPERATORS)[0])

    assert {row["name"]: row["row_count"] for row in counts} == {
        stream: len(getattr(sandbox.shop, stream)) for stream in streams
    }
    log = (tmp_path / "log").read_text("utf-8")
    for row in counts:
        assert f"Summary of {row['name']}: {row['row_count']} rows" in log


def test_the_other_query_for_operators_is_sql_of_bigquery() -> None:
    """The emulator has no INFORMATION_SCHEMA.JOBS to run it on."""
    [_, failed_jobs] = blocks("sql", OPERATORS)

    [table] = parse_one(failed_jobs, dialect="bigquery").find_all(exp.Table)

    assert "INFORMATION_SCHEMA.JOBS" in table.sql(dialect="bigquery")


def test_columns_have_the_types_that_the_page_for_analysts_says(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """Date-times, objects and lists; their descriptions are not passed on."""
    with bigquery.server(tmp_path) as target:
        load(target, sandbox.config, tmp_path, streams=["tickets"])

        columns = target.columns("tickets")

    kinds = {name: (one["type"].upper(), one["mode"]) for name, one in columns.items()}
    schema = TapGorgias(validate_config=False).streams["tickets"].schema["properties"]
    timestamps = {name for name, one in schema.items() if one.get("format")}
    assert len(timestamps) > 5
    assert {kinds[name] for name in timestamps} == {("TIMESTAMP", "NULLABLE")}
    assert kinds["id"] == ("INTEGER", "NULLABLE")
    assert kinds["customer"] == ("RECORD", "NULLABLE")
    assert kinds["custom_fields"] == ("JSON", "NULLABLE")
    assert kinds["tags"] == ("RECORD", "REPEATED")
    assert not any(one.get("description") for one in columns.values())
