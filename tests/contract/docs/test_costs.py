"""The costs of the documents follow from rules that the sandbox confirms."""

from __future__ import annotations

from tests.benchmarks.costs import (
    EVENTS_PER_TICKET,
    SHOPS,
    Rule,
    ShopSize,
    cost,
    first_by_date,
    first_by_ticket,
    first_of_events,
    hourly_by_date,
    hourly_by_ticket,
    hourly_of_events,
    pages,
)
from tests.sandbox import Sandbox, Shop
from tests.support.documents import assert_generated
from tests.support.runs import run


def costs_table() -> str:
    """Return the table of costs in Markdown."""
    lines = [
        ["", *(shop.name for shop in SHOPS)],
        ["---"] * 4,
        ["tickets", *(f"{shop.tickets:,}" for shop in SHOPS)],
        ["messages", *(f"{shop.messages:,}" for shop in SHOPS)],
        ["events", *(f"{shop.tickets * EVENTS_PER_TICKET:,}" for shop in SHOPS)],
        ["tickets that change in an hour", *(f"{shop.changed:,}" for shop in SHOPS)],
    ]
    kinds: dict[str, Rule] = {
        "first sync, `tickets` and `ticket_messages`": first_by_ticket,
        "first sync, `tickets` and `messages`": first_by_date,
        "first sync, `events`": first_of_events,
        "hourly run, `tickets` and `ticket_messages`": hourly_by_ticket,
        "hourly run, `tickets` and `messages`, look-back of 2 days": hourly_by_date(2),
        "the same, look-back of 0 days": hourly_by_date(0),
        "hourly run, `events`": hourly_of_events,
    }
    lines += [
        [what, *(cost(shop, count) for shop in SHOPS)] for what, count in kinds.items()
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def test_the_costs_table_follows_from_the_rules() -> None:
    """The benchmark confirms the rules."""
    assert_generated("costs", costs_table())


def test_the_rules_predict_the_counts_of_the_benchmark() -> None:
    """The page names these counts."""
    still = ShopSize("benchmark", 2_500, 9_012, 0)
    assert first_by_ticket(still) == 118
    assert first_by_date(still) == 116
    assert hourly_by_ticket(still._replace(changed=41)) == 4


def test_the_rule_of_events_predicts_the_requests_of_the_tap() -> None:
    """The shop has as many events per ticket as the page assumes."""
    size = ShopSize("sandbox", 40, 108, 0)
    with Sandbox(Shop(tickets=40, events=40 * EVENTS_PER_TICKET)) as sandbox:
        run(sandbox.config, "events")
        assert sandbox.count() == first_of_events(size)


def test_events_are_most_of_a_first_sync() -> None:
    """They take three times the requests of everything else, as the page states."""
    medium = SHOPS[1]
    rest = first_by_date(medium) + pages(3 * medium.tickets)
    assert first_of_events(medium) == 22_000
    assert 3 <= first_of_events(medium) / rest < 3.5
