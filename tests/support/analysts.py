"""The SQL statements of docs/analysts.md and the tables that they may use."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from tap_gorgias.tap import TapGorgias
from tests.support.documents import ANALYSTS, blocks

DIALECTS = {
    "DuckDB": "duckdb",
    "PostgreSQL": "postgres",
    "BigQuery": "bigquery",
    "Snowflake": "snowflake",
}


class Query(NamedTuple):
    """A statement of the page and one of the databases that it is written for."""

    database: str
    sql: str

    @property
    def is_view(self) -> bool:
        """Whether the statement creates a view that other queries use."""
        return "CREATE OR REPLACE VIEW" in self.sql


def queries() -> list[Query]:
    """Return each statement once for every database in its first line."""
    found = []
    for block in blocks("sql", ANALYSTS):
        first, _, sql = block.partition("\n")
        names = first.removeprefix("-- ").split(", ")
        found += [Query(name, sql) for name in names]
    return found


def query(database: str, *parts: str) -> str:
    """Return the only statement for a database that contains all these texts."""
    (one,) = (
        each.sql
        for each in queries()
        if each.database == database and all(part in each.sql for part in parts)
    )
    return one


def config() -> dict[str, Any]:
    """Return the settings of the page, with the statistics that its SQL uses."""
    (one,) = (json.loads(each) for each in blocks("json", ANALYSTS))
    settings: dict[str, Any] = one
    return settings


def tables() -> dict[str, list[str]]:
    """Return the columns of each table and of the page's views."""
    found = {
        name: list(stream.schema["properties"])
        for name, stream in TapGorgias(config=config()).streams.items()
    }
    views = {f"current_{name}": found[name] for name in ("tickets", "customers")}
    return {**found, **views}
