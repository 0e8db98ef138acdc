"""An emulator of BigQuery that runs during a test, and the target that loads it.

The emulator is bqemulator, which runs the target's requests on DuckDB. It accepts
column names, deep nesting and sizes that BigQuery refuses. They are checked by
`tests/contract/package/bigquery.py`.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import requests

from scripts.compiled_models import CREDENTIALS
from tap_gorgias.compat import override
from tests.targets.emulated import EmulatedTarget
from tests.targets.environments import SCRIPTS, executable
from tests.targets.processes import running, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.targets.target import Row

PROJECT = "acme"

LISTENS = re.compile(r'"host": "([^"]+)", "port": (\d+), "event": "rest.listen"')


@dataclass(frozen=True)
class BigQuery(EmulatedTarget):
    """Tables in an emulator."""

    name: ClassVar[str] = "target-bigquery"
    address: str
    folder: Path

    @property
    @override
    def settings(self) -> Mapping[str, str]:
        """The project and dataset; credentials come from the environment."""
        return {"project": PROJECT, "dataset": "gorgias"}

    @property
    @override
    def variables(self) -> Mapping[str, str]:
        """The emulator's address and credentials that it accepts."""
        file = self.folder / "credentials.json"
        file.write_text(json.dumps(CREDENTIALS), "utf-8")
        return {
            "BIGQUERY_EMULATOR_HOST": self.address,
            "GOOGLE_APPLICATION_CREDENTIALS": str(file),
        }

    def columns(self, table: str) -> dict[str, Row]:
        """Return the columns of a table in the format of BigQuery's API."""
        path = f"bigquery/v2/projects/{PROJECT}/datasets/gorgias/tables/{table}"
        answer = requests.get(f"{self.address}/{path}", timeout=10).json()
        return {column["name"]: column for column in answer["schema"]["fields"]}

    @property
    @override
    def query_command(self) -> Sequence[str | Path]:
        """The command that runs queries in the emulator's project."""
        python = executable("bqemulator", "python")
        return [python, SCRIPTS / "ask_bigquery.py", PROJECT]

    @override
    def rows(self, *streams: str) -> dict[str, list[Row]]:
        """Return the rows of the tables."""
        found = self.ask(*(f"SELECT * FROM gorgias.{name}" for name in streams))  # noqa: S608
        return dict(zip(streams, found, strict=True))


@contextlib.contextmanager
def server(folder: Path, *, failing: str = "") -> Iterator[BigQuery]:
    """Run an emulator on a free port.

    Args:
        folder: A folder for files.
        failing: A table whose first load job is refused.

    Yields:
        The target that loads it.

    Raises:
        TimeoutError: If it does not start.
    """
    script = (executable("bqemulator", "python"), SCRIPTS / "bigquery_emulator.py")
    ports = ("--rest-port", "0", "--grpc-port", "0")
    variables = {"BQEMU_ENABLE_FORMAT_EXTENSIONS": "false", "FAILING_TABLE": failing}
    log = folder / "emulator.log"
    with (
        log.open("wb") as errors,
        running(
            [*script, "start", *ports, "--log-format", "json"],
            env={**os.environ, **variables},
            stdout=subprocess.DEVNULL,
            stderr=errors,
        ),
    ):
        wait_until(
            lambda: "grpc.listen" in log.read_text("utf-8")
        )  # the last to listen
        [(host, port)] = LISTENS.findall(log.read_text("utf-8"))
        yield BigQuery(f"http://{host}:{port}", folder)
