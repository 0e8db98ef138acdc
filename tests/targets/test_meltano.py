"""Runs through Meltano with this repository's meltano.yml and nothing from the Hub."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]  # comes with the SDK, without types

from tap_gorgias.tap import TapGorgias
from tests.sandbox import Sandbox
from tests.support.documents import block
from tests.support.runs import DEFAULT_STREAMS, LOOK_FOR_IMPORTS
from tests.targets import shop
from tests.targets.environments import executable, project
from tests.targets.meltano import Project, copy_to

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.targets.shop import Planted

STATE_ID = "sandbox:tap-gorgias-to-target-jsonl"


@dataclass
class Meltano:
    """A project folder as after `git clone`, connected to the sandbox."""

    folder: Path
    sandbox: Sandbox
    planted: Planted

    def follow(self, words: str, **replacements: str) -> None:
        """Run the shell block that contains some words."""
        recipe = block(words)
        for old, new in replacements.items():
            recipe = re.sub(rf"({old}=).*", rf"\1{new}", recipe)
        Project(self.folder, self.sandbox.url).shell(recipe)

    def __call__(self, *command: str, **variables: str) -> str:
        """Run Meltano in the environment `sandbox` and return its stdout."""
        return Project(self.folder, self.sandbox.url)(*command, **variables)

    def rows(self, stream: str) -> list[dict[str, Any]]:
        """Return the rows that target-jsonl has written so far."""
        file = self.folder / "output" / "sandbox" / f"{stream}.jsonl"
        text = file.read_text("utf-8")
        return [json.loads(line) for line in text.split("\n")[:-1]]


@pytest.fixture(scope="module")
def meltano(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meltano]:
    """A project that was installed and run as docs/meltano.md says."""
    folder = tmp_path_factory.mktemp("project")
    copy_to(folder)
    filled, planted = shop.planted_shop(tickets=420)
    with Sandbox(filled) as sandbox:
        meltano = Meltano(folder, sandbox, planted)
        meltano.follow("--environment sandbox run")
        yield meltano


LISTS = ("/api/tickets", "/api/messages", "/api/customers", "/api/events")


def test_the_second_run_reads_only_changes(meltano: Meltano) -> None:
    """The requests show that it starts where the first run ended."""
    sandbox, rows = meltano.sandbox, {}
    first = {path: sandbox.count(path) for path in LISTS}
    for name in DEFAULT_STREAMS:
        rows[name] = meltano.rows(name)
        found = {row["domain" if name == "account" else "id"] for row in rows[name]}
        assert found == {key for (key,) in shop.keys(sandbox.shop, name)}

    shop.change(sandbox.shop, meltano.planted)
    sandbox.reset_counters()
    meltano("run", "tap-gorgias", "target-jsonl")
    second = {path: sandbox.count(path) for path in LISTS}

    assert first["/api/tickets"] > 420 / 100
    assert first["/api/messages"] == ceil(len(sandbox.shop.messages) / 100)
    assert second["/api/customers"] == 1
    assert second["/api/tickets"] == 2  # ticket_messages checks whether settling is due
    assert second["/api/events"] == 2 + LOOK_FOR_IMPORTS  # events and deletions
    assert second["/api/messages"] < 5
    added = meltano.rows("tickets")[len(rows["tickets"]) :]
    changed = {meltano.planted.ticket, meltano.planted.later_ticket}
    assert changed <= {row["id"] for row in added}
    assert len(added) < 5


def test_state_is_in_the_database_of_meltano(meltano: Meltano) -> None:
    """It can be shown and edited by the id of the run."""
    meltano("run", "tap-gorgias", "target-jsonl")

    shown = json.loads(meltano("state", "get", STATE_ID))

    tables = meltano.folder / ".meltano" / "meltano.db"
    with closing(sqlite3.connect(tables)) as database:
        query = "SELECT completed_state FROM state WHERE state_id = ?"
        [(stored,)] = database.execute(query, (STATE_ID,)).fetchall()
    bookmarks = shown["singer_state"]["bookmarks"]
    assert json.loads(stored)["singer_state"]["bookmarks"] == bookmarks
    newest = max(row["updated_datetime"] for row in meltano.rows("tickets"))
    assert bookmarks["tickets"]["replication_key_value"] == newest


def test_the_environment_sandbox_has_its_own_files(meltano: Meltano) -> None:
    """The commands of the README, with an account, write to other ones."""
    before = {name: len(meltano.rows(name)) for name in DEFAULT_STREAMS}
    config = meltano.sandbox.config

    meltano.follow(
        "meltano run tap-gorgias target-jsonl\n",
        TAP_GORGIAS_EMAIL=config["email"],
        TAP_GORGIAS_API_KEY=config["api_key"],
    )

    files = (meltano.folder / "output").glob("*.jsonl")
    assert {file.stem for file in files} == set(DEFAULT_STREAMS)
    assert {name: len(meltano.rows(name)) for name in DEFAULT_STREAMS} == before
    own = meltano("config", "print", "target-duckdb")
    assert json.loads(own)["path"] == "sandbox.duckdb"


def test_queries_of_the_settings_are_streams(meltano: Meltano) -> None:
    """Meltano finds them in the catalog that the tap discovers."""
    queries = json.dumps(["tickets_created"])

    meltano("run", "tap-gorgias", "target-jsonl", TAP_GORGIAS_STATISTICS=queries)

    counts = [row["ticket_count"] for row in meltano.rows("statistics_tickets_created")]
    assert sum(counts) == len(meltano.sandbox.shop.tickets)


def test_meltano_selects_what_the_tap_selects_by_default(meltano: Meltano) -> None:
    """The list `select` excludes only what is deselected by default."""
    listing = meltano("select", "tap-gorgias", "--list")

    found = set(re.findall(r"\[(?:selected|automatic) *\] (\w+\.\w+)", listing))
    own = TapGorgias(validate_config=False).catalog
    assert found == {
        f"{name}.{breadcrumb[1]}"
        for name, entry in own.items()
        for breadcrumb, chosen in entry.metadata.resolve_selection().items()
        if chosen and len(breadcrumb) == 2
    }


def test_secrets_in_settings_of_the_sdk_are_hidden(meltano: Meltano) -> None:
    """The salt of stream maps, and the key of a bucket for BATCH files."""
    secret = {"secret": "hidden-text"}
    shown = meltano(
        *("config", "list", "tap-gorgias"),
        TAP_GORGIAS_STREAM_MAP_CONFIG=json.dumps(secret),
        TAP_GORGIAS_BATCH_CONFIG=json.dumps({"storage": {"params": secret}}),
    )

    assert "TAP_GORGIAS_STREAM_MAP_CONFIG" in shown
    assert "hidden-text" not in shown


def test_selection_rules_of_the_sdk_page_are_applied(meltano: Meltano) -> None:
    """They select whole streams, except for one field each."""
    example = yaml.safe_load(block("!rules.code_ast", "yaml"))
    rules = json.dumps(example["select"])

    listing = meltano("select", "tap-gorgias", "--list", TAP_GORGIAS__SELECT=rules)

    found = set(re.findall(r"\[(?:selected|automatic) *\] (\w+\.\w+)", listing))
    chosen = ("tickets", "rules")
    expected = {
        f"{stream.tap_stream_id}.{name}"
        for stream in TapGorgias(validate_config=False).catalog.streams
        for name in stream.schema.to_dict()["properties"]
        if stream.tap_stream_id in chosen
    } - {"tickets.excerpt", "rules.code_ast"}
    assert {one for one in found if one.startswith(("tickets.", "rules."))} == expected
    automatic = {one.partition(".")[2] for one in found - expected}
    assert automatic <= {
        "created_datetime",
        "domain",
        "id",
        "updated_datetime",
        "view_id",
    }


@pytest.mark.parametrize("name", ["target-postgres"])
def test_the_settings_of_a_loader_are_those_of_its_package(name: str) -> None:
    """Kinds and sensitive marks are equal too."""
    [loader] = [p for p in project()["plugins"]["loaders"] if p["name"] == name]
    about = subprocess.run(  # noqa: S603
        [executable(name), "--about", "--format", "json"],
        capture_output=True,
        check=True,
    )
    known = json.loads(about.stdout)["settings"]["properties"]

    for setting in loader["settings"]:
        kind = "string" if setting["kind"] == "options" else setting["kind"]
        assert kind in known[setting["name"]]["type"]
