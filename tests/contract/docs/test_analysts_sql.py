"""The SQL for analysts is valid for the databases that it names.

`tests/targets/test_analysts.py` runs the statements.
"""

from __future__ import annotations

import pytest
from sqlglot import exp, parse_one
from sqlglot.errors import OptimizeError
from sqlglot.optimizer.qualify import qualify

from tests.support.analysts import DIALECTS, Query, config, queries, tables


def test_each_statement_names_its_databases() -> None:
    """The first line of a statement names databases of the page."""
    assert {query.database for query in queries()} == DIALECTS.keys()


@pytest.mark.parametrize("query", queries(), ids=lambda query: query.database)
def test_statements_are_valid_for_their_database(query: Query) -> None:
    """Tables and columns are those of the streams and of the page's views."""
    qualified(query)


def qualified(query: Query) -> exp.Expr:
    """Parse a statement and resolve each of its columns."""
    dialect = DIALECTS[query.database]
    statement = parse_one(query.sql, dialect=dialect)
    assert not list(statement.find_all(exp.Command)), "not understood"
    select = statement.find(exp.Select)
    assert select
    columns = {name: dict.fromkeys(one, "text") for name, one in tables().items()}
    found = {table.name.lower() for table in select.find_all(exp.Table) if table.db}
    assert found <= columns.keys()
    return qualify(select, schema={"gorgias": columns}, dialect=dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_unknown_column_is_detected(dialect: str) -> None:
    """The test of statements can fail."""
    sql = "SELECT ticket.nonsense FROM gorgias.tickets AS ticket"
    with pytest.raises(OptimizeError, match=r"(?i)nonsense"):
        qualified(Query(dialect, sql))


def test_every_question_is_answered_for_duckdb_and_postgresql() -> None:
    """These are the databases on which all queries are run."""
    ours = [[q.sql for q in queries() if q.database == name] for name in DIALECTS]
    assert len(ours[0]) == len(ours[1]) >= 8


def test_statistics_of_the_page_are_those_of_its_sql() -> None:
    """The example config creates the streams that the queries read."""
    named = {name for name in tables() if name.startswith("statistics_")}
    assert config()["statistics"][0] == "tickets_created"
    used = {name for name in named if any(name in query.sql for query in queries())}
    assert used == {
        "statistics_tickets_created",
        "statistics_first_response_by_day",
    }
