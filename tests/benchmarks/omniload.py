"""Count the requests of omniload against the sandbox, in about two minutes.

    python -m tests.benchmarks.omniload

It needs its own environment: `pip install --no-deps omniload`, and
`pip install 'dlt[duckdb]' pyrate-limiter`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import dlt  # type: ignore[import-not-found]
from omniload.source.gorgias.api import GorgiasSource  # type: ignore[import-not-found]

from tests.benchmarks.others import count
from tests.sandbox.auth import API_KEY, EMAIL

TABLES = ("tickets", "ticket_messages", "customers")


def load(folder: Path) -> str:
    """Load the tables into a database and return the row counts."""
    rows: dict[str, int] = {}
    for table in TABLES:
        pipeline = dlt.pipeline(
            f"gorgias_{table}",
            pipelines_dir=str(folder),
            destination=dlt.destinations.duckdb(str(folder / f"{table}.duckdb")),
        )
        uri = f"gorgias://acme?api_key={API_KEY}&email={EMAIL}"
        pipeline.run(GorgiasSource().dlt_source(uri, table))
        rows[table] = pipeline.last_trace.last_normalize_info.row_counts.get(table, 0)
    return str(rows)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        count(lambda: load(Path(temporary)))
