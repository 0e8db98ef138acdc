"""A minimal reader: fetch every page, parse it, and print its rows.

    python tests/benchmarks/floor.py config.json /api/tickets?limit=100 ...

It uses the tap's libraries for HTTP and JSON, so the difference is the tap's own cost.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import msgspec
import requests


def main() -> None:
    """Read each list to its end."""
    config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with requests.Session() as session:
        session.auth = (config["email"], config["api_key"])
        for path in sys.argv[2:]:
            params: dict[str, str] = {}
            while True:
                answer = session.get(config["api_url"] + path, params=params)
                page = msgspec.json.decode(answer.content)
                for row in page["data"]:
                    sys.stdout.buffer.write(msgspec.json.encode(row) + b"\n")
                if not page["meta"]["next_cursor"]:
                    break
                params = {"cursor": page["meta"]["next_cursor"]}


if __name__ == "__main__":
    main()
