"""Print the rows that queries find, a list per query: `ask_snowflake.py PORT ...`."""

from __future__ import annotations

import json
import sys
from datetime import date
from typing import Any

import snowflake.connector


def plain(value: Any) -> Any:
    """Convert dates, date-times and decimal numbers for JSON."""
    return value.isoformat() if isinstance(value, date) else float(value)


port, *queries = sys.argv[1:]
connection = snowflake.connector.connect(
    account="none",
    user="none",
    password="none",
    host="127.0.0.1",
    port=int(port),
    protocol="http",
)
for query in queries:
    cursor = connection.cursor(snowflake.connector.DictCursor)
    rows = [
        {name.lower(): value for name, value in row.items()}
        for row in cursor.execute(query)
    ]
    print(json.dumps(rows, default=plain))
