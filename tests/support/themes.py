"""What random histories are about: streams, changes of the shop, and faults."""

from __future__ import annotations

import sys
from dataclasses import dataclass

QUERY = {
    "name": "created",
    "scope": "tickets-created",
    "measures": ["ticketCount"],
    "granularity": "week",
}
STATISTICS = "statistics_created"


@dataclass(frozen=True)
class Theme:
    """Streams that are read together, and what happens to them."""

    streams: tuple[str, ...]
    changes: tuple[str, ...]
    faults: tuple[str, ...]
    gaps: tuple[float, ...] = (0, 0.001, 1, 30)
    """Seconds before a change during a run."""
    changing: float = 0.3
    """The probability of changes before a request."""
    parallel_streams: int = 1
    event_types: tuple[list[str] | None, ...] = (None,)
    """Values of the setting, of which each run has one."""
    settle_hours: tuple[int, ...] = (0,)
    """Values of the setting, of which each history has one."""


ROWS = (
    *("update ticket", "update customer", "create", "import", "remove", "future"),
    *("late update", "late creation", "late import", "future page", "no object"),
    "purge",
)
MESSAGES = ("message", "message", "late message", "conversation")
EVENTS = ("events", "late event", "late event", "remove")
CALLS = ("call", "call", "create")
ANY_LIST = (
    *("cut pages", "fleeting", "handshakes", "outage", "dead cursors", "no date"),
    *("date ahead", "early", "swapped", "state ahead"),
    *(("slow target", "stopped target") if sys.platform == "linux" else ()),
)
ANY_ROW = ("bad rows", "keyless", "no objects", "deep", "large")
ANY_PATH = ("forbidden", "unauthorized", "refused")
PARENTS = ("parents", "parents", "hidden parents")
THEMES = {
    "feeds": Theme(("tickets", "customers"), ROWS, (*ANY_LIST, *ANY_PATH, *ANY_ROW)),
    "details": Theme(
        ("ticket_details", "customer_details"), ROWS, (*ANY_LIST, *PARENTS)
    ),
    "logs": Theme(
        ("events", "deletions"),
        EVENTS,
        (*ANY_LIST, *ANY_ROW),
        gaps=(1, 30, 200),
        changing=0.9,
        event_types=(None, ["tag-updated"], ["tag-deleted", "tag-updated"]),
    ),
    "messages": Theme(
        ("ticket_messages", "tickets"),
        (*ROWS, *MESSAGES),
        (*ANY_LIST, *ANY_PATH, *PARENTS, "vanishing"),
        settle_hours=(0, 24),
    ),
    "phone": Theme(
        ("voice_call_events", "voice_calls", "tags", STATISTICS),
        CALLS,
        ("cut pages", "fleeting", "outage", "dead cursors", "phone", "reports"),
    ),
    "everything": Theme(
        (
            *("customers", "deletions", "events", "tags", "ticket_details"),
            *("ticket_messages", "tickets", "voice_call_events"),
        ),
        (*ROWS, *MESSAGES, *EVENTS, *CALLS),
        (*ANY_LIST, *ANY_PATH, *ANY_ROW, *PARENTS, "phone", "vanishing"),
        parallel_streams=6,
    ),
}
