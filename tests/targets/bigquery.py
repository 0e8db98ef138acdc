"""An emulator of BigQuery for the time of a test, and the target that loads it.

The emulator is bqemulator, which runs the target's requests on a DuckDB. It takes what
BigQuery refuses: names of columns, deep nesting, quotas. `tests/contract/bigquery.py`
looks at those.
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

from tap_gorgias.compat import override
from tests.targets.environments import SCRIPTS, executable
from tests.targets.processes import finished, started, wait_until
from tests.targets.target import Row, Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

PROJECT = "acme"

LISTENS = re.compile(r'"host": "([^"]+)", "port": (\d+), "event": "rest.listen"')

CREDENTIALS = {
    "type": "authorized_user",
    "client_id": "none",
    "client_secret": "none",
    "refresh_token": "none",
    "token": "none",
    "expiry": "2099-01-01T00:00:00Z",  # so that nobody is asked for another
}


@dataclass(frozen=True)
class BigQuery(Target):
    """Tables of an emulator."""

    name: ClassVar[str] = "target-bigquery"
    address: str
    folder: Path

    @property
    @override
    def settings(self) -> Mapping[str, str]:
        """Which project; credentials come from the environment."""
        return {"project": PROJECT}

    @property
    @override
    def command(self) -> Sequence[str | Path]:
        """The target without its waits, which are 12 s for each table."""
        python = executable(self.name, "python")
        return [python, SCRIPTS / "hurried_target.py", self.name]

    @property
    @override
    def variables(self) -> Mapping[str, str]:
        """Where the emulator is, and credentials that it takes."""
        file = self.folder / "credentials.json"
        file.write_text(json.dumps(CREDENTIALS), "utf-8")
        return {
            "BIGQUERY_EMULATOR_HOST": self.address,
            "GOOGLE_APPLICATION_CREDENTIALS": str(file),
        }

    def columns(self, table: str) -> dict[str, Row]:
        """Return the columns of a table, in the form of BigQuery's API."""
        path = f"bigquery/v2/projects/{PROJECT}/datasets/gorgias/tables/{table}"
        answer = requests.get(f"{self.address}/{path}", timeout=10).json()
        return {column["name"]: column for column in answer["schema"]["fields"]}

    def ask(self, *queries: str) -> list[list[Row]]:
        """Return the rows that each query finds, those of statements too."""
        script = (executable("bqemulator", "python"), SCRIPTS / "ask_bigquery.py")
        environment = {**os.environ, **self.variables}
        told = finished([*script, PROJECT, *queries], env=environment)
        return [json.loads(line) for line in told.splitlines()]

    @override
    def rows(self, *streams: str) -> dict[str, list[Row]]:
        """Return the rows of the tables."""
        found = self.ask(*(f"SELECT * FROM gorgias.{name}" for name in streams))  # noqa: S608
        return dict(zip(streams, found, strict=True))


@contextlib.contextmanager
def server(folder: Path, *, failing: str = "") -> Iterator[BigQuery]:
    """Run an emulator on a free port.

    Args:
        folder: Where to keep files.
        failing: A table of which the first load job is refused.

    Yields:
        The target for it.

    Raises:
        TimeoutError: It does not start.
    """
    script = (executable("bqemulator", "python"), SCRIPTS / "bigquery_emulator.py")
    ports = ("--rest-port", "0", "--grpc-port", "0")
    variables = {"BQEMU_ENABLE_FORMAT_EXTENSIONS": "false", "FAILING_TABLE": failing}
    log = folder / "emulator.log"
    with (
        log.open("wb") as errors,
        started(
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
