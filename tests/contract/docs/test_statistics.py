"""The page on statistics for analysts matches the code."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing

from tap_gorgias.config.statistics import PRESETS, TIME_DIMENSIONS, read_queries
from tap_gorgias.tap import TapGorgias
from tests.support.documents import assert_generated, block, table, text


def presets_table() -> str:
    """Return the table of presets in Markdown."""
    lines = ["| preset | scope | measures | dimensions |", "| --- | --- | --- | --- |"]
    for name, query in sorted(PRESETS.items()):
        members = (query.measures, query.dimensions)
        lists = (", ".join(f"`{member}`" for member in one) for one in members)
        lines.append(f"| `{name}` | `{query.scope}` | {' | '.join(lists)} |")
    return "\n".join(lines)


def test_the_presets_table_matches_the_code() -> None:
    """Names, measures and dimensions are those of the presets."""
    assert_generated("presets", presets_table())


def test_the_example_creates_the_streams_of_the_query() -> None:
    """The SQL finds its tables and columns, and excludes outdated figures."""
    example = block('"statistics": [', "json")
    tap = TapGorgias(config=json.loads(example))
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("ATTACH ':memory:' AS gorgias")
        for name, stream in tap.streams.items():
            if name.startswith("statistics_"):
                columns = ", ".join(stream.schema["properties"])
                database.execute(f"CREATE TABLE gorgias.{name} ({columns})")
        database.executescript(
            """
            INSERT INTO gorgias.statistics_tickets_created
                (period_start, read_datetime, agent_id, ticket_count) VALUES
                ('2026-10-01', '2026-10-02', '1', 2.0),
                ('2026-10-01', '2026-10-03', '2', 5.0),
                ('2026-10-01', '2026-10-03', NULL, 1.0),
                ('2026-10-02', '2026-10-03', '2', 4.0),
                ('2026-10-03', '2026-10-02', '2', 9.0);
            INSERT INTO gorgias.statistics_first_response_by_day
                (period_start, median_first_response_time)
                VALUES ('2026-10-01', 5400.0);
            """
        )
        query = block("gorgias.statistics_tickets_created", "sql")
        assert list(database.execute(query)) == [
            ("2026-10-01", 6.0, 1.5),
            ("2026-10-02", 4.0, None),
        ]


def test_filters_of_the_page_are_accepted() -> None:
    """These are the two filters with operators inside their values."""
    filters = re.findall(r'`(\{"member".*\})`', text())
    entry = {"name": "a", "scope": "tickets-created", "measures": ["ticketCount"]}
    entries = [{**entry, "filters": [json.loads(one)]} for one in filters]
    members = {one["filters"][0]["member"] for one in entries}
    assert members == {"tags", "customFields"}
    assert [read_queries([one])[1] for one in entries] == [[], []]


def test_scopes_without_a_documented_date_are_listed() -> None:
    """They cost a request for each period."""
    names = sorted(name for name, date in TIME_DIMENSIONS.items() if not date)
    assert_generated("scopes", ", ".join(f"`{name}`" for name in names))


def test_the_columns_are_those_of_the_schema() -> None:
    """The table lists the columns in the order of the schema."""
    columns = list(PRESETS["tickets_created"].schema["properties"])
    described = [row[0].strip("`") for row in table("column", "contents")]
    assert described == [*columns[:4], "each dimension", "each measure"]
