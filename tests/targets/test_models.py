"""The models on DuckDB, PostgreSQL and emulators of BigQuery and Snowflake."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlglot import exp, parse_one

from scripts import compiled_models
from tap_gorgias import timestamps
from tests.targets.environments import executable
from tests.targets.loading import EMULATED, parameters
from tests.targets.modelled import (
    ALTERED,
    INCREMENTAL,
    MODELS,
    UNPACKED,
    VARIABLES,
    build_twice,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.sandbox.shop import TicketMerged
    from tests.targets.modelled import Stage

WAREHOUSES: Mapping[str, TicketMerged] = {
    "target-duckdb": "survivor",
    "target-postgres": "vanished",
    "target-bigquery": "vanished",
    "target-snowflake": "survivor",
}
"""Targets, and the ticket that the event of a merge names."""

Stages = dict[str, "Stage"]
COMPARISONS = [
    *(("first", model) for model in (*MODELS, *UNPACKED)),
    # Old statistics and old copies of names stay as they were.
    *(("second", model) for model in MODELS if model != "gorgias_statistics_check"),
]


@pytest.fixture(scope="module", params=parameters(WAREHOUSES))
def stages(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Stages:
    """The models of a shop, and again after an hour of changes."""
    name = request.param
    folder = tmp_path_factory.mktemp(name)
    return dict(build_twice(name, folder, WAREHOUSES[name]))


def comparable(rows: list[dict[str, Any]]) -> list[list[tuple[str, object]]]:
    """Sort rows, and make their values independent of the warehouse."""
    return sorted(
        (
            [(name, _plain(row[name])) for name in sorted(row) if name != "row_version"]
            for row in rows
        ),
        key=repr,
    )


def _plain(value: Any) -> object:  # noqa: ANN401
    if isinstance(value, str) and value[4:5] + value[7:8] == "--" and value[10:]:
        value = timestamps.parse(value)
    if isinstance(value, datetime):
        return round(value.timestamp() * 1_000_000)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return round(float(value), 6)


@pytest.mark.parametrize(("stage", "model"), COMPARISONS)
def test_every_figure_is_that_of_the_shop(
    stages: Stages, stage: str, model: str
) -> None:
    """All columns of all rows equal those computed in Python."""
    found = comparable(stages[stage].rows[model])
    expected = comparable(stages[stage].expected[model])

    for row, other in zip(found, expected, strict=False):
        assert row == other
    assert len(found) == len(expected)


def test_an_incremental_build_equals_a_full_one(stages: Stages) -> None:
    """Whatever changed: rows without a new date, names, deleted rows, settings."""
    if "edited" not in stages:
        pytest.skip("The SQL of a release always builds everything.")
    for model in (*MODELS, *INCREMENTAL):
        found = [
            {**row, "call_seconds": 0} if row.get("call_seconds") == ALTERED else row
            for row in stages["edited"].rows[model]
        ]
        assert comparable(found) == comparable(stages["edited"].expected[model]), model


def test_an_incremental_build_keeps_rows_that_did_not_change(stages: Stages) -> None:
    """A figure that was altered in such a row remains until a full build."""
    if "edited" not in stages:
        pytest.skip("The SQL of a release always builds everything.")
    altered, right = (
        [row["call_seconds"] for row in rows["gorgias_tickets"]].count(ALTERED)
        for rows in (stages["edited"].rows, stages["edited"].expected)
    )
    assert (altered, right) == (1, 0)


def test_the_hour_changed_what_it_should(stages: Stages) -> None:
    """Tickets and customers are gone, an imported ticket and a gap have come."""
    numbers = {
        model: [len(stages[stage].rows[model]) for stage in ("first", "second")]
        for model in MODELS
    }
    assert numbers["gorgias_tickets"] == [144, 143]
    assert numbers["gorgias_customers"] == [60, 58]
    assert numbers["gorgias_message_gaps"] == [0, 1]


def test_the_shop_has_every_case(stages: Stages) -> None:
    """No figure is compared only with nulls and zeros."""
    for model in MODELS:
        rows = stages["second"].rows[model]
        for name in rows[0] if model != "gorgias_message_gaps" else ():
            if name != "sentiment":
                assert any(row[name] not in {None, 0} for row in rows), name
    tickets = stages["second"].rows["gorgias_tickets"]
    assert {row["first_response_by"] for row in tickets} == {
        *("person", "ai_agent", "bot", None)
    }
    assert {"rule", "outside"} <= {row["first_reply_by"] for row in tickets}


@pytest.mark.parametrize("name", EMULATED)
def test_the_sql_of_a_release_is_that_of_the_warehouse(name: str) -> None:
    """It can be parsed here, and is run by emulators on GitHub."""
    warehouse = name.removeprefix("target-")
    content = compiled_models.manifest(executable("dbt"), warehouse, VARIABLES)
    for statement in compiled_models.statements(warehouse, content):
        assert isinstance(parse_one(statement, dialect=warehouse), exp.Create)
