"""The recipes for Meltano work in the order and with the settings of the documents."""

from __future__ import annotations

import json
import os
import random
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]  # comes with the SDK, without types

from tests.sandbox import Sandbox, Shop
from tests.sandbox.answers import Refusal
from tests.sandbox.times import iso
from tests.support.documents import ROOT, block, text
from tests.support.runs import DEFAULT_STREAMS
from tests.targets import meltano, shop
from tests.targets.environments import executable
from tests.targets.loading import DuckDB
from tests.targets.processes import output_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sandbox import Request

WORKFLOW = ROOT / "deploy" / "github-actions.yml"

ECHO = """exec python3 -c '
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message["type"] == "STATE":
        print(json.dumps(message["value"]))
'"""
"""A target that loads nothing."""

SETTINGS_OF_BUCKETS = """
import importlib

print("STATE_BACKEND_URI")
for cloud in "azure", "google", "s3":
    settings = importlib.import_module(f"meltano.core.state_store.{cloud}.settings")
    for one in vars(settings).values():
        if type(one).__name__ == "SettingDefinition":
            print(one.name.replace(".", "_").upper())
"""

OF_EACH_KIND = {
    "deletions": "log",
    "ticket_details": "child",
    "ticket_messages": "settled child",
    "tickets": "feed",
    "voice_call_events": "cursor list",
}


@dataclass
class Recipes:
    """A project in which recipes are followed, and the helpdesk that they load."""

    folder: Path
    sandbox: Sandbox

    def follow(self, recipe: str, **variables: str) -> str:
        """Run a shell block of a document in Meltano's default environment."""
        project = meltano.Project(self.folder, self.sandbox.url)
        return project.shell(recipe, **variables)

    def insert(self, kind: str, recipe: str) -> None:
        """Add the plugins of a YAML block to meltano.yml."""
        file = self.folder / "meltano.yml"
        content = yaml.safe_load(file.read_text("utf-8"))
        content["plugins"][kind] += yaml.safe_load(recipe)
        file.write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")

    def tables(self, file: str, schema: str, *streams: str) -> dict[str, list[Any]]:
        """Return the rows of a DuckDB database."""
        return DuckDB(self.folder, file, schema).rows(*streams)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose plugins are installed, except for a warehouse."""
    folder = tmp_path_factory.mktemp("project")
    meltano.copy_to(folder)
    loaders = ("target-duckdb", "target-jsonl")
    commands = {name: f"exec {executable(name)}" for name in loaders}
    meltano.install_in_place(folder, {**commands, "target-bigquery": ECHO})
    return folder


@pytest.fixture
def recipes(folder: Path) -> Iterator[Recipes]:
    """The project with an unchanged meltano.yml, and a small helpdesk."""
    original = (folder / "meltano.yml").read_bytes()
    with Sandbox(Shop(seed=6, tickets=120, customers=130, events=150)) as sandbox:
        yield Recipes(folder, sandbox)
    (folder / "meltano.yml").write_bytes(original)


def sign_in(sandbox: Sandbox) -> dict[str, str]:
    """Return the variables that users set first, as the README says."""
    names = ("subdomain", "email", "api_key")
    return {f"TAP_GORGIAS_{name.upper()}": sandbox.config[name] for name in names}


def test_the_history_is_complete_before_the_hourly_runs(recipes: Recipes) -> None:
    """The hourly runs begin with the day of the backfill, and all rows are there."""
    filled, variables = recipes.sandbox.shop, sign_in(recipes.sandbox)
    commands = block("meltano run backfill").replace("2026-11-28", iso(filled.end)[:10])
    start, history, hourly = commands.splitlines()
    recipes.follow(f"{start}\n{history}", **variables)
    assert all(request.status == 200 for request in recipes.sandbox.requests)
    filled.advance(3_600)
    newest = filled.tickets.ids()[-1]
    filled.tickets.update(newest, subject="Changed")
    recipes.sandbox.reset_counters()

    recipes.follow(hourly, **variables)

    found = recipes.tables("helpdesk.duckdb", "gorgias", *DEFAULT_STREAMS)
    for name in DEFAULT_STREAMS:
        keys = {(row["domain" if name == "account" else "id"],) for row in found[name]}
        assert keys == shop.keys(filled, name), name
    [changed] = [row for row in found["tickets"] if row["id"] == newest]
    assert changed["subject"] == "Changed"
    assert recipes.sandbox.count("/api/tickets") <= 3


def test_accounts_are_loaded_into_their_own_schemas(recipes: Recipes) -> None:
    """Every row has the name of its account; a target can be inherited as well."""
    recipes.insert("extractors", block("load_schema: shoes", "yaml"))
    recipes.insert("loaders", block("target-duckdb-shoes", "yaml"))
    commands = block("TAP_GORGIAS_SHOES_API_KEY").replace("you@", "agent@")
    head, tail = commands.rsplit("target-duckdb", 1)
    commands = f"{head}target-duckdb-shoes{tail}"
    for account in ("acme", "shoes"):
        commands = commands.replace(f"the API key of {account}", "sandbox-api-key")
    with Sandbox(Shop(seed=7, tickets=40)) as other:
        recipes.follow(
            commands,
            TAP_GORGIAS_ACME_EMAIL="agent@example.com",
            TAP_GORGIAS_SHOES_EMAIL="agent@example.com",
            TAP_GORGIAS_SHOES_API_URL=other.url,
            TAP_GORGIAS__SELECT='["tags.*", "tickets.*"]',
        )

        for sandbox, file, schema in (
            (recipes.sandbox, "helpdesk.duckdb", "acme"),
            (other, "shoes-helpdesk.duckdb", "shoes"),
        ):
            found = recipes.tables(file, schema, "tags", "tickets")
            for name, rows in found.items():
                ids = getattr(sandbox.shop, name).ids()
                assert {row["id"] for row in rows} == set(ids)
                assert {row["helpdesk"] for row in rows} == {schema}


def test_a_state_can_be_edited(recipes: Recipes) -> None:
    """Streams are read again, and the copy of the state restores the old one."""
    variables = sign_in(recipes.sandbox)
    variables["TAP_GORGIAS__SELECT"] = '["customers.*", "satisfaction_surveys.*"]'
    run = "meltano run --full-refresh tap-gorgias target-bigquery"
    recipes.follow(run, **variables)
    (recipes.folder / "scripts").symlink_to(ROOT / "scripts")
    edit = block("meltano state get dev:tap-gorgias-to-target-duckdb")
    recipes.follow(edit.replace("target-duckdb", "target-bigquery"))
    recipes.sandbox.reset_counters()
    run = run.replace("--full-refresh ", "")

    recipes.follow(run, **variables)
    assert recipes.sandbox.count() == 3  # two pages of customers and one of surveys

    recipes.follow(block("--input-file before.json"))
    recipes.sandbox.reset_counters()
    recipes.follow(run, **variables)
    assert recipes.sandbox.count() == 2


def test_large_streams_can_be_loaded_into_bigquery_one_by_one(
    recipes: Recipes,
) -> None:
    """The state has an entry for each of them, and the state before them is empty."""
    variables = sign_in(recipes.sandbox)
    state_id = "dev:tap-gorgias-to-target-bigquery"
    recipes.follow(f"meltano state clear --force {state_id}")
    recipes.follow(block("for stream in"), **variables)

    stored = json.loads(recipes.follow(f"meltano state get {state_id}"))
    names = {"customers", "events", "ticket_messages", "tickets"}
    assert stored["singer_state"]["bookmarks"].keys() == names
    assert "bookmarks" not in (recipes.folder / "before.json").read_text("utf-8")


def test_tickets_can_be_read_in_full(recipes: Recipes) -> None:
    """The extractor has its own state, which has no bookmark."""
    recipes.insert("extractors", block("tap-gorgias-weekly", "yaml"))
    run = "meltano run tap-gorgias-weekly target-bigquery"
    for _ in range(2):
        recipes.sandbox.reset_counters()
        recipes.follow(run, **sign_in(recipes.sandbox))
        assert recipes.sandbox.count() == 2


def test_a_schedule_runs_and_tells_when_it_was_complete(recipes: Recipes) -> None:
    """Its state is in a backend, here a folder in place of a bucket."""
    backend = yaml.safe_load(block("state_backend", "yaml"))
    backend["state_backend"]["uri"] = f"file://{recipes.folder}/bucket"
    file = recipes.folder / "meltano.yml"
    file.write_text(file.read_text("utf-8") + yaml.safe_dump(backend), "utf-8")
    settings = sign_in(recipes.sandbox)
    settings["TAP_GORGIAS__SELECT"] = '["customers.*", "tags.*"]'
    variables = recipes.folder / ".env"
    variables.write_text("".join(f"{name}='{one}'\n" for name, one in settings.items()))
    _, line = block("meltano schedule run", "text").splitlines()
    run = line.split(maxsplit=5)[5].replace("/srv/helpdesk", str(recipes.folder))
    began = datetime.now(timezone.utc)

    assert recipes.follow(run, MELTANO_AUTO_INSTALL="false") == ""

    variables.unlink()
    assert list((recipes.folder / "bucket").rglob("state.json"))
    complete = recipes.follow(block("meltano logs list"))
    assert datetime.fromisoformat(complete.strip()) > began


def test_a_failed_run_is_not_the_last_complete_one(
    recipes: Recipes, tmp_path: Path
) -> None:
    """The list is in the form that Meltano prints."""
    ends = {"SUCCESS": "2026-11-28T09:16:00+00:00", "FAIL": "2026-11-28T10:16:00+00:00"}
    runs = [{"state": state, "ended_at": end} for state, end in ends.items()]
    command = tmp_path / "meltano"
    command.write_text(f"#!/bin/sh\necho '{json.dumps({'runs': runs})}'\n")
    command.chmod(0o700)
    path = f"{tmp_path}:{os.environ['PATH']}"

    shown = recipes.follow(block("meltano logs list"), PATH=path)
    assert shown.strip() == ends["SUCCESS"]


def test_meltano_knows_the_settings_of_buckets() -> None:
    """It reads those that the documents name from the environment."""
    named = set(
        re.findall(r"MELTANO_(STATE_BACKEND_\w+)", text() + WORKFLOW.read_text("utf-8"))
    )
    known = output_of([executable("meltano", "python"), "-c", SETTINGS_OF_BUCKETS])
    assert named
    assert named <= set(known.split())


@pytest.mark.parametrize("begin", ["interrupted", "complete"])
def test_a_refresh_that_stops_loses_nothing(recipes: Recipes, begin: str) -> None:
    """Meltano merges its state into the old one; the next run reads what is left."""
    filled, dice = recipes.sandbox.shop, random.Random(begin)  # noqa: S311 (repeatable)
    variables = sign_in(recipes.sandbox)
    variables["TAP_GORGIAS__SELECT"] = json.dumps([f"{one}.*" for one in OF_EACH_KIND])
    variables["TARGET_DUCKDB_BATCH_SIZE_ROWS"] = "50"
    variables["TARGET_DUCKDB_PATH"] = "before.duckdb"
    run = "meltano run tap-gorgias target-duckdb"
    refresh = run.replace("meltano run ", "meltano run --full-refresh ")
    stop_at(recipes.sandbox, dice.randrange(8, 40) if begin == "interrupted" else 0)
    recipes.follow(f"{refresh} || true", **variables)
    variables["TARGET_DUCKDB_PATH"] = f"{begin}.duckdb"
    stop_at(recipes.sandbox, dice.randrange(8, 40))
    recipes.follow(f"! {refresh}", **variables)
    recipes.sandbox.remove_callbacks()

    recipes.follow(run, **variables)

    found = recipes.tables(f"{begin}.duckdb", "gorgias", *OF_EACH_KIND)
    for name in OF_EACH_KIND:
        assert {(row["id"],) for row in found[name]} == shop.keys(filled, name), name


def stop_at(sandbox: Sandbox, number: int) -> None:
    """Refuse the key from a request on; never if the number is 0."""
    sandbox.remove_callbacks()
    count = iter(range(1, 100_000))

    def refuse(_: Shop, __: Request) -> None:
        if number and next(count) >= number:
            raise Refusal(401, "The key was revoked.")

    sandbox.before_request(refuse)
