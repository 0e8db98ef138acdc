"""Targets that can be loaded and asked for what they hold."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tap_gorgias import timestamps
from tests.runs import Files, Output, everything
from tests.targets import postgresql
from tests.targets.environments import executable, project

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from contextlib import ExitStack
    from pathlib import Path

    from tests.targets.shop import Key

Row = dict[str, Any]

_ASK_DUCKDB = """
import duckdb, sys
database = duckdb.connect(sys.argv[1], read_only=True)
for (line,) in database.execute(sys.argv[2]).fetchall():
    print(line)
"""


class Target(Protocol):
    """A target, where it loads to, and how to read that."""

    @property
    def name(self) -> str:
        """The name, as in meltano.yml."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings on top of those in meltano.yml."""

    def rows(self, *streams: str) -> dict[str, list[Row]]:
        """Return all rows of some streams, objects and lists as such."""


@dataclass(frozen=True)
class JsonLines:
    """A file for each stream, which grows."""

    folder: Path
    name: str = "target-jsonl"

    @property
    def settings(self) -> Mapping[str, Any]:
        """Where the files go."""
        return {"destination_path": str(self.folder)}

    def rows(self, *streams: str) -> dict[str, list[Row]]:
        """Return every version of every row, in the order of their arrival."""
        found = {}
        for stream in streams:
            text = (self.folder / f"{stream}.jsonl").read_text("utf-8")
            found[stream] = [json.loads(line) for line in text.split("\n")[:-1]]
        return found


@dataclass(frozen=True)
class DuckDB:
    """A database in a file."""

    folder: Path
    name: str = "target-duckdb"

    @property
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

    def rows(self, *streams: str) -> dict[str, list[Row]]:
        """Return the rows of the tables."""
        return _parted(streams, self.ask(_all_rows(streams, "to_json(row)")))


@dataclass(frozen=True)
class PostgreSQL:
    """A database on a server."""

    host: str
    name: str = "target-postgres"

    @property
    def settings(self) -> Mapping[str, Any]:
        """How to reach the server."""
        user = postgresql.NAME
        url = f"postgresql+psycopg://{user}@/{user}?host={self.host}"
        return {"sqlalchemy_url": url}

    def ask(self, query: str) -> list[str]:
        """Return the one column that a query answers."""
        return postgresql.lines(self.host, query)

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
    """Prepare an empty target."""
    if name == "target-jsonl":
        return JsonLines(folder)
    if name == "target-duckdb":
        return DuckDB(folder)
    return PostgreSQL(ends.enter_context(postgresql.server()))


def load(
    target: Target,
    config: Mapping[str, Any],
    folder: Path,
    state: Mapping[str, Any] | None = None,
) -> Output:
    """Run `tap-gorgias | target`, with everything selected.

    Args:
        target: Where to.
        config: Settings of the tap.
        folder: Where to keep files of this run.
        state: What an earlier load ended with.

    Returns:
        What went through the pipe. Its last STATE is the one that the target wrote.
    """
    loaders = {one["name"]: one for one in project()["plugins"]["loaders"]}
    files = Files(folder)
    settings = files.write("target", loaders[target.name]["config"] | target.settings)
    output, states = piped(
        files.arguments(config, state=state, catalog=everything(config)),
        [str(executable(target.name)), "--config", str(settings)],
        folder,
    )
    assert json.loads(states.splitlines()[-1]) == output.state
    return output


def piped(
    tap: Sequence[str], target: Sequence[str], folder: Path
) -> tuple[Output, str]:
    """Connect two commands, with an ear on the pipe between them.

    Returns:
        The messages of the tap, and what the target wrote.
    """
    heard, log = folder / "pipe", folder / "log"
    pipe = subprocess.PIPE
    with (
        log.open("wb") as errors,
        subprocess.Popen(tap, stdout=pipe, stderr=errors) as first,  # noqa: S603
        subprocess.Popen(  # noqa: S603
            ["tee", str(heard)],  # noqa: S607
            stdin=first.stdout,
            stdout=pipe,
        ) as ear,
        subprocess.Popen(  # noqa: S603
            target, stdin=ear.stdout, stdout=pipe, stderr=errors
        ) as last,
    ):
        for process in (first, ear):
            if process.stdout:
                process.stdout.close()  # only the next one reads from it
        told = last.communicate()[0].decode()
    codes = (first.returncode, ear.returncode, last.returncode)
    assert codes == (0, 0, 0), log.read_text("utf-8")[-2_000:]
    return Output.parse(heard.read_text("utf-8")), told


def latest(rows: Sequence[Row], keys: Sequence[str]) -> dict[Key, Row]:
    """Return the last version of each row, by its key."""
    return {tuple(row[name] for name in keys): row for row in rows}


def comparable(target: Target, schema: Row, row: Row) -> Row:
    """Bring a row into a form that does not depend on who wrote it.

    Date-times are moments, and absent fields are null. In DuckDB empty texts are null
    too, as that target loads files that do not tell them apart.
    """
    nulls = {None, ""} if isinstance(target, DuckDB) else {None}

    def value(name: str, column: Row) -> object:
        found = row.get(name)
        if not isinstance(found, str):
            return found
        if found in nulls:
            return None
        is_moment = column.get("format") == "date-time"
        return timestamps.parse(found) if is_moment else found

    columns: Row = schema["properties"]
    return {name: value(name, column) for name, column in columns.items()}
