"""The SQL for analysts can be read by the databases that it names.

`tests/targets/test_analysts.py` runs what can be run.
"""

from __future__ import annotations

import pytest
from sqlglot import exp, parse_one
from sqlglot.errors import OptimizeError
from sqlglot.optimizer.qualify import qualify

from tests.support.analysts import DIALECTS, Query, config, queries, tables


def test_each_query_names_databases() -> None:
    """Those of the page, in its first line."""
    assert {query.database for query in queries()} == DIALECTS.keys()


@pytest.mark.parametrize("query", queries(), ids=lambda query: query.database)
def test_sql_is_that_of_the_database(query: Query) -> None:
    """Its tables are streams or views of the page, its columns are theirs."""
    qualified(query)


def qualified(query: Query) -> exp.Expr:
    """Parse a statement, and look up each of its columns."""
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
def test_a_column_that_does_not_exist_would_be_seen(dialect: str) -> None:
    """The look-up is not blind."""
    sql = "SELECT ticket.nonsense FROM gorgias.tickets AS ticket"
    with pytest.raises(OptimizeError, match=r"(?i)nonsense"):
        qualified(Query(dialect, sql))


def test_every_question_is_answered_for_duckdb_and_postgresql() -> None:
    """The databases on which all is run."""
    ours = [[q.sql for q in queries() if q.database == name] for name in DIALECTS]
    assert len(ours[0]) == len(ours[1]) >= 8


def test_statistics_of_the_page_are_those_of_its_sql() -> None:
    """The example of settings makes the streams that the queries read."""
    named = {name for name in tables() if name.startswith("statistics_")}
    assert config()["statistics"][0] == "tickets_created"
    used = {name for name in named if any(name in query.sql for query in queries())}
    assert used == {
        "statistics_tickets_created",
        "statistics_first_response_by_day",
    }
