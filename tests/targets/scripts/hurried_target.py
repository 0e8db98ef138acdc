"""Run a target of the Meltano SDK without delays: `hurried_target.py NAME ...`.

target-bigquery sleeps for 5 s after creating a table, for 2.5 s after a temporary one,
and keeps idle workers for 30 s. With EACH_STATE set, a target loads its rows and writes
STATE on each STATE message, which it would otherwise do every five minutes.
"""

from __future__ import annotations

import os
import queue
import sys
import time
from importlib.metadata import entry_points
from types import SimpleNamespace
from typing import Any

from singer_sdk.target_base import Target

name = sys.argv[1]
del sys.argv[0]
if os.environ.get("EACH_STATE"):
    process_state = Target._process_state_message

    def process_state_at_once(self: Target, message: dict[str, Any]) -> None:
        """Process a STATE as if nothing had been loaded since 1970."""
        self._last_full_drain_at = 0
        process_state(self, message)

    Target._process_state_message = process_state_at_once
if name == "target-snowflake":
    import snowflake_target  # noqa: F401
if name == "target-bigquery":
    from target_bigquery import core

    core.time = SimpleNamespace(strftime=time.strftime, sleep=lambda _: None)
    get = queue.Queue.get

    def hurried_get(
        self: queue.Queue[Any],
        block: bool = True,  # noqa: FBT001, FBT002 (as in the original)
        timeout: float | None = None,
    ) -> Any:
        """Wait for the next job for only a short time."""
        return get(self, block, timeout and min(timeout, 0.1))

    queue.Queue.get = hurried_get

[command] = entry_points(group="console_scripts", name=name)
sys.exit(command.load()())
