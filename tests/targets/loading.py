"""The targets that can be loaded, and how to query them."""

from __future__ import annotations

import json
import subprocess
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from tap_gorgias.compat import override
from tests.support.runs import Files, catalog_of, everything
from tests.targets import bigquery, postgresql, snowflake
from tests.targets.environments import LOADED, executable, project, reason_to_skip
from tests.targets.processes import run_pipe
from tests.targets.target import Row, Target

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from contextlib import ExitStack
    from pathlib import Path

    from _pytest.mark import ParameterSet

    from tests.support.runs import Output

SCHEMA = "gorgias"
"""The schema or dataset that `load_schema` of tap-gorgias in meltano.yml names."""

EMULATED = ("target-bigquery", "target-snowflake")


def parameters(names: Iterable[str]) -> list[ParameterSet]:
    """Return parameters of tests, of which those with emulators are marked."""
    return [
        pytest.param(name, marks=pytest.mark.emulators if name in EMULATED else ())
        for name in names
    ]


TARGETS = parameters(LOADED)
"""Parameters of tests that each target passes."""

_RUN_IN_DUCKDB = """
import duckdb, sys
database = duckdb.connect(sys.argv[1])
for (line,) in database.execute(sys.argv[2]).fetchall():
    print(line)
"""


@dataclass(frozen=True)
class JsonLines(Target):
    """A file for each stream, to which rows are appended."""

    name: ClassVar[str] = "target-jsonl"
    appends: ClassVar[bool] = True
    folder: Path

    @property
    @override
    def settings(self) -> Mapping[str, Any]:
        """The folder of the files."""
        return {"destination_path": str(self.folder)}

    @override
    def rows(self, *streams: str) -> dict[str, list[Row]]:
        """Return every version of every row in the order of arrival."""
        found = {}
        for stream in streams:
            text = (self.folder / f"{stream}.jsonl").read_text("utf-8")
            found[stream] = [json.loads(line) for line in text.split("\n")[:-1]]
        return found


class Database(Target):
    """A target whose tables can be queried in SQL."""

    to_json: ClassVar[str]
    """The SQL function that turns a row into JSON."""
    schema: str

    @abstractmethod
    def ask(self, statement: str) -> list[str]:
        """Run a statement and return its only column."""

    @override
    def rows(self, *streams: str) -> dict[str, list[Row]]:
        """Return the rows of the tables."""
        return self.rows_in(self.schema, *streams)

    def rows_in(self, schema: str, *streams: str) -> dict[str, list[Row]]:
        """Return the rows of the tables or views of a schema."""
        lines = self.ask(
            " UNION ALL ".join(
                f"SELECT '{name}' || chr(9) || {self.to_json}(row)"  # noqa: S608
                f" FROM {schema}.{name} AS row"
                for name in streams
            )
        )
        found: dict[str, list[Row]] = {stream: [] for stream in streams}
        for line in lines:
            stream, _, row = line.partition("\t")
            found[stream].append(json.loads(row))
        return found


@dataclass(frozen=True)
class DuckDB(Database):
    """A database in a file."""

    name: ClassVar[str] = "target-duckdb"
    to_json: ClassVar[str] = "to_json"
    folder: Path
    file: str = "helpdesk.duckdb"
    schema: str = SCHEMA

    @property
    @override
    def settings(self) -> Mapping[str, Any]:
        """The path of the file."""
        return {"path": str(self.folder / self.file)}

    @override
    def ask(self, statement: str) -> list[str]:
        """Run a statement and return its only column."""
        python = executable(self.name, "python")
        command = [python, "-c", _RUN_IN_DUCKDB, self.settings["path"], statement]
        result = subprocess.run(  # noqa: S603
            command, capture_output=True, check=True, encoding="utf-8"
        )
        return result.stdout.split("\n")[:-1]


@dataclass(frozen=True)
class PostgreSQL(Database):
    """A database on a server."""

    name: ClassVar[str] = "target-postgres"
    to_json: ClassVar[str] = "row_to_json"
    host: str
    schema: str = SCHEMA

    @property
    @override
    def settings(self) -> Mapping[str, Any]:
        """The address of the server."""
        user = postgresql.NAME
        url = f"postgresql+psycopg://{user}@/{user}?host={self.host}"
        return {"sqlalchemy_url": url}

    @override
    def ask(self, statement: str) -> list[str]:
        """Run a statement and return its only column."""
        return postgresql.lines(self.host, statement)


def target_of(name: str, folder: Path, stack: ExitStack) -> Target:
    """Create an empty target, or skip the test if no Python supports it."""
    if reason := reason_to_skip(name):
        pytest.skip(reason)
    if name == "target-jsonl":
        return JsonLines(folder)
    if name == "target-duckdb":
        return DuckDB(folder)
    if name == "target-postgres":
        return PostgreSQL(stack.enter_context(postgresql.server()))
    if name == "target-bigquery":
        return stack.enter_context(bigquery.server(folder))
    return stack.enter_context(snowflake.server(folder))


def settings_of(target: Target) -> dict[str, Any]:
    """Return all settings of a target, including those of meltano.yml."""
    loaders = {one["name"]: one for one in project()["plugins"]["loaders"]}
    settings = {
        name: SCHEMA if value == "$MELTANO_EXTRACT__LOAD_SCHEMA" else value
        for name, value in loaders[target.name]["config"].items()
    }
    return {**settings, **target.settings}


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
        target: The target.
        config: Settings of the tap.
        folder: A folder for files of this run.
        state: The final STATE of an earlier load.
        streams: The streams to select; everything if empty.
        target_settings: Settings of the target that override those of meltano.yml.

    Returns:
        The messages that passed through the pipe. Without `target_settings`, the last
        STATE is the one that the target wrote.
    """
    files = Files(folder)
    settings = files.write("target", {**settings_of(target), **(target_settings or {})})
    catalog = catalog_of(*streams, config=config) if streams else everything(config)
    output, states = run_pipe(
        files.arguments(config, state=state, catalog=catalog),
        [*target.command, "--config", settings],
        folder,
        target.variables,
    )
    # If the last row completes a batch, target-duckdb drops the STATEs that follow it,
    # and the next run reads some rows again. This is likely with small batches.
    if not target_settings:
        assert json.loads(states.split("\n")[-2]) == output.state
    return output
