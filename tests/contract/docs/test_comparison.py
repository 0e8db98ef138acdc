"""The table in docs/comparison.md follows from rules that hold in the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_gorgias import timestamps
from tap_gorgias.replication import walks
from tests.benchmarks.comparison import (
    OTHERS,
    OURS,
    SHOP,
    Connector,
    comparison_table,
)
from tests.benchmarks.costs import ShopSize, pages
from tests.sandbox import Sandbox, Shop
from tests.support.documents import assert_generated, table
from tests.support.runs import run

if TYPE_CHECKING:
    from collections.abc import Iterator

CHANGED = 21


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A shop with several pages and one change in its last minutes."""
    with Sandbox(Shop(seed=3, tickets=320, customers=260)) as sandbox:
        yield sandbox


def let_an_hour_pass(shop: Shop) -> None:
    """Change as many customers as tickets, and add a message to each ticket."""
    shop.advance(3600)
    for ticket in shop.tickets.ids()[:CHANGED]:
        shop.messages.create(ticket)
    for customer in shop.customers.ids()[:CHANGED]:
        shop.customers.update(customer)


def size_of(shop: Shop) -> ShopSize:
    """Return the size of a shop after checking that the rules apply to it."""
    changed = [str(row["updated_datetime"]) for row in shop.tickets.rows()]
    changes = sorted(map(timestamps.parse, changed))
    floor = changes[-1] - walks.OVERLAP
    assert sum(timestamp >= floor for timestamp in changes) == 1
    sizes = len(shop.tickets), len(shop.messages), CHANGED, len(shop.customers)
    return ShopSize("sandbox", *sizes)


@pytest.mark.parametrize(
    ("way", "stream"),
    [
        pytest.param(OURS[0], "ticket_messages", id="by ticket"),
        pytest.param(OURS[2], "messages", id="by date"),
    ],
)
def test_our_rule_predicts_the_requests_of_the_tap(
    sandbox: Sandbox, way: Connector, stream: str
) -> None:
    """It covers a first sync and an hourly run."""
    size = size_of(sandbox.shop)
    streams = ("tickets", stream, "customers")
    config = {**sandbox.config, "message_lookback_days": 0}
    first = run(config, *streams)
    assert sandbox.count() == way.first(size)
    let_an_hour_pass(sandbox.shop)
    sandbox.reset_counters()

    run(config, *streams, state=first.state)

    assert sandbox.count() == way.hourly(size)


@pytest.mark.parametrize("name", ["omniload", "Airbyte"])
def test_the_rules_of_others_predict_the_measured_requests(name: str) -> None:
    """The counts come from `tests.benchmarks.omniload` and `.airbyte`."""
    (other,) = (one for one in OTHERS if one.name.startswith(name))
    size = ShopSize("benchmark", 2_500, 9_012, 41, 1_500)
    measured = {"omniload": (131, 6), "Airbyte": (131, 3)}
    assert (other.first(size), other.hourly(size)) == measured[name]


def test_no_rule_is_below_the_number_of_pages() -> None:
    """A first sync of all three lists takes at least one request per page."""
    minimum = pages(SHOP.tickets) + pages(SHOP.messages) + pages(SHOP.customers)
    below = [one for one in (*OURS, *OTHERS) if one.first(SHOP) < minimum]
    assert all("customers" in one.misses for one in below)


def test_the_table_follows_from_the_rules() -> None:
    """It is updated with the snapshots."""
    assert_generated("comparison", comparison_table())


def test_the_readme_has_the_figures_of_the_table() -> None:
    """It shows some of the programs."""
    figures = {row[0]: (row[2], row[3]) for row in table("connector", "how it reads")}
    shown = table("program", "first sync", "hourly run")
    assert len(shown) == 4
    for name, first, hourly, _ in shown:
        assert figures[name] == (first, hourly)
