"""A stand-in for Snowflake for the time of a test, and the target that loads it.

The stand-in is fakesnow, which runs the target's requests on a DuckDB, without stages.
As `scripts/snowflake_target.py` goes round them, nothing is proved about PUT and staged
files.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from tap_gorgias.compat import override
from tests.targets.environments import SCRIPTS, executable
from tests.targets.processes import finished, started, wait_until
from tests.targets.target import Row, Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

DATABASE, SCHEMA = "ACME", "GORGIAS"
LISTENS = re.compile(r"running on http://127\.0\.0\.1:(\d+)")

_COLUMNS = f"""
SELECT table_name, column_name, data_type FROM {DATABASE}.INFORMATION_SCHEMA.COLUMNS
WHERE table_schema = '{SCHEMA}'
"""  # noqa: S608


@dataclass(frozen=True)
class Snowflake(Target):
    """Tables of a stand-in."""

    name: ClassVar[str] = "target-snowflake"
    port: str

    @property
    @override
    def settings(self) -> Mapping[str, Any]:
        """Who loads what; nobody is asked for a password."""
        sign_in = dict.fromkeys(("account", "user", "password"), "none")
        return {**sign_in, "database": DATABASE}

    @property
    @override
    def command(self) -> Sequence[str | Path]:
        """The target without stages."""
        python = executable(self.name, "python")
        return [python, SCRIPTS / "hurried_target.py", self.name]

    @property
    @override
    def variables(self) -> Mapping[str, str]:
        """Where the stand-in is."""
        return {"SNOWFLAKE_PORT": self.port}

    def ask(self, *queries: str) -> list[list[Row]]:
        """Return the rows that each query finds, those of statements too."""
        script = (executable("fakesnow", "python"), SCRIPTS / "ask_snowflake.py")
        told = finished([*script, self.port, *queries], env={**os.environ})
        return [json.loads(line) for line in told.splitlines()]

    def kinds(self) -> dict[tuple[str, str], str]:
        """Return the types of all columns, by table and column in capitals."""
        [columns] = self.ask(_COLUMNS)
        return {(c["table_name"], c["column_name"]): c["data_type"] for c in columns}

    @override
    def rows(self, *streams: str) -> dict[str, list[Row]]:
        """Return the rows of the tables."""
        kinds = self.kinds()
        found = self.ask(*(_select(stream, kinds) for stream in streams))
        for stream, rows in zip(streams, found, strict=True):
            for row in rows:
                for name, value in row.items():
                    if value and kinds[stream.upper(), name.upper()] == "VARIANT":
                        row[name] = json.loads(value)
        return dict(zip(streams, found, strict=True))


def _select(stream: str, kinds: Mapping[tuple[str, str], str]) -> str:
    """Ask for all columns. A null timestamp would arrive as 1970, if not as a text."""
    columns = (
        f'"{name}"::VARCHAR AS "{name}"'
        if kind.startswith("TIMESTAMP")
        else f'"{name}"'
        for (table, name), kind in kinds.items()
        if table == stream.upper()
    )
    return f"SELECT {', '.join(columns)} FROM {DATABASE}.{SCHEMA}.{stream}"  # noqa: S608


@contextlib.contextmanager
def server(folder: Path) -> Iterator[Snowflake]:
    """Run a stand-in on a free port, with a database.

    Args:
        folder: Where to keep its log.

    Yields:
        The target for it.

    Raises:
        TimeoutError: It does not start.
    """
    log = folder / "fakesnow.log"
    with (
        log.open("wb") as errors,
        started(
            [executable("fakesnow"), "--server"],
            stdout=subprocess.DEVNULL,
            stderr=errors,
        ),
    ):
        wait_until(lambda: LISTENS.search(log.read_text("utf-8")))
        [port] = LISTENS.findall(log.read_text("utf-8"))
        target = Snowflake(port)
        target.ask(f"CREATE DATABASE {DATABASE}", f"CREATE SCHEMA {DATABASE}.PUBLIC")
        yield target
