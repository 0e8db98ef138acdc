"""The SQL that hides deleted rows and finds missing messages, on rows of the tap."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlglot import exp, parse_one

from tap_gorgias import timestamps
from tests.sandbox import Sandbox, Shop
from tests.support import analysts
from tests.support.runs import Output, catalog_of, latest, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.shop import TicketMerged

TABLES = ("customers", "deletions", "ticket_messages", "tickets")


class Database:
    """SQLite with the tables of the page, filled as by a target."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.execute("ATTACH ':memory:' AS gorgias")
        connection.create_function(
            "minute_before",
            1,
            lambda timestamp: timestamps.earlier(timestamp, timedelta(minutes=1)),
        )

    def load(self, *outputs: Output) -> None:
        """Fill the tables with the last version of each row."""
        for name in TABLES:
            columns = analysts.tables()[name]
            names = ", ".join(columns)
            self._connection.execute(f"DROP TABLE IF EXISTS gorgias.{name}")
            self._connection.execute(f"CREATE TABLE gorgias.{name} ({names})")
            marks = ", ".join("?" * len(columns))
            rows = latest(name, *outputs).values()
            self._connection.executemany(
                f"INSERT INTO gorgias.{name} VALUES ({marks})",  # noqa: S608
                [[_plain(row.get(column)) for column in columns] for row in rows],
            )
        for view in ("current_tickets", "current_customers"):
            self._connection.execute(f"DROP TABLE IF EXISTS gorgias.{view}")
            select = _translated(analysts.query("DuckDB", f"VIEW gorgias.{view}"))
            self._connection.execute(f"CREATE TABLE gorgias.{view} AS {select}")

    def ids(self, table: str) -> set[int]:
        """Return the ids in a table."""
        found = self._connection.execute(f"SELECT id FROM gorgias.{table}")  # noqa: S608
        return {row[0] for row in found}

    def incomplete(self) -> list[tuple[int, int, int]]:
        """Run the page's check of messages."""
        sql = analysts.query("DuckDB", "messages_loaded")
        return self._connection.execute(sql).fetchall()

    def delete_message(self, message: int) -> None:
        """Delete a message from its table."""
        sql = "DELETE FROM gorgias.ticket_messages WHERE id = ?"
        self._connection.execute(sql, [message])


def _plain(value: Any) -> Any:  # noqa: ANN401
    return json.dumps(value) if isinstance(value, (dict, list)) else value


def _translated(view: str) -> str:
    """Return the query of a view with a function in place of an interval."""

    def earlier(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Sub) and isinstance(node.expression, exp.Interval):
            assert node.expression.sql() == "INTERVAL '1' MINUTE"
            return exp.func("minute_before", node.this)
        return node

    select = parse_one(view, dialect="duckdb").find(exp.Select)
    assert select
    return select.transform(earlier).sql("sqlite")


@pytest.fixture
def database() -> Iterator[Database]:
    """An empty database."""
    with closing(sqlite3.connect(":memory:")) as connection:
        yield Database(connection)


def shown(shop: Shop) -> set[int]:
    """Return the tickets that are neither trashed nor spam."""
    return {
        row["id"]
        for row in shop.tickets.rows()
        if not row["trashed_datetime"] and not row["spam"]
    }


@pytest.mark.parametrize("about", ["survivor", "vanished"])
def test_a_view_never_hides_an_existing_ticket(
    database: Database, about: TicketMerged
) -> None:
    """It holds for both tickets that the event of a merge may name."""
    shop = Shop(seed=8, tickets=150, customers=80, ticket_merged=about)
    with Sandbox(shop) as sandbox:
        first = run(sandbox.config, *TABLES)
        deleted, merged, into, later = sorted(shown(shop))[:4]
        customer, other = shop.customers.ids()[:2]
        shop.advance(3_600)
        shop.tickets.delete(deleted)
        shop.tickets.merge(merged, into)
        shop.customers.merge(customer, other)
        second = run(sandbox.config, *TABLES, state=first.state)
        database.load(first, second)
        before = database.ids("current_tickets")
        shop.advance(86_400)
        shop.tickets.update(into)
        shop.tickets.update(later)
        third = run(sandbox.config, *TABLES, state=second.state)
        database.load(first, second, third)

    unnamed = {merged} if about == "survivor" else set()
    assert before == database.ids("current_tickets") == shown(shop) | unnamed
    assert {deleted, merged} <= database.ids("tickets")
    assert database.ids("current_customers") == set(shop.customers.ids())
    assert customer in database.ids("customers")


def test_the_check_finds_tickets_with_missing_or_surplus_messages(
    database: Database,
) -> None:
    """Deletions become visible after a full read of the tickets."""
    whole = catalog_of("tickets")
    for entry in whole["streams"]:
        if entry["tap_stream_id"] == "tickets":
            entry["replication_method"] = "FULL_TABLE"
    shop = Shop(seed=8, tickets=150)
    with Sandbox(shop) as sandbox:
        first = run(sandbox.config, *TABLES)
        database.load(first)
        assert database.incomplete() == []
        chosen = [one for one in sorted(shown(shop)) if shop.messages.of_ticket(one)]
        shrunk, poor = chosen[5], chosen[9]
        shop.advance(3_600)
        shop.messages.delete(shop.messages.of_ticket(shrunk)[0])
        second = run(sandbox.config, *TABLES, state=first.state)
        database.load(first, second)
        assert database.incomplete() == []
        sandbox.reset_counters()
        third = run(sandbox.config, catalog=whole, state=second.state)
        assert sandbox.count() == 2

    database.load(first, second, third)
    database.delete_message(shop.messages.of_ticket(poor)[0])

    left, held = (len(shop.messages.of_ticket(one)) for one in (shrunk, poor))
    assert database.incomplete() == [
        (shrunk, left, left + 1),
        (poor, held, held - 1),
    ]
    assert third.state == second.state
