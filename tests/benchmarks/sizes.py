"""How large the data is: `python -m tests.benchmarks.sizes`.

Loads a shop of 2,000 tickets into DuckDB with the target of `.ci/run`, and prints the
bytes of each table in the tap's output and of the database, scaled to 100,000 tickets.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.sandbox import Sandbox, Shop
from tests.targets.environments import executable

TICKETS = 2_000
SCALE = 100_000 / TICKETS
LARGEST = 5


def load(folder: Path) -> Counter[str]:
    """Load the shop into `helpdesk.duckdb`; return the bytes of rows by stream."""
    shop = Shop(tickets=TICKETS, customers=3 * TICKETS, events=22 * TICKETS)
    settings = {"default_target_schema": "gorgias", "flush_all_streams": True}
    path = {"path": str(folder / "helpdesk.duckdb")}
    (folder / "target.json").write_text(json.dumps({**settings, **path}))
    rows = folder / "rows.jsonl"
    with Sandbox(shop) as sandbox, rows.open("wb") as output:
        (folder / "config.json").write_text(json.dumps(sandbox.config))
        config = str(folder / "config.json")
        tap = [sys.executable, "-m", "tap_gorgias", "--config", config]
        subprocess.run(tap, stdout=output, stderr=subprocess.DEVNULL, check=True)  # noqa: S603
    with rows.open("rb") as lines:
        config = str(folder / "target.json")
        target = [str(executable("target-duckdb")), "--config", config]
        quiet = subprocess.DEVNULL
        subprocess.run(target, stdin=lines, stdout=quiet, stderr=quiet, check=True)  # noqa: S603
    sizes: Counter[str] = Counter()
    with rows.open("rb") as lines:
        for line in lines:
            message = json.loads(line)
            if message["type"] == "RECORD":
                sizes[message["stream"]] += len(line)
    return sizes


def main() -> None:
    """Print a line for each figure."""
    with tempfile.TemporaryDirectory() as name:
        sizes = load(Path(name))
        file = (Path(name) / "helpdesk.duckdb").stat().st_size
    figures = [*sizes.most_common(LARGEST), ("all streams", sizes.total())]
    for what, size in [*figures, ("helpdesk.duckdb", file)]:
        print(f"{what:24} {size * SCALE / 1e9:6.2f} GB")  # noqa: T201 (its purpose)


if __name__ == "__main__":
    main()
