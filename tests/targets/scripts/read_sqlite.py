"""Write the rows of an SQLite database as JSON; see `tests/targets/trying.py`."""

import json
import sqlite3
import sys
from pathlib import Path

config = json.loads(Path(sys.argv[1]).read_text("utf-8"))
database = sqlite3.connect(config["database"] + ".db")
database.row_factory = sqlite3.Row
tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
for (name,) in tables.fetchall():
    for row in database.execute(f'SELECT * FROM "{name}"'):
        sys.stdout.write(f"{name}\t{json.dumps(dict(row))}\n")
