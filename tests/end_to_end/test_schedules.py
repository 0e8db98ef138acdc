"""What cron, systemd, Compose, Airflow and Dagster run by docs/deploy.md and `deploy/`.

Stubs stand for programs that are not installed here. `tests/targets/test_schedulers.py`
runs the real Airflow and Dagster on request.
"""

from __future__ import annotations

import configparser
import contextlib
import fcntl
import json
import re
import runpy
import shlex
import subprocess
import sys
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]  # comes with the SDK, without types

from tests.sandbox import Sandbox, Shop
from tests.support.documents import ROOT, block
from tests.support.jobs import SCRIPT, Folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DEPLOY = ROOT / "deploy"
PATHS = re.compile(r"/path/to/tap-gorgias/scripts/load\.sh|/opt/load\.sh|/srv|/data")


@pytest.fixture
def shop() -> Shop:
    """A small shop."""
    return Shop(tickets=20)


@dataclass
class Machine:
    """A machine with the job /srv/gorgias, and stubs that write down their calls."""

    path: Path
    config: Mapping[str, Any]

    @property
    def job(self) -> Folder:
        """The folder of the job."""
        return self.add_job("srv/gorgias")

    def add_job(self, name: str) -> Folder:
        """Set up the folder of a job."""
        job = Folder(self.path / name)
        if not job.path.exists():
            job.write_commands()
            job.write("config.json", json.dumps(self.config))
            job.write("target.json", "{}")
        return job

    def break_job(self) -> None:
        """Make each run fail."""
        self.job.write("config.json", "{}")

    def stub(self, name: str, then: str = "") -> None:
        """Add a command that writes its name and arguments to a file."""
        head = f'#!/bin/sh\necho {name} "$@" >> {self.path}/calls\n'
        Folder(self.path).write(f"bin/{name}", f"{head}{then}\n", executable=True)

    @property
    def calls(self) -> list[str]:
        """The calls of stubs."""
        file = self.path / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def here(self, command: str) -> str:
        """Replace the paths of the documents by those of this test."""
        own = {
            "/path/to/tap-gorgias/scripts/load.sh": SCRIPT,
            "/opt/load.sh": SCRIPT,
            "/srv": self.path / "srv",
            "/data": self.job.path,
        }
        return PATHS.sub(lambda found: str(own[found[0]]), command)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command with the environment and the folder that a daemon has."""
        return subprocess.run(  # noqa: S603
            [self.here(word) for word in command],
            cwd="/",
            env={"PATH": f"{self.path}/bin:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )

    def is_loaded(self, job: Folder | None = None) -> bool:
        """Whether a run of the job has read everything."""
        return ((job or self.job).path / "complete.log").exists()


@pytest.fixture
def machine(sandbox: Sandbox, tmp_path: Path) -> Machine:
    """A machine with one job."""
    return Machine(tmp_path, sandbox.config)


def test_cron_pings_only_after_a_complete_run(machine: Machine) -> None:
    """Not after one that found the lock taken. It mails what a failed run prints."""
    machine.stub("curl")
    mail, line = block("hc-ping.com", "text").splitlines()
    assert mail.startswith("MAILTO=")
    command = line.split(maxsplit=5)[5]

    done = machine.run("sh", "-c", command)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert machine.is_loaded()
    assert len(machine.calls) == 1

    with (machine.job.path / "lock").open("w") as lock:
        lock.write("A run is in progress.")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert machine.run("sh", "-c", command).stderr == ""
        assert len(machine.calls) == 1

    machine.break_job()
    done = machine.run("sh", "-c", command)
    assert "is required" in done.stderr
    assert len(machine.calls) == 1


def unit(name: str) -> configparser.ConfigParser:
    """Return a unit of systemd, whose keys differ from each other in these files."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(DEPLOY / name)
    return parser


def test_systemd_loads_and_mails_the_log_of_a_failure(machine: Machine) -> None:
    """Its processes begin in the root folder and have only a PATH."""
    machine.stub("journalctl", "echo What happened.")
    machine.stub("mail", f"cat >> {machine.path}/calls")
    service = unit("gorgias.service")

    done = machine.run(*shlex.split(service["Service"]["ExecStart"]))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert machine.is_loaded()

    failed = unit(service["Unit"]["OnFailure"])
    done = machine.run(*shlex.split(failed["Service"]["ExecStart"]))
    assert done.returncode == 0, done.stderr
    assert "What happened." in machine.calls
    assert sum("you@acme.com" in call for call in machine.calls) == 1
    assert sum("--unit gorgias " in call for call in machine.calls) == 1


def test_the_containers_of_compose_load_every_hour(machine: Machine) -> None:
    """A run that fails is in the log of the container, and the next one follows."""
    machine.stub("sleep", f"[ $(wc -l < {machine.path}/calls) -lt 2 ] || kill $PPID")
    [compose] = yaml.safe_load_all((DEPLOY / "compose.yaml").read_text("utf-8"))
    service = compose["services"]["load"]
    machine.break_job()

    done = machine.run(*service["entrypoint"], *service["command"])

    assert machine.calls == ["sleep 3600", "sleep 3600"]
    assert done.stderr.count("is required") == 2


def test_accounts_are_loaded_side_by_side(machine: Machine) -> None:
    """Each has a folder of its own."""
    jobs = [machine.add_job(f"srv/gorgias/{name}") for name in ("acme", "shoes")]

    done = machine.run("bash", "-c", block("/srv/gorgias/*/"))

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert all(map(machine.is_loaded, jobs))


def stand_in(monkeypatch: pytest.MonkeyPatch, name: str, **content: Any) -> None:
    """Make a module importable, with its packages."""
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        module = ModuleType(".".join(parts[:count]))
        monkeypatch.setitem(sys.modules, module.__name__, module)
    vars(module).update(content)


def test_the_task_of_airflow_loads(
    monkeypatch: pytest.MonkeyPatch, machine: Machine
) -> None:
    """Its command fails if the run does."""
    commands: list[str] = []

    def dag(_: str, **settings: Any) -> contextlib.AbstractContextManager[None]:
        assert settings["max_active_runs"] == 1
        assert settings["catchup"] is False
        return contextlib.nullcontext()

    def operator(*, task_id: str, bash_command: str) -> None:
        assert task_id
        commands.append(bash_command)

    stand_in(
        monkeypatch, "airflow.providers.standard.operators.bash", BashOperator=operator
    )
    stand_in(monkeypatch, "airflow.sdk", DAG=dag)
    runpy.run_path(str(DEPLOY / "airflow_dag.py"))
    [command] = commands

    assert machine.run("bash", "-c", command).returncode == 0
    assert machine.is_loaded()
    machine.break_job()
    assert machine.run("bash", "-c", command).returncode == 1


def test_the_job_of_dagster_loads(
    monkeypatch: pytest.MonkeyPatch, machine: Machine
) -> None:
    """Its operation fails if the run does."""

    def same(function: Any) -> Any:  # noqa: ANN401
        return function

    kinds = {"ScheduleDefinition": SimpleNamespace, "Definitions": SimpleNamespace}
    stand_in(monkeypatch, "dagster", op=same, job=same, **kinds)
    found = runpy.run_path(str(DEPLOY / "dagster_definitions.py"))
    [job], [schedule] = found["definitions"].jobs, found["definitions"].schedules
    assert schedule.job is job
    command = found["LOAD"]
    command[:] = [str(SCRIPT), str(machine.job.path)]

    job()
    assert machine.is_loaded()
    machine.break_job()
    with pytest.raises(subprocess.CalledProcessError):
        job()
