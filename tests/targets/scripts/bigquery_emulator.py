"""Start bqemulator 1.4.0 with fixes; the arguments are bqemulator's own.

It refuses the first load job of the table named in FAILING_TABLE.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from bqemulator.api.routes import tables
from bqemulator.cli import main
from bqemulator.domain.errors import InvalidQueryError
from bqemulator.jobs import executor
from bqemulator.storage import type_map
from bqemulator.storage.engine import DuckDBEngine
from sqlglot import exp
from sqlglot.dialects.dialect import merge_without_target_sql
from sqlglot.dialects.duckdb import DuckDB

# The extension for geography would be downloaded.
DuckDBEngine._load_spatial = lambda _: None

# BigQuery accepts `UPDATE SET target.a = source.a` in a MERGE, DuckDB `SET a = ...`.
DuckDB.Generator.TRANSFORMS[exp.Merge] = merge_without_target_sql

# TIMESTAMP with a second argument, a time zone, is not translated.
timestamp_sql = DuckDB.Generator.TRANSFORMS[exp.Timestamp]


def timestamp_in_zone(generator: Any, node: exp.Timestamp) -> str:
    """Return the instant of a local time."""
    if not (zone := node.args.get("zone")):
        return timestamp_sql(generator, node)
    local = exp.cast(node.this, exp.DataType.Type.TIMESTAMP)
    return f"({generator.sql(local)} AT TIME ZONE {generator.sql(zone)})"


DuckDB.Generator.TRANSFORMS[exp.Timestamp] = timestamp_in_zone

# Names of nested fields are not quoted, though `to` is a keyword. The function calls
# itself for them by its name in `type_map`; `tables` has another name for it.
columns_of = tables.bq_schema_to_duckdb_columns


def quoted_columns_of(fields: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return quoted column names with their types."""
    return [(f'"{name}"', kind) for name, kind in columns_of(fields)]


type_map.bq_schema_to_duckdb_columns = quoted_columns_of

to_fail = {os.environ.get("FAILING_TABLE")}


def load(path: str, table: str, context: Any) -> None:
    """Load a file of JSON lines, which is compressed."""
    name = table.rpartition(".")[2].strip('"').partition("__")[0]
    if name in to_fail:
        to_fail.remove(name)
        refusal = "This load job was to fail."
        raise InvalidQueryError(refusal)
    statement = f"COPY {table} FROM ? (FORMAT JSON, COMPRESSION gzip)"
    context.engine.execute(statement, [path])


executor._LOAD_FORMAT_HANDLERS["NEWLINE_DELIMITED_JSON"] = load

sys.exit(main())
