"""The cost of tickets, messages, customers and events with different programs.

    python -m tests.benchmarks.comparison

Prints the table of docs/comparison.md, which lists the source of each rule.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.benchmarks.costs import (
    SHOPS,
    Rule,
    ShopSize,
    again,
    cost,
    first_by_date,
    first_by_ticket,
    first_of_events,
    hourly_by_date,
    hourly_by_ticket,
    hourly_of_events,
    pages,
)

SHOP = next(shop for shop in SHOPS if shop.name == "medium")._replace(customers=300_000)
VIEW_REQUESTS = 3
"""Requests for the user, and to create and delete a view."""


class Connector(NamedTuple):
    """A program that reads a helpdesk, and the rules by which it sends requests."""

    name: str
    reads: str
    first: Rule
    hourly: Rule
    found: str
    misses: str


def all_lists(shop: ShopSize) -> int:
    """Count the requests for every page of each list."""
    return pages(shop.tickets) + pages(shop.messages) + pages(shop.customers)


def down_to_a_row(new: int) -> int:
    """Count the pages, newest first, up to the first older row."""
    return new // 100 + 1


def down_to_a_page(new: int) -> int:
    """Count the pages, newest first, up to the first with only older rows."""
    return pages(new) + 1


def ours(rule: Rule) -> Rule:
    """Add a first sync of `customers`."""
    return lambda shop: rule(shop) + pages(shop.customers)


def ours_hourly(rule: Rule) -> Rule:
    """Add an hourly run of `customers`."""
    return lambda shop: rule(shop) + pages(shop.changed + again(shop))


def airbyte_hourly(shop: ShopSize) -> int:
    """Read three lists down to the first row older than the state, inclusive."""
    return 3 * down_to_a_row(shop.changed + 1)


def posthog_hourly(shop: ShopSize) -> int:
    """Read three lists down to a page older than the last value, inclusive."""
    return 3 * down_to_a_page(shop.changed + 1)


def ingestr_hourly(shop: ShopSize) -> int:
    """Read three lists down to a page older than the requested interval."""
    return 3 * down_to_a_page(shop.changed)


def brooklyn_first(shop: ShopSize) -> int:
    """Read a view, the messages of each ticket in it, and all customers."""
    by_ticket = pages(shop.tickets) + shop.tickets
    return VIEW_REQUESTS + by_ticket + pages(shop.customers)


def brooklyn_hourly(shop: ShopSize) -> int:
    """Read the same with a view of what changed since the bookmark, inclusive."""
    return brooklyn_first(shop._replace(tickets=shop.changed + 1))


def pathlight_first(shop: ShopSize) -> int:
    """Read the lists of tickets and messages."""
    return pages(shop.tickets) + pages(shop.messages)


def pathlight_hourly(shop: ShopSize) -> int:
    """Read both lists down to the bookmark; this is an upper bound."""
    return 2 * down_to_a_row(shop.changed)


def sling_first(shop: ShopSize) -> int:
    """Read two lists and the messages of each ticket; this is a lower bound."""
    return pages(shop.tickets) + shop.tickets + pages(shop.customers)


def sling_hourly(shop: ShopSize) -> int:
    """Read changes and the messages of changed tickets; this is a lower bound."""
    return 2 * pages(shop.changed) + shop.changed


OF_MESSAGES = "edits and deletions of messages; backdated messages of an import"
OURS = (
    Connector(
        "this tap, `ticket_messages`",
        "lists, newest first, down to the bookmark; once a day, messages of each "
        "changed ticket",
        ours(first_by_ticket),
        ours_hourly(hourly_by_ticket),
        "measured",
        "edits and read receipts until the messages of their ticket are requested "
        "again; deletions of messages. Once a day it takes one more request for each "
        "ticket that changed",
    ),
    Connector(
        "this tap, `messages`",
        "lists, newest first, down to the bookmark; messages of the last 2 days again",
        ours(first_by_date),
        ours_hourly(hourly_by_date(2)),
        "calculated",
        "edits and receipts after 2 days; backdated messages of an import; "
        "deletions of messages",
    ),
    Connector(
        "this tap, `messages`, look-back of 0 days",
        "lists, newest first, down to the bookmark",
        ours(first_by_date),
        ours_hourly(hourly_by_date(0)),
        "measured",
        "edits and receipts; backdated messages of an import; deletions of messages",
    ),
    Connector(
        "this tap, `events` alone",
        "list, oldest first, filtered by date, from the bookmark on",
        first_of_events,
        hourly_of_events,
        "calculated",
        "events that Gorgias no longer keeps",
    ),
)
OTHERS = (
    Connector(
        "Airbyte source-gorgias 0.1.52",
        "lists, newest first, down to the state",
        all_lists,
        airbyte_hourly,
        "measured with an equivalent manifest",
        f"{OF_MESSAGES}; archived macros; custom fields of customers; items of a view "
        "after the first page; calls",
    ),
    Connector(
        "PostHog, incremental tables",
        "lists, newest first, down to a page older than the last value",
        all_lists,
        posthog_hourly,
        "calculated",
        f"{OF_MESSAGES}; deletions; events. Tables that are not incremental, "
        "`ticket_tags` and `ticket_field_values` are read in full in each run",
    ),
    Connector(
        "ingestr 1, with `--interval-start`",
        "lists, newest first, down to a page older than the interval",
        all_lists,
        ingestr_hourly,
        "calculated",
        f"{OF_MESSAGES}; deletions; all but four tables. Without an interval, it "
        "reads the full lists",
    ),
    Connector(
        "omniload 0.21.1",
        "lists, newest first, down to a page older than the state",
        all_lists,
        posthog_hourly,
        "measured",
        f"{OF_MESSAGES}; deletions; all but four tables",
    ),
    Connector(
        "brooklyn-data/tap-gorgias",
        "tickets from a view created for the run; messages of each ticket; "
        "all customers",
        brooklyn_first,
        brooklyn_hourly,
        "calculated, without its stream `ticket_details`",
        "messages of a ticket after the first page; most settings; calls. "
        "It writes to the account: each run creates and deletes a view",
    ),
    Connector(
        "Pathlight/tap-gorgias 0.1.14",
        "lists, newest creation first, down to the bookmark",
        pathlight_first,
        pathlight_hourly,
        "calculated, at most",
        "customers; tickets that changed but were created before one that did not; "
        f"{OF_MESSAGES}; settings",
    ),
    Connector(
        "Sling",
        "lists of tickets and customers; messages of each ticket",
        sling_first,
        sling_hourly,
        "calculated, at least",
        "data older than a year, unless `anchor_date` is set. Its documentation does "
        "not say for which tickets a later run reads messages: we assume those that "
        "changed",
    ),
)


def comparison_table() -> str:
    """Return the table in Markdown."""
    lines = [
        ["connector", "how it reads", "first sync", "hourly run", "rule", "misses"],
        ["---"] * 6,
    ]
    lines += [
        [
            one.name,
            one.reads,
            cost(SHOP, one.first),
            cost(SHOP, one.hourly),
            one.found,
            one.misses,
        ]
        for one in (*OURS, *OTHERS)
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    print(comparison_table())  # noqa: T201 (its purpose)
