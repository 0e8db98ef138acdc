"""The queries of docs/analysts.md find the same rows in BigQuery as in DuckDB."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tap_gorgias import timestamps
from tests.support import analysts
from tests.targets.helpdesk import loaded_helpdesk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.targets.helpdesk import Helpdesk
    from tests.targets.target import Row

QUERIES = (
    "open_tickets",
    "ticket.tags",
    "ticket.custom_fields",
    "statistics_tickets_created",
)
"""A unique text of each query for BigQuery other than views and `CHECK`."""
CHECK = "messages_loaded"
"""A unique text of the query that checks for missing messages."""


@pytest.fixture(scope="module")
def helpdesks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Helpdesk]]:
    """The same helpdesk in BigQuery and in DuckDB."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                loaded_helpdesk(database, tmp_path_factory.mktemp(database))
            )
            for database in ("BigQuery", "DuckDB")
        ]


def comparable(row: Row) -> dict[str, Any]:
    """Parse date-times, and compare floats approximately."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, float):
        return pytest.approx(value)
    if isinstance(value, str) and value[4:5] + value[7:8] == "--":
        return timestamps.parse(value)
    return value


@pytest.mark.parametrize("part", QUERIES)
def test_queries_find_the_same_rows(helpdesks: list[Helpdesk], part: str) -> None:
    """Values, names and order of the rows are equal."""
    found, expected = (
        [comparable(row) for row in helpdesk.ask(part)] for helpdesk in helpdesks
    )

    assert found == expected
    assert len(found) > 5


@pytest.mark.parametrize("view", ["current_tickets", "current_customers"])
def test_views_contain_the_same_rows(helpdesks: list[Helpdesk], view: str) -> None:
    """Both have fewer rows than the table."""
    query = f"SELECT id FROM gorgias.{view} ORDER BY id"  # noqa: S608
    found, expected = (helpdesk.find(query) for helpdesk in helpdesks)

    assert found == expected
    table = query.replace("current_", "")
    assert 0 < len(found) < len(helpdesks[0].find(table))


def test_the_check_of_messages_finds_the_same_ticket(helpdesks: list[Helpdesk]) -> None:
    """It finds only the ticket of which a message is missing."""
    for helpdesk in helpdesks:
        before = helpdesk.ask(CHECK)
        with helpdesk.message_hidden() as expected:
            after = helpdesk.ask(CHECK)
        assert (before, after) == ([], [expected])


def test_each_query_is_compared() -> None:
    """`QUERIES` covers each query for BigQuery on the page."""
    asked = {analysts.query("BigQuery", part) for part in (*QUERIES, CHECK)}
    assert asked == {
        query.sql
        for query in analysts.queries()
        if query.database == "BigQuery" and not query.is_view
    }
