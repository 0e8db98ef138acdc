"""A helpdesk in a database, to be asked the queries of docs/analysts.md."""

from __future__ import annotations

import contextlib
import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_gorgias import timestamps
from tests.sandbox import Sandbox, Shop
from tests.support import analysts
from tests.targets import postgresql
from tests.targets.bigquery import BigQuery
from tests.targets.environments import executable
from tests.targets.loading import DuckDB, PostgreSQL, load, target_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.targets.target import Row, Target

TARGETS = {
    "DuckDB": "target-duckdb",
    "PostgreSQL": "target-postgres",
    "BigQuery": "target-bigquery",
}
"""What loads a database, by the name that it has on the page."""

_RUN_DUCKDB = """
import duckdb, sys
database = duckdb.connect(sys.argv[1])
for (line,) in database.execute(sys.argv[2]).fetchall():
    print(line)
"""


@dataclass
class Helpdesk:
    """A database as a user has it, and the shop that it was loaded from."""

    database: str
    target: Target
    shop: Shop
    gone: set[int]  # tickets
    gone_customers: set[int]

    def find(self, query: str) -> list[Row]:
        """Return the rows that a query answers."""
        if isinstance(self.target, BigQuery):
            [rows] = self.target.ask(query)
            return rows
        function = "to_json" if self.database == "DuckDB" else "row_to_json"
        lines = self._lines(f"SELECT {function}(row) FROM ({query}) AS row")  # noqa: S608
        return [json.loads(line) for line in lines]

    def ask(self, *parts: str) -> list[Row]:
        """Return the rows of the page's query that holds these texts."""
        return self.find(analysts.query(self.database, *parts))

    def execute(self, statement: str) -> None:
        """Run a statement that answers nothing."""
        if isinstance(self.target, BigQuery):
            self.target.ask(statement)
        else:
            self._lines(statement)

    def make_views(self) -> None:
        """Run the statements of the page that make views."""
        for query in analysts.queries():
            if query.database == self.database and query.is_view:
                self.execute(query.sql)

    @contextlib.contextmanager
    def hidden_message(self) -> Iterator[Row]:
        """Hide a message of a ticket for a while.

        Yields:
            What the page's check of messages has to find then.
        """
        ticket = next(iter(self.current_tickets()))
        messages = self.shop.messages.of_ticket(ticket)
        turn = "UPDATE gorgias.ticket_messages SET ticket_id = -ticket_id WHERE id = {}"
        turn = turn.format(messages[0])
        self.execute(turn)
        yield {
            "id": ticket,
            "messages_count": len(messages),
            "messages_loaded": len(messages) - 1,
        }
        self.execute(turn)

    def current_tickets(self) -> dict[int, Row]:
        """Return the tickets that are neither gone, nor in the trash, nor spam."""
        return {
            row["id"]: row
            for row in self.shop.tickets.rows()
            if not row["trashed_datetime"] and not row["spam"]
        }

    def _lines(self, statement: str) -> list[str]:
        """Run a statement; return the one column that it answers."""
        if isinstance(self.target, PostgreSQL):
            return postgresql.lines(self.target.host, statement)
        assert isinstance(self.target, DuckDB)
        python = executable(self.target.name, "python")
        told = subprocess.run(  # noqa: S603
            [python, "-c", _RUN_DUCKDB, self.target.settings["path"], statement],
            capture_output=True,
            check=True,
            encoding="utf-8",
        )
        return told.stdout.split("\n")[:-1]


@contextlib.contextmanager
def loaded(database: str, folder: Path) -> Iterator[Helpdesk]:
    """Load a helpdesk, change it, load it again, and make the page's views.

    Args:
        database: Its name on the page.
        folder: Where to keep files.

    Yields:
        The helpdesk, the same for each database.
    """
    shop = Shop(
        seed=8,
        tickets=150,
        satisfaction_surveys=90,
        customers=80,
        events=60,
        ticket_merged="vanished",
    )
    with contextlib.ExitStack() as ends:
        target = target_of(TARGETS[database], folder, ends)
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
        helpdesk = Helpdesk(database, target, shop, {deleted, merged}, {customer})
        helpdesk.make_views()
        yield helpdesk


def _newest_open_tickets(shop: Shop) -> list[int]:
    """Look for tickets whose day is read again by later runs."""
    rows = [row for row in shop.tickets.rows() if row["status"] == "open"]
    rows.sort(key=lambda row: timestamp(row["created_datetime"]), reverse=True)
    return [row["id"] for row in rows]


def timestamp(text: str) -> float:
    """Return a date-time in seconds since 1970."""
    return timestamps.parse(text).timestamp()
