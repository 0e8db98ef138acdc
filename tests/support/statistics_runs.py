"""Runs of the tap that read statistics."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.support.runs import Output, run

if TYPE_CHECKING:
    from tests.sandbox import Sandbox
    from tests.support.fake_clock import FakeClock

PATH = "/api/reporting/stats"
CREATED = "statistics_tickets_created"
ALL_BY_WEEK = {
    "name": "by_week",
    "scope": "tickets-created",
    "measures": ["ticketCount"],
    "granularity": "week",
}


def config_of(sandbox: Sandbox, *statistics: Any, **settings: Any) -> dict[str, Any]:
    """Return a config with reporting queries."""
    return {**sandbox.config, "statistics": list(statistics), **settings}


def read(
    sandbox: Sandbox,
    *statistics: Any,
    state: dict[str, Any] | None = None,
    clock: FakeClock | None = None,
    **settings: Any,
) -> Output:
    """Run the tap with only these statistics selected."""
    names = [one if isinstance(one, str) else one["name"] for one in statistics]
    streams = [f"statistics_{name}" for name in names]
    config = config_of(sandbox, *statistics, **settings)
    return run(config, *streams, state=state, clock=clock)


def requested_queries(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Return the reporting queries that the sandbox received."""
    return [
        json.loads(one.body)["query"] for one in sandbox.requests if one.path == PATH
    ]


def total(rows: list[dict[str, Any]]) -> float:
    """Add up the ticket counts of some rows."""
    return float(sum(row["ticket_count"] for row in rows))
