"""Write the rows of CSV files as JSON, a line for each; see `tests/targets/trying.py`.

The files are named after their stream, which a hyphen and a time may follow.
"""

import csv
import json
import sys
from pathlib import Path

csv.field_size_limit(2**31 - 1)
config = json.loads(Path(sys.argv[1]).read_text("utf-8"))
folder = config.get("output_path", config.get("destination_path"))
for path in sorted(Path(folder).rglob("*.csv"), key=lambda one: one.stat().st_mtime):
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            sys.stdout.write(f"{path.stem.partition('-')[0]}\t{json.dumps(row)}\n")
