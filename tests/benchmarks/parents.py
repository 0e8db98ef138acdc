"""Measure a walk over many parents without HTTP: memory, STATE and duration.

    python -m tests.benchmarks.parents 1000000

Tickets come from memory, each with one message.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from tap_gorgias.compat import override
from tap_gorgias.replication.pages import Page
from tap_gorgias.streams.messages import TicketMessagesStream
from tap_gorgias.tap import TapGorgias
from tests.support.memory import MemoryStream, MemoryTickets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk.helpers import types

    from tap_gorgias.stream_types.stream import GorgiasStream

CONFIG = {"subdomain": "acme", "email": "ann@example.com", "api_key": "key"}
LONG_AGO = "2000-01-01T00:00:00.000000Z"
BEGINNING = datetime(2026, 1, 1, tzinfo=timezone.utc)
EARLY = 10_000


def page_of(cursor: str | None, parents: int) -> Page:
    """Return a page of tickets, newest first."""
    newest = int(cursor) if cursor else parents
    oldest = max(newest - 100, 0)
    rows = [
        {"id": n, "updated_datetime": (BEGINNING + timedelta(seconds=n)).isoformat()}
        for n in range(newest, oldest, -1)
    ]
    return Page(rows, str(oldest) if oldest else None)


def megabytes() -> float:
    """Return the peak memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(parents: int) -> None:
    """Walk over all parents and print the figures."""
    early: list[float] = []

    class Tickets(MemoryTickets):
        """Tickets from memory."""

        @override
        def page_at(self, cursor: str | None, context: types.Context | None) -> Page:
            if cursor and int(cursor) <= parents - EARLY and not early:
                early.append(megabytes())
            return page_of(cursor, parents)

    class TicketMessages(MemoryStream, TicketMessagesStream):
        """Messages from memory."""

        parent_stream_type = Tickets

        @override
        def page_at(self, cursor: str | None, context: types.Context | None) -> Page:
            parent = (context or {}).get("ticket_id")
            return Page([{"id": parent, "ticket_id": parent}] if parent else [])

    class Memory(TapGorgias):
        """The tap without HTTP."""

        @override
        def discover_streams(self) -> Sequence[GorgiasStream]:
            return [kind(self, self.run) for kind in (Tickets, TicketMessages)]

    done = {"replication_key_value": LONG_AGO}
    state = {"bookmarks": {"tickets": dict(done), "ticket_messages": dict(done)}}
    began = time.perf_counter()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123
        tap = Memory(config=dict(CONFIG), state=state)
        tap.sync_all()
    print(  # noqa: T201 (its purpose)
        f"{parents} parents: {time.perf_counter() - began:.0f} s, "
        f"{early[0] if early else megabytes():.1f} MB after {EARLY} parents, "
        f"{megabytes():.1f} MB at the end, STATE {len(json.dumps(tap.state))} bytes"
    )


if __name__ == "__main__":
    measure(int(sys.argv[1]))
