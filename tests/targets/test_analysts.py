"""The SQL of docs/analysts.md, on tables that the tap and a target loaded."""

from __future__ import annotations

import json
import subprocess
from collections import Counter, defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import mean, median
from typing import TYPE_CHECKING, Any

import pytest
from sqlglot import transpile

from tap_gorgias import timestamps
from tests.contract import analysts
from tests.contract.readme import ANALYSTS, table
from tests.sandbox import Sandbox, Shop
from tests.targets import postgresql
from tests.targets.environments import executable
from tests.targets.loading import DuckDB, PostgreSQL, load, target_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.targets.target import Target

Row = dict[str, Any]
DATABASES = {"DuckDB": "target-duckdb", "PostgreSQL": "target-postgres"}

_RUN_DUCKDB = """
import duckdb, sys
database = duckdb.connect(sys.argv[1])
for statement in sys.argv[2:]:
    for (line,) in database.execute(statement).fetchall():
        print(line)
"""

_TYPED = """
CREATE OR REPLACE VIEW typed.current_tickets AS
SELECT * REPLACE (
  from_json(tags, '[{"id": "BIGINT", "name": "VARCHAR"}]') AS tags,
  from_json(assignee_user, '{"id": "BIGINT", "name": "VARCHAR"}') AS assignee_user
)
FROM gorgias.current_tickets
"""


def _as_json(function: str, sql: str) -> str:
    return f"SELECT {function}(row) FROM ({sql}) AS row"  # noqa: S608 (of our own page)


@dataclass
class Helpdesk:
    """A database as a user has it, and the shop that it was loaded from."""

    database: str
    target: Target
    shop: Shop
    gone: set[int]  # tickets
    gone_customers: set[int]

    def run(self, *statements: str) -> list[str]:
        """Run statements; return the one column that they answer."""
        if isinstance(self.target, PostgreSQL):
            host = self.target.host
            answers = [postgresql.lines(host, one) for one in statements]
            return [line for answer in answers for line in answer]
        assert isinstance(self.target, DuckDB)
        python = executable(self.target.name, "python")
        path = self.target.settings["path"]
        told = subprocess.run(  # noqa: S603
            [python, "-c", _RUN_DUCKDB, path, *statements],
            capture_output=True,
            check=True,
            encoding="utf-8",
        )
        return told.stdout.split("\n")[:-1]

    def ask(self, *parts: str) -> list[Row]:
        """Return the rows of the page's query that holds these texts."""
        sql = analysts.query(self.database, *parts)
        to_json = "to_json" if self.database == "DuckDB" else "row_to_json"
        return [json.loads(line) for line in self.run(_as_json(to_json, sql))]

    def current_tickets(self) -> dict[int, Row]:
        """Return the tickets that are neither gone, nor in the trash, nor spam."""
        return {
            row["id"]: row
            for row in self.shop.tickets.rows()
            if not row["trashed_datetime"] and not row["spam"]
        }


@pytest.fixture(scope="module", params=DATABASES)
def helpdesk(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Helpdesk]:
    """A helpdesk that was loaded, changed and loaded again, with the page's views."""
    folder = tmp_path_factory.mktemp(request.param)
    shop = Shop(
        seed=8,
        tickets=150,
        satisfaction_surveys=90,
        customers=80,
        events=60,
        ticket_merged="vanished",
    )
    with ExitStack() as ends:
        target = target_of(DATABASES[request.param], folder, ends)
        sandbox = ends.enter_context(Sandbox(shop))
        wanted = {**analysts.config(), **sandbox.config}
        first = load(target, wanted, folder)
        deleted, merged, kept = _newest_open_tickets(shop)[:3]
        customer, other = shop.customers.ids()[:2]
        shop.advance(3_600)
        shop.tickets.delete(deleted)
        shop.tickets.merge(merged, kept)
        shop.customers.merge(customer, other)
        load(target, wanted, folder, first.state)
        done = Helpdesk(request.param, target, shop, {deleted, merged}, {customer})
        views = [
            query.sql
            for query in analysts.queries()
            if query.database == request.param and query.is_view
        ]
        done.run(*views)
        yield done


def _newest_open_tickets(shop: Shop) -> list[int]:
    """Look for tickets whose day is read again by later runs."""
    rows = [row for row in shop.tickets.rows() if row["status"] == "open"]
    rows.sort(key=lambda row: _moment(row["created_datetime"]), reverse=True)
    return [row["id"] for row in rows]


def _moment(text: str) -> float:
    return timestamps.parse(text).timestamp()


def _agent(ticket: Row) -> tuple[int | None, str]:
    user = ticket["assignee_user"] or {"id": None, "name": "nobody"}
    return user["id"], user["name"]


def test_views_hide_what_is_gone(helpdesk: Helpdesk) -> None:
    """Tickets and customers that were deleted or merged stay in the tables alone."""
    count = "SELECT count(*) FROM gorgias"
    tickets = helpdesk.run("SELECT id FROM gorgias.current_tickets")
    customers = helpdesk.run("SELECT id FROM gorgias.current_customers")

    assert {int(one) for one in tickets} == helpdesk.current_tickets().keys()
    assert {int(one) for one in customers} == set(helpdesk.shop.customers.ids())
    [loaded, other] = helpdesk.run(f"{count}.tickets", f"{count}.customers")
    assert int(loaded) == len(helpdesk.shop.tickets) + len(helpdesk.gone)
    assert int(other) == len(helpdesk.shop.customers) + len(helpdesk.gone_customers)


def test_the_check_of_messages_finds_nothing_where_all_is_loaded(
    helpdesk: Helpdesk,
) -> None:
    """And a ticket of which a message is missing."""
    one = next(iter(helpdesk.current_tickets()))
    (lost, *_) = helpdesk.shop.messages.of_ticket(one)
    count = len(helpdesk.shop.messages.of_ticket(one))
    hide = "UPDATE gorgias.ticket_messages SET ticket_id = -ticket_id WHERE id = {}"
    before = helpdesk.ask("messages_loaded")
    helpdesk.run(hide.format(lost))
    after = helpdesk.ask("messages_loaded")
    helpdesk.run(hide.format(lost))
    wanted = {"id": one, "messages_count": count, "messages_loaded": count - 1}
    assert (before, after) == ([], [wanted])


def test_open_tickets_per_agent(helpdesk: Helpdesk) -> None:
    """As many as in the shop, with the oldest of each, most first."""
    tickets = helpdesk.current_tickets().values()
    open_ones = [one for one in tickets if one["status"] == "open"]
    numbers = Counter(map(_agent, open_ones))
    oldest = {
        agent: min(
            _moment(t["created_datetime"]) for t in open_ones if _agent(t) == agent
        )
        for agent in numbers
    }

    rows = helpdesk.ask("open_tickets")

    found = [(r["agent"], r["open_tickets"], _moment(r["oldest"])) for r in rows]
    wanted = [(agent[1], n, oldest[agent]) for agent, n in numbers.items()]
    assert sorted(found) == sorted(wanted)
    assert [row[1] for row in found] == sorted(numbers.values(), reverse=True)
    assert len(wanted) > 5


def test_first_response_time(helpdesk: Helpdesk) -> None:
    """The median of each channel, from the messages of the shop."""
    minutes = defaultdict(list)
    for ticket in helpdesk.current_tickets().values():
        messages = [
            (_moment(row["created_datetime"]), row)
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
        wanted = median(minutes[row["channel"]])
        assert row["median_minutes"] == pytest.approx(wanted)


def test_satisfaction_by_agent(helpdesk: Helpdesk) -> None:
    """Numbers, shares and averages of the surveys of current tickets."""
    tickets = helpdesk.current_tickets()
    surveys = defaultdict(list)
    for row in helpdesk.shop.satisfaction_surveys.rows():
        if row["ticket_id"] in tickets:
            surveys[_agent(tickets[row["ticket_id"]])].append(row)

    rows = helpdesk.ask("satisfaction_surveys")

    assert len(rows) == len(surveys) > 5
    wanted = sorted(
        (_satisfaction(agent[1], own) for agent, own in surveys.items()), key=str
    )
    found = sorted((tuple(row.values()) for row in rows), key=str)
    for one, other in zip(found, wanted, strict=True):
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
    """A row for each tag of each current ticket."""
    rows = helpdesk.ask("ticket.tags")

    assert [(row["ticket_id"], row["tag_id"], row["tag"]) for row in rows] == sorted(
        (ticket["id"], tag["id"], tag["name"])
        for ticket in helpdesk.current_tickets().values()
        for tag in ticket["tags"]
    )
    assert len(rows) > 50


def test_custom_fields(helpdesk: Helpdesk) -> None:
    """A row for each value of each current ticket, with the label of its field."""
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
    """Tickets of each day, once: figures that no longer hold are left out."""
    rows = helpdesk.ask("statistics_tickets_created")

    periods = [row["period_start"] for row in rows]
    assert periods == sorted(set(periods))
    assert sum(row["tickets"] for row in rows) == len(helpdesk.shop.tickets)
    assert any(row["hours_to_first_response"] for row in rows)


@pytest.mark.parametrize("helpdesk", ["DuckDB"], indirect=True)
@pytest.mark.parametrize("part", ["open_tickets", "ticket.tags"])
def test_queries_for_bigquery_find_the_same(helpdesk: Helpdesk, part: str) -> None:
    """Translated, on objects and lists with columns of their own as it has them."""
    query = analysts.query("BigQuery", part).replace("gorgias.", "typed.")
    (translated,) = transpile(query, read="bigquery", write="duckdb")

    lines = helpdesk.run(
        "CREATE SCHEMA IF NOT EXISTS typed", _TYPED, _as_json("to_json", translated)
    )

    found = [json.loads(line) for line in lines]
    assert found == helpdesk.ask(part) != []


def test_columns_are_of_the_types_that_the_page_says(helpdesk: Helpdesk) -> None:
    """Of objects, lists and date-times."""
    column = 1 + list(DATABASES).index(helpdesk.database)
    rows = table("## Tables and columns", ANALYSTS)
    told = [row[column].strip("`") for row in rows[:3]]
    catalog = (
        "SELECT DISTINCT data_type FROM information_schema.columns"
        " WHERE table_schema = 'gorgias' AND column_name LIKE"
    )
    names = ("customer", "custom_fields", "tags", "%_datetime")

    [thing, free, items, moment] = helpdesk.run(*(f"{catalog} '{n}'" for n in names))

    found = [thing, free, "jsonb[]" if items == "ARRAY" else items]
    assert [kind.upper() for kind in found] == told
    assert moment.upper().removesuffix(" WITHOUT TIME ZONE") == "TIMESTAMP"
