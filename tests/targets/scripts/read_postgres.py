"""Write the rows of a PostgreSQL schema as JSON; see `tests/targets/trying.py`."""

import json
import subprocess
import sys
from pathlib import Path

config = json.loads(Path(sys.argv[1]).read_text("utf-8"))
schema = config["default_target_schema"]
login = ("-h", config["host"], "-U", config["user"], "-d", config["dbname"])


def lines(query: str) -> list[str]:
    """Run a query and return its only column, one value per row."""
    command = ["psql", *login, "-X", "-q", "-A", "-t", "-c", query]
    result = subprocess.run(  # noqa: S603
        command, capture_output=True, check=True, encoding="utf-8"
    )
    return result.stdout.split("\n")[:-1]


tables = lines(
    f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{schema}'"
)
for name in tables:
    for row in lines(f'SELECT row_to_json(row) FROM "{schema}"."{name}" AS row'):
        sys.stdout.write(f"{name}\t{row}\n")
