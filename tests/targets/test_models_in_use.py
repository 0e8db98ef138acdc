"""The models as people use them: with Meltano, as a package, copied, in a dashboard."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from scripts.dbt_sources import READ_IN_EVERY_RUN
from tests import demo_models
from tests.sandbox import Sandbox, Shop
from tests.support.documents import block
from tests.targets.dbt import PROJECT, Dbt
from tests.targets.environments import ROOT, SCRIPTS, executable
from tests.targets.meltano import Project, copy_to, install_in_place, install_script
from tests.targets.processes import output_of, running, wait_until

if TYPE_CHECKING:
    from pathlib import Path

DASHBOARD = ROOT / "dashboard" / "gorgias.py"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
CHARTS = 4
LOADED = "gorgias_sandbox"
ADDRESS = re.compile(r"URL: http://[^:]+:(\d+)")
_ASK = """
import duckdb, json, sys
database = duckdb.connect(sys.argv[1])
rows = [database.execute(query).fetchall() for query in sys.argv[2:]]
print(json.dumps(rows, default=str))
"""

_STOP = """
import duckdb, os, sys
database = duckdb.connect(sys.argv[1])
database.execute("CREATE TABLE built AS SELECT 1 AS id")
os._exit(0)
"""


def ask(
    database: Path, *queries: str, environment: str = "dbt"
) -> list[list[list[object]]]:
    """Return the rows that each query finds."""
    python = executable(environment, "python")
    output = output_of([python, "-c", _ASK, database, *queries])
    found: list[list[list[object]]] = json.loads(output)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which Meltano has built the models as the page says."""
    folder = tmp_path_factory.mktemp("project")
    copy_to(folder)
    install_in_place(folder, {"target-duckdb": str(executable("target-duckdb"))})
    install_script(folder, "utilities", "dbt", f'exec {executable("dbt")} "$@"')
    shop = Shop(tickets=300, satisfaction_surveys=200)
    with Sandbox(shop) as sandbox:
        project = Project(folder, sandbox.url)
        project.shell(block("dbt:freshness"), MELTANO_ENVIRONMENT="sandbox")
    return folder


def test_the_job_of_meltano_ends_with_the_models(folder: Path) -> None:
    """The figures are in the same file as the tables."""
    [[counts]] = ask(
        folder / "sandbox.duckdb",
        "SELECT (SELECT count(*) FROM gorgias_models.gorgias_tickets), count(*)"
        " FROM gorgias_sandbox.tickets WHERE trashed_datetime IS NULL AND NOT spam",
    )
    assert counts[0] == counts[1] != 0


def test_freshness_is_that_of_the_last_run(folder: Path) -> None:
    """It rests on tables that are never empty."""
    text = (folder / "dbt" / "target" / "sources.json").read_text("utf-8")
    results = json.loads(text)["results"]
    assert len(results) == len(READ_IN_EVERY_RUN)
    assert all(one["status"] == "pass" for one in results)
    assert all(one["max_loaded_at_time_ago_in_s"] < 3_600 for one in results)


def test_the_end_of_the_demo_draws_three_tables(folder: Path) -> None:
    """They fit into 80 columns."""
    lines: list[str] = []

    def query(*queries: str) -> list[list[list[object]]]:
        return ask(folder / "sandbox.duckdb", *queries)

    demo_models.draw(query, lines.append)

    assert len(lines) > 25
    assert max(len(line) for text in lines for line in text.split("\n")) <= 80
    assert sum(demo_models.BARS[8] in line for line in lines) > 15


def test_the_target_opens_a_file_that_an_interrupted_build_has_created(
    tmp_path: Path,
) -> None:
    """The target's DuckDB is older than that of dbt."""
    database = tmp_path / "helpdesk.duckdb"
    output_of([executable("dbt", "python"), "-c", _STOP, database])
    assert database.with_name("helpdesk.duckdb.wal").exists()

    found = ask(database, "SELECT id FROM built", environment="target-duckdb")

    assert found == [[[1]]]


def test_the_project_is_a_local_package(folder: Path) -> None:
    """The variables of the page and its join with a shop work in another project."""
    project = folder / "mine"
    project.mkdir()
    shutil.copytree(PROJECT, folder / "gorgias")
    variables = block("gorgias_timezone: Europe/Paris", "yaml")
    (project / "packages.yml").write_text(block("../gorgias", "yaml"))
    (project / "dbt_project.yml").write_text(
        f"name: mine\nprofile: gorgias\nmodels: {{}}\n{variables}"
    )
    database = folder / "package.duckdb"
    shutil.copy(folder / "sandbox.duckdb", database)
    connection, schema = {"path": str(database)}, {"gorgias_schema": LOADED}
    dbt = Dbt("duckdb", folder / "mine-dbt", connection, schema, project)

    dbt("deps")
    dbt("build", "--exclude-resource-type", "unit_test")

    create = "CREATE SCHEMA shop; CREATE TABLE shop.orders AS SELECT customer_id AS id,"
    _, values, orders = ask(
        database,
        f"{create} upper(email_lower) AS email, 10 AS total"
        " FROM gorgias_models.gorgias_customers",
        "SELECT count(contact_reason), count(times_reopened), count(calls)"
        " FROM gorgias_models.gorgias_tickets",
        block("shop.orders", "sql"),
    )
    assert values[0][0] > 0  # type: ignore[operator]
    assert values[0][1:] == [0, 0]  # events and calls are not loaded there
    assert len(orders) > 1
    assert all(row[2] == 10 * row[1] for row in orders)  # type: ignore[operator]


def test_a_copy_works_without_optional_streams(folder: Path) -> None:
    """Their tables need not exist."""
    shutil.copytree(PROJECT, folder / "copy")
    database = folder / "copy.duckdb"
    shutil.copy(folder / "sandbox.duckdb", database)
    missing = sorted(demo_models.OPTIONAL)
    ask(
        database,
        "DROP SCHEMA gorgias_models CASCADE",
        *(f"DROP TABLE {LOADED}.{name}" for name in missing),
    )
    variables = {"gorgias_streams_not_loaded": missing, "gorgias_schema": LOADED}
    connection = {"path": str(database)}
    dbt = Dbt("duckdb", folder / "copy-dbt", connection, variables, folder / "copy")

    dbt("build", "--exclude-resource-type", "unit_test")

    [[counts]] = ask(
        database,
        "SELECT count(*), count(first_response_seconds),"
        " count(first_response_business_seconds), count(satisfaction_score)"
        " FROM gorgias_models.gorgias_tickets",
    )
    assert counts[0] > counts[1] > 0  # type: ignore[operator]
    assert counts[2:] == [0, 0]


def test_the_dashboard_can_be_rendered(folder: Path, tmp_path: Path) -> None:
    """Its cells run; a browser, where there is one, draws each chart."""
    variables = {**os.environ, "GORGIAS_DUCKDB": str(folder / "sandbox.duckdb")}
    output_of([executable("marimo", "python"), DASHBOARD], env=variables)
    if not CHROMIUM:
        pytest.skip("There is no Chromium to draw the charts.")
    options = ("--headless", "--no-token", "--host", "127.0.0.1")
    log = tmp_path / "log"
    with (
        log.open("wb") as output,
        running(
            [executable("marimo"), "run", DASHBOARD, *options],
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
        ),
    ):
        wait_until(lambda: ADDRESS.search(log.read_text("utf-8")))
        [port] = ADDRESS.findall(log.read_text("utf-8"))
        url, image = f"http://127.0.0.1:{port}/", tmp_path / "dashboard.png"
        text = output_of(
            [
                *(executable("marimo", "python"), SCRIPTS / "screenshot.py"),
                *(CHROMIUM, url, image, str(CHARTS)),
            ]
        )
    assert "Helpdesk" in text
    assert "CSAT" in text
    assert image.read_bytes().startswith(b"\x89PNG")
