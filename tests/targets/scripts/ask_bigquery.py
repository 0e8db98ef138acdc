"""Print the rows that queries find, a list per query: `ask_bigquery.py PROJECT ...`."""

from __future__ import annotations

import json
import sys
from datetime import date
from typing import Any

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery


def plain(value: Any) -> Any:
    """Convert dates, date-times and decimal numbers for JSON."""
    return value.isoformat() if isinstance(value, date) else float(value)


project, *queries = sys.argv[1:]
client = bigquery.Client(project=project, credentials=AnonymousCredentials())
for query in queries:
    rows = [dict(row) for row in client.query(query).result()]
    print(json.dumps(rows, default=plain))
