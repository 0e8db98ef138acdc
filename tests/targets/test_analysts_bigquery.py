"""The SQL of docs/analysts.md for BigQuery finds what that for DuckDB finds."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tap_gorgias import timestamps
from tests.contract import analysts
from tests.targets.helpdesk import loaded

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
"""A text in each query for BigQuery, but for those that make views and `CHECK`."""
CHECK = "messages_loaded"
"""A text in the query that finds nothing where all is loaded."""


@pytest.fixture(scope="module")
def helpdesks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Helpdesk]]:
    """The same helpdesk in BigQuery and in DuckDB."""
    with ExitStack() as ends:
        yield [
            ends.enter_context(loaded(database, tmp_path_factory.mktemp(database)))
            for database in ("BigQuery", "DuckDB")
        ]


def comparable(row: Row) -> dict[str, Any]:
    """Make moments of date-times, and numbers that may differ in the last digit."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, float):
        return pytest.approx(value)
    if isinstance(value, str) and value[4:5] + value[7:8] == "--":
        return timestamps.parse(value)
    return value


@pytest.mark.parametrize("part", QUERIES)
def test_queries_find_the_same(helpdesks: list[Helpdesk], part: str) -> None:
    """The same rows in the same order, with the same values and names."""
    found, wanted = (
        [comparable(row) for row in helpdesk.ask(part)] for helpdesk in helpdesks
    )

    assert found == wanted
    assert len(found) > 5


@pytest.mark.parametrize("view", ["current_tickets", "current_customers"])
def test_views_hold_the_same(helpdesks: list[Helpdesk], view: str) -> None:
    """Fewer rows than the table has."""
    query = f"SELECT id FROM gorgias.{view} ORDER BY id"  # noqa: S608
    found, wanted = (helpdesk.find(query) for helpdesk in helpdesks)

    assert found == wanted
    table = query.replace("current_", "")
    assert 0 < len(found) < len(helpdesks[0].find(table))


def test_the_check_of_messages_finds_the_same(helpdesks: list[Helpdesk]) -> None:
    """Nothing, and a ticket of which a message is missing."""
    for helpdesk in helpdesks:
        before = helpdesk.ask(CHECK)
        with helpdesk.hidden_message() as wanted:
            after = helpdesk.ask(CHECK)
        assert (before, after) == ([], [wanted])


def test_each_query_is_compared() -> None:
    """A new one on the page belongs into `QUERIES`."""
    asked = {analysts.query("BigQuery", part) for part in (*QUERIES, CHECK)}
    assert asked == {
        query.sql
        for query in analysts.queries()
        if query.database == "BigQuery" and not query.is_view
    }
