"""What operators read about costs follows from how the tap reads."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from tap_gorgias import reading
from tests.contract.readme import OPERATORS, assert_written

if TYPE_CHECKING:
    from collections.abc import Callable


class ShopSize(NamedTuple):
    """A helpdesk of the table of costs."""

    name: str
    tickets: int
    messages: int
    changed: int
    """Tickets that change in an hour."""


SHOPS = (
    ShopSize("small", 2_000, 7_200, 20),
    ShopSize("medium", 100_000, 400_000, 300),
    ShopSize("very large", 1_000_000, 4_000_000, 4_000),
)
OVERLAP_HOURS = reading.FEED_OVERLAP.total_seconds() / 3600
RATES = (2, 4)


def pages(rows: float) -> int:
    """Count the requests for a list; one at least."""
    return max(math.ceil(rows / 100), 1)


def again(shop: ShopSize) -> int:
    """Count the tickets that changed in the last minutes before the bookmark."""
    return math.ceil(shop.changed * OVERLAP_HOURS)


def first_by_ticket(shop: ShopSize, rate: int) -> int:
    """Count the requests of `tickets` and `ticket_messages` on a first sync."""
    bulk_hours = pages(shop.messages) / rate / 3600
    changed = math.ceil(shop.changed * (OVERLAP_HOURS + bulk_hours))
    return pages(shop.tickets) + pages(shop.messages) + 1 + changed


def first_by_date(shop: ShopSize, _rate: int) -> int:
    """Count the requests of `tickets` and `messages` on a first sync."""
    return pages(shop.tickets) + pages(shop.messages)


def hourly_by_ticket(shop: ShopSize, _rate: int) -> int:
    """Count the requests for what changed in an hour."""
    tickets = shop.changed + again(shop)
    return pages(tickets) + tickets


def hourly_by_date(look_back_days: int) -> Callable[[ShopSize, int], int]:
    """Count the requests for an hour's messages, and those of the look-back."""

    def requests(shop: ShopSize, _rate: int) -> int:
        hours = 1 + max(24 * look_back_days, OVERLAP_HOURS)
        return pages(shop.changed + again(shop)) + pages(shop.changed * hours)

    return requests


def duration(seconds: float) -> str:
    """Write a time so that it can be compared at a glance."""
    if seconds < 120:
        return f"{math.ceil(seconds)} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3600:.1f} h"


def cost(shop: ShopSize, count: Callable[[ShopSize, int], int]) -> str:
    """Write requests, and the time that they take at both rates."""
    slow, fast = (count(shop, rate) for rate in RATES)
    times = [duration(n / rate) for n, rate in zip((slow, fast), RATES, strict=True)]
    return f"{slow:,} requests, {times[0]} ({times[1]})"


def costs_table() -> str:
    """Write the table of costs as it should be."""
    lines = [
        ["", *(shop.name for shop in SHOPS)],
        ["---"] * 4,
        ["tickets", *(f"{shop.tickets:,}" for shop in SHOPS)],
        ["messages", *(f"{shop.messages:,}" for shop in SHOPS)],
        ["tickets that change in an hour", *(f"{shop.changed:,}" for shop in SHOPS)],
    ]
    kinds: dict[str, Callable[[ShopSize, int], int]] = {
        "first sync, `tickets` and `ticket_messages`": first_by_ticket,
        "first sync, `tickets` and `messages`": first_by_date,
        "hourly run, `tickets` and `ticket_messages`": hourly_by_ticket,
        "hourly run, `tickets` and `messages`, look-back of 2 days": hourly_by_date(2),
        "the same, look-back of 0 days": hourly_by_date(0),
    }
    lines += [
        [what, *(cost(shop, count) for shop in SHOPS)] for what, count in kinds.items()
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def test_costs_table_is_calculated() -> None:
    """From what the benchmark measures."""
    assert_written("costs", costs_table(), OPERATORS)


def test_the_rule_of_the_costs_fits_what_is_measured() -> None:
    """The counts of the benchmark, which the page names."""
    still = ShopSize("benchmark", 2_500, 9_012, 0)
    inside = 1  # ticket changed in the last minutes of the shop
    assert first_by_ticket(still, 2) + inside == 118
    assert first_by_date(still, 2) == 116
    assert pages(41 + inside) + 41 + inside == 43
