"""The README's recipes without Meltano, in its order, with a real target."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.sandbox import Sandbox, Shop
from tests.support.documents import ROOT, block
from tests.targets.environments import FOLDER, project
from tests.targets.loading import DuckDB

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Reader:
    """A folder in which the examples of the README were saved."""

    folder: Path
    sandbox: Sandbox

    def follow(self, words: str) -> str:
        """Run the shell block that contains some words."""
        recipe = block(words).replace("/path/to/tap-gorgias", str(ROOT))
        recipe = re.sub(r" (?=scripts/)", f" {ROOT}/", recipe)
        for name in ("email", "api_key"):
            variable = f"TAP_GORGIAS_{name.upper()}"
            value = self.sandbox.config[name]
            recipe = re.sub(f"{variable}=.*", f"{variable}={value}", recipe)
        done = subprocess.run(  # noqa: S603
            ["bash", "-euo", "pipefail", "-c", recipe],  # noqa: S607
            cwd=self.folder,
            env={
                **os.environ,
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "TAP_GORGIAS_API_URL": self.sandbox.url,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2_000:]
        return done.stdout


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """The files of the README, without its start date and with another account."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / ".venv-target").symlink_to(FOLDER / "target-duckdb")
    config = json.loads(block("your API key", "json"))
    target = json.loads(block("flush_all_streams", "json"))
    with Sandbox(Shop(seed=5, tickets=150)) as sandbox:
        del config["start_date"]
        (folder / "config.json").write_text(json.dumps(config | sandbox.config))
        (folder / "target.json").write_text(json.dumps(target))
        yield Reader(folder, sandbox)


def test_the_target_of_the_readme_is_installed_here() -> None:
    """Its packages are those of meltano.yml, which the tests install."""
    commands = block(".venv-target/bin/pip")
    [loader] = [
        one for one in project()["plugins"]["loaders"] if one["name"] == "target-duckdb"
    ]
    for package in loader["pip_url"].split():
        assert package in commands


def test_the_pipe_loads_everything_and_later_what_changed(reader: Reader) -> None:
    """The script for schedules goes on from there, under the environment of cron."""
    reader.follow("--state state.json")
    assert "email" in reader.follow("FROM gorgias.tickets GROUP BY ALL")
    found = DuckDB(reader.folder).rows("tickets", "ticket_messages")
    shop, sandbox = reader.sandbox.shop, reader.sandbox
    assert {row["id"] for row in found["tickets"]} == set(shop.tickets.ids())
    assert {row["id"] for row in found["ticket_messages"]} == set(shop.messages.ids())
    first = sandbox.count()
    sandbox.reset_counters()
    reader.follow("--state state.json")
    assert 0 < sandbox.count() < first
    shop.advance(3_600)
    newest = shop.tickets.ids()[-1]
    shop.tickets.update(newest, subject="Changed")

    command = block("load.sh /srv").replace("/path/to/tap-gorgias", str(ROOT))
    done = subprocess.run(  # noqa: S603
        ["bash", "-c", command.replace("/srv/gorgias", str(reader.folder))],  # noqa: S607
        env={
            "PATH": "/usr/bin:/bin",
            "TAP": f"{Path(sys.executable).parent}/tap-gorgias",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (reader.folder / "complete.log").exists()
    [row] = [
        one
        for one in DuckDB(reader.folder).rows("tickets")["tickets"]
        if one["id"] == newest
    ]
    assert row["subject"] == "Changed"


def test_streams_can_be_selected(reader: Reader) -> None:
    """Only the two streams of the page are read."""
    reader.follow("--catalog catalog.json > rows.jsonl")

    lines = (reader.folder / "rows.jsonl").read_text("utf-8").split("\n")[:-1]
    schemas = {one["stream"] for one in map(json.loads, lines) if "schema" in one}
    assert schemas == {"messages", "tickets"}


def test_settings_come_from_the_environment(reader: Reader) -> None:
    """The catalog is discovered with them, and nothing is requested."""
    assert json.loads(reader.follow("--config=ENV"))["streams"]


def test_the_connection_can_be_tested(reader: Reader) -> None:
    """Every stream can be read."""
    reader.follow("--test")
