"""A helpdesk in a database for the queries of docs/analysts.md."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_gorgias import timestamps
from tests.sandbox import Sandbox, Shop
from tests.support import analysts
from tests.targets.bigquery import BigQuery
from tests.targets.loading import Database, load, target_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.targets.target import Row

TARGETS = {
    "DuckDB": "target-duckdb",
    "PostgreSQL": "target-postgres",
    "BigQuery": "target-bigquery",
}
"""The target that loads a database, by the database's name on the page."""


@dataclass
class Helpdesk:
    """A loaded database and the shop that it was loaded from."""

    database: str
    target: BigQuery | Database
    shop: Shop
    deleted_tickets: set[int]
    deleted_customers: set[int]

    def find(self, query: str) -> list[Row]:
        """Return the rows that a query finds."""
        if isinstance(self.target, BigQuery):
            [rows] = self.target.ask(query)
            return rows
        function = self.target.to_json
        lines = self.target.ask(f"SELECT {function}(row) FROM ({query}) AS row")  # noqa: S608
        return [json.loads(line) for line in lines]

    def ask(self, *parts: str) -> list[Row]:
        """Return the rows of the page's query that contains these texts."""
        return self.find(analysts.query(self.database, *parts))

    def execute(self, statement: str) -> None:
        """Run a statement without a result."""
        self.target.ask(statement)

    def create_views(self) -> None:
        """Run the statements of the page that create views."""
        for query in analysts.queries():
            if query.database == self.database and query.is_view:
                self.execute(query.sql)

    @contextlib.contextmanager
    def message_hidden(self) -> Iterator[Row]:
        """Hide a message of a ticket temporarily.

        Yields:
            The row that the page's check of messages should find meanwhile.
        """
        ticket = next(iter(self.current_tickets()))
        messages = self.shop.messages.of_ticket(ticket)
        statement = (
            "UPDATE gorgias.ticket_messages SET ticket_id = -ticket_id"  # noqa: S608
            f" WHERE id = {messages[0]}"
        )
        self.execute(statement)
        yield {
            "id": ticket,
            "messages_count": len(messages),
            "messages_loaded": len(messages) - 1,
        }
        self.execute(statement)

    def current_tickets(self) -> dict[int, Row]:
        """Return the tickets that are not deleted, trashed or spam."""
        return {
            row["id"]: row
            for row in self.shop.tickets.rows()
            if not row["trashed_datetime"] and not row["spam"]
        }


@contextlib.contextmanager
def loaded_helpdesk(database: str, folder: Path) -> Iterator[Helpdesk]:
    """Load a helpdesk, change it, load it again, and create the page's views.

    Args:
        database: The database's name on the page.
        folder: A folder for files.

    Yields:
        The helpdesk, whose contents are the same for each database.
    """
    shop = Shop(
        seed=8,
        tickets=150,
        satisfaction_surveys=90,
        customers=80,
        events=60,
        ticket_merged="vanished",
    )
    with contextlib.ExitStack() as stack:
        target = target_of(TARGETS[database], folder, stack)
        sandbox = stack.enter_context(Sandbox(shop))
        config = {**analysts.config(), **sandbox.config}
        first = load(target, config, folder)
        deleted, merged, kept = _newest_open_tickets(shop)[:3]
        customer, other = shop.customers.ids()[:2]
        shop.advance(3_600)
        shop.tickets.delete(deleted)
        shop.tickets.merge(merged, kept)
        shop.customers.merge(customer, other)
        load(target, config, folder, first.state)
        assert isinstance(target, BigQuery | Database)
        helpdesk = Helpdesk(database, target, shop, {deleted, merged}, {customer})
        helpdesk.create_views()
        yield helpdesk


def _newest_open_tickets(shop: Shop) -> list[int]:
    """Return open tickets, newest first; later runs read their day again."""
    rows = [row for row in shop.tickets.rows() if row["status"] == "open"]
    rows.sort(key=lambda row: timestamp(row["created_datetime"]), reverse=True)
    return [row["id"] for row in rows]


def timestamp(text: str) -> float:
    """Convert a date-time to seconds since 1970."""
    return timestamps.parse(text).timestamp()
