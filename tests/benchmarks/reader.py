"""Read tickets and messages in parallel, as fast as the tap's budget allows.

    python tests/benchmarks/reader.py config.json

It uses the tap's own client and writes nothing, so the budget is the bottleneck and not
the machine. It never ends by itself. `PYTHONPATH` may name another version of the
tap.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from tap_gorgias.api.client import Caller
from tap_gorgias.tap import TapGorgias

if TYPE_CHECKING:
    from tap_gorgias.api.client import GorgiasClient

ORDERS = {"tickets": "updated_datetime:desc", "messages": "created_datetime:desc"}


def read(client: GorgiasClient, stream: str) -> None:
    """Read a list page by page, repeatedly."""
    first: dict[str, str | int] = {"limit": 100, "order_by": ORDERS[stream]}
    params = first
    while True:
        reply = client.get(f"/api/{stream}", params, Caller(stream, ""))
        cursor = reply.value["meta"]["next_cursor"]
        params = {**first, "cursor": cursor} if cursor else first


def main() -> None:
    """Read both lists until the process is killed."""
    config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    client = TapGorgias(config=config).run.client
    readers = [
        threading.Thread(target=read, args=(client, stream)) for stream in ORDERS
    ]
    for reader in readers:
        reader.start()


if __name__ == "__main__":
    main()
