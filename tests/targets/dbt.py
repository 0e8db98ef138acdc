"""The dbt project, run with a profile for each database."""

from __future__ import annotations

import atexit
import json
import subprocess
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from scripts.compiled_models import CREDENTIALS, WAREHOUSES
from tests.targets.environments import ROOT, SCRIPTS, executable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PROJECT = ROOT / "dbt"
SCHEMA = "gorgias_models"


@dataclass
class Dbt:
    """The project with the settings of one database.

    Args:
        adapter: The name of the adapter.
        folder: A folder for files of the runs.
        connection: Settings of the adapter.
        variables: Variables of the project.
        project: The folder of the project.
        environment: Environment variables.
    """

    adapter: str
    folder: Path
    connection: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    project: Path = PROJECT
    environment: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str) -> str:
        """Run dbt and return what it prints.

        Raises:
            AssertionError: If it fails; the message is its output.
        """
        output = self.folder / "output"
        run = {
            "arguments": self.arguments(*arguments),
            "variables": self.settings(),
            "folder": str(self.project),
            "output": str(output),
        }
        server = _server()
        assert server.stdin
        assert server.stdout
        server.stdin.write(json.dumps(run) + "\n")
        server.stdin.flush()
        code, printed = int(server.stdout.readline()), output.read_text("utf-8")
        assert code == 0, printed
        return printed

    def arguments(self, *arguments: str) -> list[str]:
        """Add the variables of the project to arguments."""
        return [*arguments, "--vars", json.dumps(dict(self.variables))]

    def settings(self) -> dict[str, str]:
        """Write the profile, and return environment variables that name it."""
        schema = "dataset" if self.adapter == "bigquery" else "schema"
        output = {
            "type": self.adapter,
            "threads": 1,
            schema: SCHEMA,
            **WAREHOUSES[self.adapter],
            **self.connection,
        }
        profile = {"target": "test", "outputs": {"test": output}}
        profiles = dict.fromkeys(("gorgias", self.project.name), profile)
        self.folder.mkdir(exist_ok=True)
        (self.folder / "profiles.yml").write_text(json.dumps(profiles), "utf-8")
        credentials = self.folder / "credentials.json"
        credentials.write_text(json.dumps(CREDENTIALS), "utf-8")
        return {
            **self.environment,
            "DBT_PROFILES_DIR": str(self.folder),
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
            "GOOGLE_APPLICATION_CREDENTIALS": str(credentials),
        }


@cache
def _server() -> subprocess.Popen[str]:
    """Start the process that runs dbt."""
    process = subprocess.Popen(  # noqa: S603
        [executable("dbt", "python"), SCRIPTS / "dbt_server.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    atexit.register(process.communicate)
    return process
