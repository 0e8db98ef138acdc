"""Print the rows that queries find, a list per query: `ask_bigquery.py PROJECT ...`."""

from __future__ import annotations

import json
import sys
from datetime import datetime

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

project, *queries = sys.argv[1:]
client = bigquery.Client(project=project, credentials=AnonymousCredentials())
for query in queries:
    rows = [dict(row) for row in client.query(query).result()]
    print(json.dumps(rows, default=datetime.isoformat))
