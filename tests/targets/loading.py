"""Targets that can be loaded and asked for what they hold."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from tap_gorgias.compat import override
from tests.runs import Files, catalog_of, everything
from tests.targets import bigquery, postgresql, snowflake
from tests.targets.environments import executable, project, why_not
from tests.targets.processes import piped
from tests.targets.target import Row, Target

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from contextlib import ExitStack
    from pathlib import Path

    from tests.runs import Output

_ASK_DUCKDB = """
import duckdb, sys
database = duckdb.connect(sys.argv[1], read_only=True)
for (line,) in database.execute(sys.argv[2]).fetchall():
    print(line)
"""


@dataclass(frozen=True)
class JsonLines(Target):
    """A file for each stream, which grows."""

    name: ClassVar[str] = "target-jsonl"
    appends: ClassVar[bool] = True
    folder: Path

    @property
    @override
    def settings(self) -> Mapping[str, Any]:
        """Where the files go."""
        return {"destination_path": str(self.folder)}

    @override
    def rows(self, *streams: str) -> dict[str, list[Row]]:
        """Return every version of every row, in the order of their arrival."""
        found = {}
        for stream in streams:
            text = (self.folder / f"{stream}.jsonl").read_text("utf-8")
            found[stream] = [json.loads(line) for line in text.split("\n")[:-1]]
        return found


@dataclass(frozen=True)
class DuckDB(Target):
    """A database in a file."""

    name: ClassVar[str] = "target-duckdb"
    folder: Path

    @property
    @override
    def settings(self) -> Mapping[str, Any]:
        """Where the file is."""
        return {"path": str(self.folder / "helpdesk.duckdb")}

    def ask(self, query: str) -> list[str]:
        """Return the one column that a query answers."""
        python = executable(self.name, "python")
        command = [python, "-c", _ASK_DUCKDB, self.settings["path"], query]
        told = subprocess.run(  # noqa: S603
            command, capture_output=True, check=True, encoding="utf-8"
        )
        return told.stdout.split("\n")[:-1]

    @override
    def rows(self, *streams: str) -> dict[str, list[Row]]:
        """Return the rows of the tables."""
        return _parted(streams, self.ask(_all_rows(streams, "to_json(row)")))


@dataclass(frozen=True)
class PostgreSQL(Target):
    """A database on a server."""

    name: ClassVar[str] = "target-postgres"
    host: str

    @property
    @override
    def settings(self) -> Mapping[str, Any]:
        """How to reach the server."""
        user = postgresql.NAME
        url = f"postgresql+psycopg://{user}@/{user}?host={self.host}"
        return {"sqlalchemy_url": url}

    def ask(self, query: str) -> list[str]:
        """Return the one column that a query answers."""
        return postgresql.lines(self.host, query)

    @override
    def rows(self, *streams: str) -> dict[str, list[Row]]:
        """Return the rows of the tables."""
        return _parted(streams, self.ask(_all_rows(streams, "row_to_json(row)")))


def _all_rows(streams: Iterable[str], as_json: str) -> str:
    """Ask for each row as JSON, behind the name of its stream and a tab."""
    return " UNION ALL ".join(
        f"SELECT '{name}' || chr(9) || {as_json} FROM gorgias.{name} AS row"  # noqa: S608
        for name in streams
    )


def _parted(streams: Iterable[str], lines: Iterable[str]) -> dict[str, list[Row]]:
    """Read the answer to that."""
    found: dict[str, list[Row]] = {stream: [] for stream in streams}
    for line in lines:
        stream, _, row = line.partition("\t")
        found[stream].append(json.loads(row))
    return found


def target_of(name: str, folder: Path, ends: ExitStack) -> Target:
    """Prepare an empty target, or skip the test if no Python fits it."""
    if reason := why_not(name):
        pytest.skip(reason)
    if name == "target-jsonl":
        return JsonLines(folder)
    if name == "target-duckdb":
        return DuckDB(folder)
    if name == "target-postgres":
        return PostgreSQL(ends.enter_context(postgresql.server()))
    if name == "target-bigquery":
        return ends.enter_context(bigquery.server(folder))
    return ends.enter_context(snowflake.server(folder))


def settings_of(target: Target) -> dict[str, Any]:
    """Return all settings of a target, those of meltano.yml among them."""
    loaders = {one["name"]: one for one in project()["plugins"]["loaders"]}
    return {**loaders[target.name]["config"], **target.settings}


def load(
    target: Target,
    config: Mapping[str, Any],
    folder: Path,
    state: Mapping[str, Any] | None = None,
    streams: Collection[str] = (),
    target_settings: Mapping[str, Any] | None = None,
) -> Output:
    """Run `tap-gorgias | target`.

    Args:
        target: Where to.
        config: Settings of the tap.
        folder: Where to keep files of this run.
        state: What an earlier load ended with.
        streams: What to select; everything if none is named.
        target_settings: Settings of the target, in place of those in meltano.yml.

    Returns:
        What went through the pipe. Its last STATE is the one that the target wrote,
        unless the target has settings of its own.
    """
    files = Files(folder)
    settings = files.write("target", {**settings_of(target), **(target_settings or {})})
    catalog = catalog_of(*streams) if streams else everything(config)
    output, states = piped(
        files.arguments(config, state=state, catalog=catalog),
        [*target.command, "--config", settings],
        folder,
        target.variables,
    )
    # When the last row fills a batch, target-duckdb leaves out the STATEs behind it, so
    # that the next run reads some rows again. Small batches make that likely.
    if not target_settings:
        assert json.loads(states.splitlines()[-1]) == output.state
    return output
