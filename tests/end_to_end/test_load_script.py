"""`scripts/load.sh` loads every hour for years, and speaks only of failures."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox import Shop
from tests.support.documents import ROOT
from tests.support.jobs import Folder

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox import Sandbox

NO_OUTPUT = f"#!{sys.executable}\nimport sys\n"

DETAIL = """DETAIL:  Failing row contains (7, "Jane Doe", Hello Jane.
ERROR 404 when Jane pays.
shop.Error: Jane
[SQL: INSERT INTO tickets]
"""
"""What PostgreSQL adds to an error: the row, which may have several lines."""
CAUSES = (
    "2026-11-29 02:41:04,728 | ERROR    | target-postgres | (psycopg.errors.X) bad\n",
    "time=2026-11-29 02:41:04 name=target_duckdb level=CRITICAL message=bad\n",
    "ERROR bad\n",
    'Traceback (most recent call last):\n  File "a.py"\npsycopg.errors.X: bad\n',
    "MemoryError\n",
    "Error: bad\n",
    "target: cannot load libpq\n",
)
"""How SDKs, Python and others print an error; only its last line tells the cause."""


@pytest.fixture
def shop() -> Shop:
    """A small shop."""
    return Shop(tickets=20)


@pytest.fixture
def folder(sandbox: Sandbox, tmp_path: Path) -> Folder:
    """A job for the sandbox whose target writes every state."""
    folder = Folder(tmp_path)
    folder.write_commands()
    folder.write("config.json", json.dumps(sandbox.config))
    folder.write("target.json", "{}")
    return folder


def test_a_good_run_prints_nothing_and_the_next_one_resumes(
    sandbox: Sandbox, folder: Folder
) -> None:
    """The log has the lines of the tap and of the target."""
    done = folder.load()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    first, last = sandbox.count(), folder.states[-1]
    sandbox.reset_counters()

    assert folder.load().returncode == 0

    assert folder.state == last
    assert 0 < sandbox.count() < first
    log = (folder.path / "load.log").read_text()
    assert "INFO Loading." in log
    assert log.count("Summary of the run") == 2


def test_a_catalog_selects_streams(sandbox: Sandbox, folder: Folder) -> None:
    """`catalog.json` is used if there is one, and CATALOG names another."""
    command = [sys.executable, "-m", "tap_gorgias", "--config", "config.json"]
    catalog = subprocess.run(  # noqa: S603
        [*command, "--discover"], cwd=folder.path, capture_output=True, check=True
    ).stdout
    select = [sys.executable, str(ROOT / "scripts" / "select_streams.py")]
    for name, stream in (("catalog.json", "tags"), ("other.json", "teams")):
        chosen = subprocess.run(  # noqa: S603
            [*select, stream], input=catalog, capture_output=True, check=True
        ).stdout
        folder.write(name, chosen.decode())

    assert folder.load().returncode == 0
    assert {request.path for request in sandbox.requests} == {"/api/tags"}
    sandbox.reset_counters()
    assert folder.load(CATALOG="other.json").returncode == 0
    assert {request.path for request in sandbox.requests} == {"/api/teams"}


def test_a_failure_of_the_tap_is_told_with_its_code(folder: Folder) -> None:
    """Only error lines of this run are printed."""
    folder.write("load.log", "ERROR of an older run\n")
    folder.write("config.json", "{}")

    done = folder.load()

    assert done.returncode == 1
    assert "is required" in done.stderr
    assert "INFO" not in done.stderr
    assert "older run" not in done.stderr
    assert done.stdout == ""


def test_a_failure_of_the_target_is_told_with_its_code(folder: Folder) -> None:
    """The tap fails as a consequence, with another code."""
    print_error = 'print("ValueError: full", file=sys.stderr)\nsys.exit(7)\n'
    folder.write_commands(target=NO_OUTPUT + print_error)

    done = folder.load()

    assert done.returncode == 7
    assert "ValueError: full" in done.stderr


@pytest.mark.parametrize("cause", CAUSES)
def test_rows_that_a_target_prints_are_not_shown(folder: Folder, cause: str) -> None:
    """The cause is. The rows are in the log, for its user alone."""
    printed = cause + DETAIL
    target = f"{NO_OUTPUT}sys.stderr.write({printed!r})\nsys.exit(1)\n"
    folder.write_commands(tap=NO_OUTPUT, target=target)
    folder.write("load.log", "INFO an older run\n")

    shown = folder.load().stderr

    assert cause.splitlines()[-1] in shown
    assert "Jane" not in shown
    assert printed in (folder.path / "load.log").read_text()


def test_files_can_be_read_by_their_user_alone(folder: Folder) -> None:
    """Those of the target, too, and a log that an older version wrote."""
    create = 'open("helpdesk.duckdb", "w")\n'
    folder.write_commands(tap=NO_OUTPUT, target=NO_OUTPUT + create)
    folder.write("load.log", "an older run\n")

    assert folder.load().returncode == 0

    for name in ("load.log", "states.jsonl", "state.json", "helpdesk.duckdb"):
        assert (folder.path / name).stat().st_mode & 0o077 == 0, name


def test_a_command_that_is_missing_is_told(folder: Folder) -> None:
    """No state is lost, and the other command is not started."""
    done = folder.load(TARGET="target-postgres")

    assert done.returncode == 127
    assert "target-postgres was not found" in done.stderr
    assert not (folder.path / "states.jsonl").exists()


@pytest.mark.parametrize("torn", ['{"bookmarks": {"a": {"b": 1}', "\0\0\0\0", "[]\n"])
def test_a_torn_line_is_left_out(folder: Folder, torn: str) -> None:
    """The run begins with the last whole state, and the next state is whole, too."""
    whole: dict[str, Any] = {"bookmarks": {"tags": {}}}
    echo = 'print(open("state.json").read(), end="")\n'
    folder.write_commands(tap=NO_OUTPUT, target=NO_OUTPUT + echo)
    folder.write("states.jsonl", f"{json.dumps(whole)}\n{torn}")

    assert folder.load().returncode == 0

    assert folder.state == whole
    assert folder.states == [whole, whole]


def test_old_states_and_lines_of_the_log_are_removed(folder: Folder) -> None:
    """The newest are kept."""
    folder.write_commands(tap=NO_OUTPUT, target=NO_OUTPUT)
    states = [json.dumps({"bookmarks": {"tags": {"n": n}}}) for n in range(1_500)]
    folder.write("states.jsonl", "\n".join(states) + "\n")
    folder.write("load.log", "".join(f"{n}\n" for n in range(12_000)))

    assert folder.load().returncode == 0

    assert folder.states == [json.loads(state) for state in states[-1_000:]]
    lines = (folder.path / "load.log").read_text().splitlines()
    assert (lines[0], lines[-1]) == ("2000", "11999")


def test_a_second_run_waits_for_its_turn(sandbox: Sandbox, folder: Folder) -> None:
    """It does nothing, unless the first one takes longer than the limit."""
    with (folder.path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert folder.load().returncode == 0

        folder.age_lock(25)
        late, allowed = folder.load(), folder.load(MAX_HOURS="26")

    assert late.returncode == 1
    assert "25 hours" in late.stderr
    assert (allowed.returncode, allowed.stderr) == (0, "")
    assert sandbox.count() == 0


def test_the_limit_applies_to_the_run_that_holds_the_lock(folder: Folder) -> None:
    """The file of the lock is as old as the last run that took it."""
    folder.write_commands(tap=NO_OUTPUT, target=NO_OUTPUT)
    folder.write("lock", "")
    folder.age_lock(100)

    assert folder.load().returncode == 0

    assert time.time() - (folder.path / "lock").stat().st_mtime < 3_600
