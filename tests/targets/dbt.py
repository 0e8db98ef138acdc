"""The dbt project, run with a profile for each database."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.targets import postgresql
from tests.targets.bigquery import CREDENTIALS
from tests.targets.environments import ROOT, executable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PROJECT = ROOT / "dbt"
SCHEMA = "gorgias_models"
OFFLINE = ("--no-populate-cache", "--no-introspect")
"""Options with which `dbt compile` needs no connection."""

_LOGIN = {"user": postgresql.NAME, "password": "none", "dbname": postgresql.NAME}
PROFILES: Mapping[str, Mapping[str, Any]] = {
    "duckdb": {"path": ":memory:"},
    "postgres": {"host": "localhost", "port": 5432, **_LOGIN},
    "bigquery": {"method": "oauth", "project": "acme"},
    "snowflake": {
        **dict.fromkeys(("account", "user", "password"), "none"),
        "database": "ACME",
    },
}
"""Settings of each adapter; those of a connection may be replaced."""


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
        schema = "dataset" if self.adapter == "bigquery" else "schema"
        output = {
            "type": self.adapter,
            "threads": 2,
            schema: SCHEMA,
            **PROFILES[self.adapter],
            **self.connection,
        }
        profile = {"target": "test", "outputs": {"test": output}}
        names = {"gorgias", self.project.name}
        self.folder.mkdir(exist_ok=True)
        (self.folder / "profiles.yml").write_text(
            json.dumps(dict.fromkeys(names, profile)), "utf-8"
        )
        (self.folder / "credentials.json").write_text(json.dumps(CREDENTIALS), "utf-8")
        paths = {
            "DBT_PROFILES_DIR": self.folder,
            "DBT_TARGET_PATH": self.folder / "target",
            "DBT_LOG_PATH": self.folder / "logs",
            "GOOGLE_APPLICATION_CREDENTIALS": self.folder / "credentials.json",
        }
        variables = json.dumps(dict(self.variables))
        result = subprocess.run(  # noqa: S603
            [str(executable("dbt")), *arguments, "--vars", variables],
            cwd=self.project,
            env={
                **os.environ,
                **self.environment,
                **{name: str(path) for name, path in paths.items()},
            },
            capture_output=True,
            check=False,
            encoding="utf-8",
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def manifest(self) -> dict[str, Any]:
        """Return what dbt wrote about the project in its last run."""
        text = (self.folder / "target" / "manifest.json").read_text("utf-8")
        content: dict[str, Any] = json.loads(text)
        return content
