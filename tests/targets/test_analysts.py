"""The SQL of docs/analysts.md on DuckDB and PostgreSQL matches the shop."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from statistics import mean, median
from typing import TYPE_CHECKING

import pytest

from tests.support.documents import ANALYSTS, table
from tests.targets.helpdesk import loaded_helpdesk, timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.targets.helpdesk import Helpdesk
    from tests.targets.target import Row

DATABASES = ("DuckDB", "PostgreSQL")


@pytest.fixture(scope="module", params=DATABASES)
def helpdesk(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Helpdesk]:
    """A helpdesk that was loaded, changed and loaded again, with the page's views."""
    with loaded_helpdesk(
        request.param, tmp_path_factory.mktemp(request.param)
    ) as helpdesk:
        yield helpdesk


def _agent(ticket: Row) -> tuple[int | None, str]:
    user = ticket["assignee_user"] or {"id": None, "name": "nobody"}
    return user["id"], user["name"]


def test_views_hide_deleted_and_merged_rows(helpdesk: Helpdesk) -> None:
    """The rows of deleted and merged tickets and customers stay in the tables only."""
    count = "SELECT count(*) AS rows_found FROM gorgias"
    tickets = helpdesk.find("SELECT id FROM gorgias.current_tickets")
    customers = helpdesk.find("SELECT id FROM gorgias.current_customers")

    assert {one["id"] for one in tickets} == helpdesk.current_tickets().keys()
    assert {one["id"] for one in customers} == set(helpdesk.shop.customers.ids())
    [all_tickets] = helpdesk.find(f"{count}.tickets")
    [all_customers] = helpdesk.find(f"{count}.customers")
    assert all_tickets["rows_found"] == len(helpdesk.shop.tickets) + len(
        helpdesk.deleted_tickets
    )
    assert all_customers["rows_found"] == len(helpdesk.shop.customers) + len(
        helpdesk.deleted_customers
    )


def test_the_check_of_messages_finds_only_tickets_with_missing_messages(
    helpdesk: Helpdesk,
) -> None:
    """The check is empty after a complete load."""
    before = helpdesk.ask("messages_loaded")
    with helpdesk.message_hidden() as expected:
        after = helpdesk.ask("messages_loaded")
    assert (before, after) == ([], [expected])


def test_open_tickets_per_agent(helpdesk: Helpdesk) -> None:
    """The counts and the oldest tickets are those of the shop, largest count first."""
    tickets = helpdesk.current_tickets().values()
    open_ones = [one for one in tickets if one["status"] == "open"]
    numbers = Counter(map(_agent, open_ones))
    oldest = {
        agent: min(
            timestamp(t["created_datetime"]) for t in open_ones if _agent(t) == agent
        )
        for agent in numbers
    }

    rows = helpdesk.ask("open_tickets")

    found = [(r["agent"], r["open_tickets"], timestamp(r["oldest"])) for r in rows]
    expected = [(agent[1], n, oldest[agent]) for agent, n in numbers.items()]
    assert sorted(found) == sorted(expected)
    assert [row[1] for row in found] == sorted(numbers.values(), reverse=True)
    assert len(expected) > 5


def test_first_response_time(helpdesk: Helpdesk) -> None:
    """The median of each channel is that of the messages in the shop."""
    minutes = defaultdict(list)
    for ticket in helpdesk.current_tickets().values():
        messages = [
            (timestamp(row["created_datetime"]), row)
            for row in map(
                helpdesk.shop.messages.row,
                helpdesk.shop.messages.of_ticket(ticket["id"]),
            )
            if row["public"]
        ]
        asked = min((at for at, one in messages if not one["from_agent"]), default=None)
        answers = [
            at
            for at, one in messages
            if one["from_agent"] and not one["rule_id"] and asked and at > asked
        ]
        if asked and answers:
            minutes[ticket["channel"]].append((min(answers) - asked) / 60)

    rows = helpdesk.ask("percentile_cont")

    assert len(minutes) > 3
    assert {row["channel"]: row["tickets"] for row in rows} == {
        channel: len(times) for channel, times in minutes.items()
    }
    for row in rows:
        expected = median(minutes[row["channel"]])
        assert row["median_minutes"] == pytest.approx(expected)


def test_satisfaction_by_agent(helpdesk: Helpdesk) -> None:
    """Counts, shares and averages are those of the current tickets' surveys."""
    tickets = helpdesk.current_tickets()
    surveys = defaultdict(list)
    for row in helpdesk.shop.satisfaction_surveys.rows():
        if row["ticket_id"] in tickets:
            surveys[_agent(tickets[row["ticket_id"]])].append(row)

    rows = helpdesk.ask("satisfaction_surveys")

    assert len(rows) == len(surveys) > 5
    expected = sorted(
        (_satisfaction(agent[1], own) for agent, own in surveys.items()), key=str
    )
    found = sorted((tuple(row.values()) for row in rows), key=str)
    for one, other in zip(found, expected, strict=True):
        assert one == pytest.approx(other, abs=0.051)


def _satisfaction(agent: str, surveys: list[Row]) -> tuple[object, ...]:
    scores = [row["score"] for row in surveys if row["score"] is not None]
    sent = sum(row["sent_datetime"] is not None for row in surveys)
    happy = sum(score >= 4 for score in scores)
    return (
        agent,
        sent,
        len(scores),
        round(100 * len(scores) / sent, 1) if sent else None,
        round(100 * happy / len(scores), 1) if scores else None,
        round(mean(scores), 2) if scores else None,
    )


def test_tags(helpdesk: Helpdesk) -> None:
    """There is a row for each tag of each current ticket."""
    rows = helpdesk.ask("ticket.tags")

    assert [(row["ticket_id"], row["tag_id"], row["tag"]) for row in rows] == sorted(
        (ticket["id"], tag["id"], tag["name"])
        for ticket in helpdesk.current_tickets().values()
        for tag in ticket["tags"]
    )
    assert len(rows) > 50


def test_custom_fields(helpdesk: Helpdesk) -> None:
    """There is a row with the field's label for each value of each current ticket."""
    fields = helpdesk.shop.custom_fields

    rows = helpdesk.ask("ticket.custom_fields")

    found = [(r["ticket_id"], r["field_id"], r["label"], r["value"]) for r in rows]
    assert found == sorted(
        (ticket["id"], own["id"], fields.row(own["id"])["label"], _text(own["value"]))
        for ticket in helpdesk.current_tickets().values()
        for own in ticket["custom_fields"].values()
    )
    assert {type(value) for *_, value in found} == {str}
    assert len(found) > 50


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def test_statistics(helpdesk: Helpdesk) -> None:
    """Each day appears once; outdated figures are excluded."""
    rows = helpdesk.ask("statistics_tickets_created")

    periods = [row["period_start"] for row in rows]
    assert periods == sorted(set(periods))
    assert sum(row["tickets"] for row in rows) == len(helpdesk.shop.tickets)
    assert any(row["hours_to_first_response"] for row in rows)


def test_columns_have_the_types_that_the_page_names(helpdesk: Helpdesk) -> None:
    """The page names the types of objects, lists and date-times."""
    column = 1 + DATABASES.index(helpdesk.database)
    rows = table("## Tables and columns", ANALYSTS)
    documented = [row[column].strip("`") for row in rows[:3]]
    catalog = (
        "SELECT DISTINCT data_type FROM information_schema.columns"
        " WHERE table_schema = 'gorgias' AND column_name LIKE"
    )
    column_types = []
    for name in ("customer", "custom_fields", "tags", "%_datetime"):
        [column_of] = helpdesk.find(f"{catalog} '{name}'")
        column_types.append(column_of["data_type"])

    [thing, free, items, timestamps] = column_types

    found = [thing, free, "jsonb[]" if items == "ARRAY" else items]
    assert [kind.upper() for kind in found] == documented
    assert timestamps.upper().removesuffix(" WITHOUT TIME ZONE") == "TIMESTAMP"
