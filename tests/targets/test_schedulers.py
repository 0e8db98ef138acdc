"""The real Airflow and Dagster load a helpdesk with the files of `deploy/`.

They are large, so they are not installed by default:
`python -m tests.targets.environments airflow dagster`.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.sandbox import Sandbox, Shop
from tests.support.documents import ROOT
from tests.support.jobs import SCRIPT, Folder
from tests.targets.environments import FOLDER, SCHEDULERS, SCRIPTS

if TYPE_CHECKING:
    from pathlib import Path

FILES = {"airflow": "airflow_dag.py", "dagster": "dagster_definitions.py"}


@pytest.mark.parametrize("name", SCHEDULERS)
def test_the_definition_loads_and_fails_if_the_run_does(
    tmp_path: Path, name: str
) -> None:
    """It is the file of the repository, with the paths of this test."""
    python = FOLDER / name / "bin" / "python"
    if not python.exists():
        pytest.skip(f"`python -m tests.targets.environments {name}` installs {name}.")
    job = Folder(tmp_path / "job")
    content = (ROOT / "deploy" / FILES[name]).read_text("utf-8")
    content = content.replace("/path/to/tap-gorgias/scripts/load.sh", str(SCRIPT))
    file = tmp_path / FILES[name]
    file.write_text(content.replace("/srv/gorgias", str(job.path)))

    def run() -> int:
        return subprocess.run(  # noqa: S603
            [python, SCRIPTS / f"run_{name}.py", file],
            env={**os.environ, "AIRFLOW_HOME": str(tmp_path / "airflow")},
            capture_output=True,
            check=False,
        ).returncode

    with Sandbox(Shop(tickets=20)) as sandbox:
        job.write_commands()
        job.write("target.json", "{}")
        job.write("config.json", json.dumps(sandbox.config))
        assert run() == 0
        assert (job.path / "complete.log").exists()
        job.write("config.json", "{}")
        assert run() == 1
