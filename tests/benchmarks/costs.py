"""Rules for the number of requests of a sync, and for its duration."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from tap_gorgias.replication import walks
from tests.support.runs import LOOK_FOR_IMPORTS


class ShopSize(NamedTuple):
    """The size of a helpdesk in the table of costs."""

    name: str
    tickets: int
    messages: int
    changed: int
    """The number of tickets that change per hour."""
    customers: int = 0


SHOPS = (
    ShopSize("small", 2_000, 5_400, 20),
    ShopSize("medium", 100_000, 270_000, 300),
    ShopSize("very large", 1_000_000, 2_700_000, 4_000),
)
"""2.7 messages per ticket, as estimated from the growth of ids within six hours."""
EVENTS_PER_TICKET = 22
"""Estimated from the growth of ids in the same hours."""
EVENTS_OVERLAP_HOURS = walks.OVERLAP.total_seconds() / 3600
OVERLAP_HOURS = walks.OVERLAP.total_seconds() / 3600
RATES = (2, 4)
Rule: TypeAlias = Callable[[ShopSize], int]


def pages(rows: float) -> int:
    """Count the pages of a list, of which there is at least one."""
    return max(math.ceil(rows / 100), 1)


def again(shop: ShopSize) -> int:
    """Count the tickets that changed shortly before the bookmark and are read again."""
    return math.ceil(shop.changed * OVERLAP_HOURS)


def first_by_ticket(shop: ShopSize) -> int:
    """Count the requests of `tickets` and `ticket_messages` on a first sync.

    Two of them check where settling begins and whether it is due.
    """
    return pages(shop.tickets) + pages(shop.messages) + 2


def first_by_date(shop: ShopSize) -> int:
    """Count the requests of `tickets` and `messages` on a first sync."""
    return pages(shop.tickets) + pages(shop.messages)


def hourly_by_ticket(shop: ShopSize) -> int:
    """Count the requests for an hour's changes with a message per ticket.

    One of them checks whether settling is due. It takes a request for each changed
    ticket once a day.
    """
    changed = shop.changed + again(shop)
    return 2 * pages(changed) + LOOK_FOR_IMPORTS + 1


def first_of_events(shop: ShopSize) -> int:
    """Count the requests of `events` on a first sync."""
    return pages(shop.tickets * EVENTS_PER_TICKET)


def hourly_of_events(shop: ShopSize) -> int:
    """Count the requests for an hour's events, proportional to its messages."""
    events = shop.changed * EVENTS_PER_TICKET * shop.tickets / shop.messages
    return pages(events * (1 + EVENTS_OVERLAP_HOURS))


def hourly_by_date(look_back_days: int) -> Rule:
    """Count the requests for an hour's messages including the look-back."""

    def requests(shop: ShopSize) -> int:
        hours = 1 + max(24 * look_back_days, OVERLAP_HOURS)
        tickets = pages(shop.changed + again(shop)) + LOOK_FOR_IMPORTS
        return tickets + pages(shop.changed * hours)

    return requests


def duration(seconds: float) -> str:
    """Format a duration so that orders of magnitude are easy to compare."""
    if seconds < 120:
        return f"{math.ceil(seconds)} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3600:.1f} h"


def cost(shop: ShopSize, count: Rule) -> str:
    """Format the number of requests and the durations at both rates."""
    requests = count(shop)
    slow, fast = (duration(requests / rate) for rate in RATES)
    return f"{requests:,} requests, {slow} ({fast})"
