"""An emulator of Snowflake that runs during a test, and the target that loads it.

The emulator is fakesnow, which runs the target's requests on DuckDB, without stages.
`scripts/snowflake_target.py` bypasses them, so PUT and staged files are not tested.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from tap_gorgias.compat import override
from tests.targets.emulated import EmulatedTarget
from tests.targets.environments import SCRIPTS, executable
from tests.targets.processes import running, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.targets.target import Row

DATABASE, SCHEMA = "ACME", "GORGIAS"
LISTENS = re.compile(r"running on http://127\.0\.0\.1:(\d+)")

_COLUMNS = f"""
SELECT table_name, column_name, data_type FROM {DATABASE}.INFORMATION_SCHEMA.COLUMNS
WHERE table_schema =
"""  # noqa: S608

_LENGTHS = f"""
SELECT column_name, character_maximum_length AS length
FROM {DATABASE}.INFORMATION_SCHEMA.COLUMNS WHERE table_schema =
"""  # noqa: S608


@dataclass(frozen=True)
class Snowflake(EmulatedTarget):
    """Tables in an emulator."""

    name: ClassVar[str] = "target-snowflake"
    port: str

    @property
    @override
    def settings(self) -> Mapping[str, Any]:
        """Dummy credentials and the database."""
        sign_in = dict.fromkeys(("account", "user", "password"), "none")
        return {**sign_in, "database": DATABASE}

    @property
    def address(self) -> Mapping[str, Any]:
        """Settings of a client of the emulator."""
        address = {"host": "127.0.0.1", "port": int(self.port), "protocol": "http"}
        return {**address, "database": DATABASE}

    @property
    @override
    def variables(self) -> Mapping[str, str]:
        """The emulator's port."""
        return {"SNOWFLAKE_PORT": self.port}

    @property
    @override
    def query_command(self) -> Sequence[str | Path]:
        """The command that runs queries on the emulator's port."""
        python = executable("fakesnow", "python")
        return [python, SCRIPTS / "ask_snowflake.py", self.port]

    def column_types(self, schema: str = SCHEMA) -> dict[tuple[str, str], str]:
        """Return the type of each column by table and column, in upper case."""
        [columns] = self.ask(f"{_COLUMNS} '{schema}'")
        return {(c["table_name"], c["column_name"]): c["data_type"] for c in columns}

    def text_lengths(self, table: str) -> dict[str, int | None]:
        """Return the longest text that each column of a table can hold."""
        [columns] = self.ask(
            f"{_LENGTHS} '{SCHEMA}' AND table_name = '{table.upper()}'"
        )
        return {c["column_name"].lower(): c["length"] for c in columns}

    @override
    def rows(self, *streams: str) -> dict[str, list[Row]]:
        """Return the rows of the tables."""
        return self.rows_in(SCHEMA, *streams)

    def rows_in(self, schema: str, *streams: str) -> dict[str, list[Row]]:
        """Return the rows of the tables or views of a schema."""
        column_types = self.column_types(schema)
        selects = (_select(schema, stream, column_types) for stream in streams)
        found = self.ask(*selects)
        for stream, rows in zip(streams, found, strict=True):
            for row in rows:
                for name, value in row.items():
                    if (
                        value
                        and column_types[stream.upper(), name.upper()] == "VARIANT"
                    ):
                        row[name] = json.loads(value)
        return dict(zip(streams, found, strict=True))


def _select(
    schema: str, stream: str, column_types: Mapping[tuple[str, str], str]
) -> str:
    """Build a query for all columns; a null timestamp is only preserved as text."""
    columns = (
        f'"{name}"::VARCHAR AS "{name}"'
        if kind.startswith("TIMESTAMP")
        else f'"{name}"'
        for (table, name), kind in column_types.items()
        if table == stream.upper()
    )
    return f"SELECT {', '.join(columns)} FROM {DATABASE}.{schema}.{stream}"  # noqa: S608


@contextlib.contextmanager
def server(folder: Path) -> Iterator[Snowflake]:
    """Run an emulator on a free port and create a database.

    Args:
        folder: A folder for its log.

    Yields:
        The target that loads it.

    Raises:
        TimeoutError: If it does not start.
    """
    log = folder / "fakesnow.log"
    with (
        log.open("wb") as errors,
        running(
            [
                *(executable("fakesnow", "python"), SCRIPTS / "snowflake_emulator.py"),
                "--server",
            ],
            stdout=subprocess.DEVNULL,
            stderr=errors,
        ),
    ):
        wait_until(lambda: LISTENS.search(log.read_text("utf-8")))
        [port] = LISTENS.findall(log.read_text("utf-8"))
        target = Snowflake(port)
        target.ask(f"CREATE DATABASE {DATABASE}", f"CREATE SCHEMA {DATABASE}.PUBLIC")
        yield target
