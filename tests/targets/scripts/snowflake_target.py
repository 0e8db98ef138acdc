"""Run target-snowflake 0.20.4 with fakesnow 0.12.1, which has no stages.

The lines of a staged file become rows of a table, and the target's MERGE runs in two
steps: its SELECT on that table, and its MERGE from the result. Its names, types, casts
and clauses are unchanged.
"""

from __future__ import annotations

import gzip
import os
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

from sqlalchemy import text
from target_snowflake.connector import SnowflakeConnector
from target_snowflake.target import TargetSnowflake

if TYPE_CHECKING:
    from collections.abc import Sequence

MERGE = re.compile(
    r"(merge into .* using )\((select .*) from '@[^']*'\(file_format => [^)]*\)"
    r" (QUALIFY .*)\)( s on .*)",
    re.DOTALL,
)


class Connector(SnowflakeConnector):
    """Connects over HTTP to the port in SNOWFLAKE_PORT."""

    def get_connect_args(self) -> dict[str, Any]:
        address = {"host": "127.0.0.1", "port": int(os.environ["SNOWFLAKE_PORT"])}
        return (
            super().get_connect_args()
            | address
            | {"protocol": "http", "schema": "PUBLIC"}
        )

    def run(self, statement: str, **values: str) -> Any:
        """Return the first row of a statement's result."""
        with self._connect() as connection, connection.begin():
            return connection.execute(text(statement), values).fetchone()

    def put_batches_to_stage(self, sync_id: str, files: Sequence[str]) -> None:
        lines: list[str] = []
        for file in files:
            with gzip.open(
                urlparse(file).path, "rt", encoding="utf-8", newline="\n"
            ) as staged:
                lines += staged
        self.run(
            f'create table PUBLIC."{sync_id}" as select value as src, index as n'
            " from table(flatten(parse_json(:lines)))",
            lines=f"[{','.join(lines)}]",
        )

    def merge_from_stage(self, sync_id: str, **options: Any) -> int:
        clause, _ = self._get_merge_from_stage_statement(sync_id=sync_id, **options)
        head, select, dedup, rest = MERGE.fullmatch(str(clause)).groups()
        select, dedup = select.replace("$1:", "src:"), dedup.replace("SEQ8()", "n")
        picked = f'PUBLIC."{sync_id}-picked"'
        self.run(f'create table {picked} as {select} from PUBLIC."{sync_id}" {dedup}')
        return sum(self.run(head + picked + rest))

    def remove_staged_files(self, sync_id: str) -> None:
        pass

    def drop_file_format(self, file_format: str) -> None:
        pass


TargetSnowflake.default_sink_class.connector_class = Connector
TargetSnowflake.max_parallelism = 1
