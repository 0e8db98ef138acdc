"""A first sync that is stopped along with its target goes on in the next run.

All processes of a run get the signal, as from Ctrl-C in a terminal or in a power cut.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import sqlite3
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox import Sandbox, Shop
from tests.support.documents import block, table
from tests.support.runs import Files, catalog_of
from tests.targets import meltano
from tests.targets.environments import executable, project
from tests.targets.loading import DuckDB, settings_of, target_of
from tests.targets.processes import TIMEOUT_SECONDS, running, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.sandbox import Request
    from tests.targets.target import Target

STREAMS = ("customers", "events")
REQUESTS = 15
"""How many requests are answered before the signal."""
FEW = 10
"""How many of them a run may repeat that goes on where the last one was stopped."""

BATCH = {
    "target-duckdb": {"batch_size_rows": 100},
    "target-postgres": {"batch_size_rows": 100},
    "target-jsonl": {},
}
"""The shop is smaller than any real one, and so is a batch."""

SIGNALS = {
    "Ctrl-C": signal.SIGINT,
    "SIGTERM": signal.SIGTERM,
    "`kill -9`": signal.SIGKILL,
}
STATE_ID = "sandbox:tap-gorgias-to-target-duckdb"


@dataclass
class Pipeline:
    """A command that runs a tap and a target, and what it has read and loaded."""

    target: Target
    sandbox: Sandbox
    command: Sequence[str]
    folder: Path
    variables: Mapping[str, str]
    has_caught_up: Callable[[], bool]
    output: str = field(default="", init=False)
    _answered: int = field(default=0, init=False)
    _is_stopped: bool = field(default=False, init=False)

    def run(self, *options: str, stop_by: signal.Signals | None = None) -> int:
        """Run until all processes have ended, and return the exit code."""
        with running(
            [*self.command, *options],
            cwd=self.folder,
            env={**os.environ, **self.variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            if stop_by:
                self._stop(process.pid, stop_by)
            self.output = process.communicate(timeout=TIMEOUT_SECONDS)[0].decode()
        self.sandbox.remove_callbacks()
        return process.returncode

    def _stop(self, group: int, number: signal.Signals) -> None:
        """Send a signal once the target has caught up with some requests."""

        def count(_: Shop, __: Request) -> None:
            self._answered += 1
            if self._answered > REQUESTS:
                wait_until(lambda: self._is_stopped or self.has_caught_up())
            if self._answered == REQUESTS + len(STREAMS):
                self._is_stopped = True  # the target will not catch up any more
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(group, number)

        self.sandbox.before_request(count)

    @property
    def repeated(self) -> float:
        """The number of requests of this run that the first one had made, too."""
        rows = sum(len(getattr(self.sandbox.shop, name)) for name in STREAMS)
        return self.sandbox.count() - (rows / 100 - REQUESTS)

    def check_rows(self) -> None:
        """Compare the target with the shop."""
        found = self.target.rows(*STREAMS)
        for stream in STREAMS:
            ids = {row["id"] for row in found[stream]}
            assert ids == set(getattr(self.sandbox.shop, stream).ids()), stream


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A shop that takes 60 requests."""
    shop = Shop(seed=4, tickets=100, customers=3_600, events=2_400)
    with Sandbox(shop) as sandbox:
        yield sandbox


def keys_only() -> dict[str, Any]:
    """Select only the keys of the streams, so that the tests are fast."""
    catalog = catalog_of(*STREAMS)
    for entry in catalog["streams"]:
        for one in entry["metadata"]:
            if one["breadcrumb"]:
                one["metadata"]["selected"] = False
    return catalog


def is_recent(states: str, sandbox: Sandbox) -> bool:
    """Return whether a state has the cursor of one of the last pages of customers."""
    requests = [one for one in sandbox.requests if one.path == "/api/customers"]
    return any(one.query.get("cursor", ["?"])[0] in states for one in requests[-2:])


@contextlib.contextmanager
def piped(name: str, sandbox: Sandbox, folder: Path) -> Iterator[Pipeline]:
    """Connect the tap and a target by a pipe, as in the README."""
    states, files = folder / "states.jsonl", Files(folder)
    states.write_text("{}\n")
    with contextlib.ExitStack() as stack:
        target = target_of(name, folder, stack)
        settings = {**settings_of(target), **BATCH[name]}
        tap = files.arguments(sandbox.config, catalog=keys_only())
        words = [*target.command, "--config", files.write("target", settings)]
        script = (
            "set -o pipefail; exec 3>&1; tail -n 1 states.jsonl > state.json;"
            f" {shlex.join(tap)} --state state.json 2>> log"
            f" | {shlex.join(map(str, words))} 2>> log >> states.jsonl"
        )

        def has_caught_up() -> bool:
            if name == "target-duckdb":
                return is_recent(states.read_text(), sandbox)
            loaded = (folder / "log").read_text().count('"batch_processing_time"')
            return loaded >= REQUESTS or name == "target-jsonl"

        yield Pipeline(
            target,
            sandbox,
            ["bash", "-c", script],
            folder,
            target.variables,
            has_caught_up,
        )


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("target", ["target-duckdb", "target-postgres"])
def test_the_next_run_requests_only_what_is_left(
    sandbox: Sandbox, tmp_path: Path, target: str, name: str
) -> None:
    """All rows arrive; the page names the interruptions that cost more."""
    column = 3 if name == "`kill -9`" else 2
    [line] = [
        row for row in table("target", "when it writes STATE") if target in row[0]
    ]
    costs_more = line[column].startswith("up to 5 minutes")
    with piped(target, sandbox, tmp_path) as pipeline:
        assert pipeline.run(stop_by=SIGNALS[name]) != 0
        pipeline.sandbox.reset_counters()

        assert pipeline.run() == 0

        pipeline.check_rows()
        assert (pipeline.repeated > FEW) is costs_more


def test_an_interrupted_run_into_files_is_repeated(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """target-jsonl writes its only state at the end."""
    with piped("target-jsonl", sandbox, tmp_path) as pipeline:
        pipeline.run(stop_by=signal.SIGINT)
        pipeline.sandbox.reset_counters()

        assert pipeline.run() == 0

        pipeline.check_rows()
        assert pipeline.repeated >= REQUESTS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Meltano project whose plugins are installed."""
    folder = tmp_path_factory.mktemp("project")
    meltano.copy_to(folder)
    meltano.install_in_place(
        folder, {"target-duckdb": f"exec {executable('target-duckdb')}"}
    )
    return folder


@pytest.mark.parametrize("name", ["Ctrl-C", "`kill -9`"])
def test_meltano_resumes_as_well(
    sandbox: Sandbox, folder: Path, tmp_path: Path, name: str
) -> None:
    """It has stored the states that the target wrote."""
    target = DuckDB(tmp_path)
    variables = meltano.clean_environment(sandbox.url) | {
        "TAP_GORGIAS__SELECT": json.dumps([f"{stream}.id" for stream in STREAMS]),
        "TAP_GORGIAS__LOAD_SCHEMA": "gorgias",
        "TARGET_DUCKDB_PATH": target.settings["path"],
        "TARGET_DUCKDB_BATCH_SIZE_ROWS": "100",
        "MELTANO_DATABASE_URI": f"sqlite:///{tmp_path}/meltano.db",
    }

    def has_caught_up() -> bool:
        query = "SELECT completed_state || partial_state FROM state"
        with contextlib.closing(sqlite3.connect(tmp_path / "meltano.db")) as database:
            return is_recent(str(database.execute(query).fetchall()), sandbox)

    command = [str(executable("meltano")), "--environment", "sandbox", "run"]
    command += ["--no-install", "tap-gorgias", "target-duckdb"]
    pipeline = Pipeline(target, sandbox, command, folder, variables, has_caught_up)
    assert pipeline.run(stop_by=SIGNALS[name]) != 0
    sandbox.reset_counters()

    if name == "`kill -9`":
        assert pipeline.run() != 0
        assert "already running" in pipeline.output
        command.insert(command.index("run") + 1, "--force")
    assert pipeline.run() == 0

    pipeline.check_rows()
    assert pipeline.repeated <= FEW


def test_the_batches_of_duckdb_are_small() -> None:
    """A state comes after 1,000 rows of a stream, with Meltano and with a pipe."""
    [of_meltano] = [
        one["config"]
        for one in project()["plugins"]["loaders"]
        if one["name"] == "target-duckdb"
    ]
    of_pipe = json.loads(block("flush_all_streams", "json"))
    for settings in (of_meltano, of_pipe):
        assert settings["batch_size_rows"] == 1_000
        assert settings["flush_all_streams"] is True
