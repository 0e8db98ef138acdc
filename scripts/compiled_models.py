"""Write the models as plain SQL: `scripts/compiled_models.py DBT FOLDER`.

DBT is the command of a dbt with the adapters of all four warehouses. The statements
create the models in the schema `gorgias_models`, from tables in `gorgias`. No warehouse
is needed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parents[1]
DATABASE = "the_database_of_the_reader"
LOGIN = {"user": "none", "password": "none"}
WAREHOUSES: Mapping[str, Mapping[str, Any]] = {
    "duckdb": {"path": f"{DATABASE}.duckdb"},
    "postgres": {"host": "localhost", "port": 5432, "dbname": DATABASE, **LOGIN},
    "bigquery": {"method": "oauth", "project": DATABASE},
    "snowflake": {"account": "none", "database": DATABASE, **LOGIN},
}
"""Settings of the adapters."""
CREDENTIALS = {
    "type": "authorized_user",
    "token": "none",
    "expiry": "2099-01-01T00:00:00Z",  # never requested again
    **dict.fromkeys(("client_id", "client_secret", "refresh_token"), "none"),
}
HEADER = """\
-- The models of tap-gorgias for {warehouse}, with default settings: run this file after
-- each load. It reads tables in the schema `gorgias` and creates those in
-- `gorgias_models`, which must exist. docs/analysts.md explains them.
"""


def manifest(
    dbt: Path | str, warehouse: str, variables: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Compile the models for a warehouse and return the manifest of dbt.

    Raises:
        SystemExit: If they cannot be compiled; it holds the output of dbt.
    """
    output = {"type": warehouse, "threads": 2, **WAREHOUSES[warehouse]}
    output["dataset" if warehouse == "bigquery" else "schema"] = "gorgias_models"
    profiles = {"gorgias": {"target": "release", "outputs": {"release": output}}}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "profiles.yml").write_text(json.dumps(profiles), encoding="utf-8")
        credentials = folder / "credentials.json"
        credentials.write_text(json.dumps(CREDENTIALS), encoding="utf-8")
        command = [
            *(
                str(Path(dbt).absolute()),
                "compile",
                "--full-refresh",
                "--no-populate-cache",
                "--no-introspect",
            ),
            *("--project-dir", str(ROOT / "dbt"), "--profiles-dir", name),
            *("--target-path", name, "--log-path", name),
            *("--vars", json.dumps(dict(variables or {}))),
        ]
        environment = {
            **os.environ,
            "GOOGLE_APPLICATION_CREDENTIALS": str(credentials),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        }
        result = subprocess.run(  # noqa: S603
            command, cwd=name, env=environment, capture_output=True, check=False
        )
        if result.returncode:
            sys.exit(result.stdout.decode())
        text = (folder / "manifest.json").read_text(encoding="utf-8")
        content: dict[str, Any] = json.loads(text)
        return content


def statements(warehouse: str, content: Mapping[str, Any]) -> Iterator[str]:
    """Yield the statements that create the models, each after those that it reads."""
    models = {
        key: node
        for key, node in content["nodes"].items()
        if node["resource_type"] == "model"
    }
    created: set[str] = set()
    while waiting := sorted(models.keys() - created):
        for key in waiting:
            needed = set(models[key]["depends_on"]["nodes"]) & models.keys()
            if needed <= created:
                created.add(key)
                yield from _create(warehouse, models[key])


def _create(warehouse: str, node: Mapping[str, Any]) -> Iterator[str]:
    """Yield the statements that create a model."""
    name, query = (
        _without_database(node[key]) for key in ("relation_name", "compiled_code")
    )
    kind = "view" if node["config"]["materialized"] == "view" else "table"
    if kind == "table" and warehouse == "postgres":
        yield f"drop table if exists {name} cascade"
        yield f"create table {name} as\n{query}"
    else:
        yield f"create or replace {kind} {name} as\n{query}"


def _without_database(sql: str) -> str:
    """Remove the name of the database, which is that of the connection."""
    for quote in ('"', "`", ""):
        sql = sql.replace(f"{quote}{DATABASE}{quote}.", "")
    lines = (line.rstrip() for line in sql.strip().splitlines())
    return "\n".join(line for line in lines if line)


def main(dbt: str, folder: str) -> None:
    """Write a file for each warehouse."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for warehouse in WAREHOUSES:
        content = manifest(dbt, warehouse)
        text = ";\n\n".join(statements(warehouse, content))
        path = Path(folder) / f"gorgias-models-{warehouse}.sql"
        header = HEADER.format(warehouse=warehouse)
        path.write_text(f"{header}\n{text};\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
