"""Targets that need what others forgive load every value, also after a kill.

They need all columns of SCHEMA in its order, output in ASCII, bounds of integers, and
STATE before the first row.
"""

from __future__ import annotations

import contextlib
import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.sandbox import Sandbox, Shop
from tests.support.documents import block
from tests.targets import postgresql
from tests.targets.environments import SCRIPTS, STRICT, executable, reason_to_skip
from tests.targets.loading import DuckDB, load
from tests.targets.trying import Trial, attempt

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

FLATTENED = {"flattening_enabled": True, "flattening_max_depth": 1}
WINDOWS = {"PYTHONIOENCODING": "cp1252"}
"""The encoding of stdin on Windows, before Python 3.15."""
NO_NULLS = "null and empty text are one"

ALLOWED: dict[str, Collection[str]] = {
    "target-csv": (NO_NULLS,),
    "target-sqlite": (),
    "pipelinewise-target-postgres": (
        NO_NULLS,
        "line breaks, tabs or backslashes as other characters",
    ),
}


@contextlib.contextmanager
def trial_of(name: str) -> Iterator[tuple[Trial, Path]]:
    """Describe a target and how to read it back; yield its command, too."""
    if reason := reason_to_skip(name):
        pytest.skip(reason)
    (requirement,) = STRICT[name]
    command = executable(name, name.removeprefix("pipelinewise-"))
    read = f"{sys.executable} {SCRIPTS}/"
    if name == "target-csv":
        config = json.loads(block("{folder}", "json"))
        read += "read_csv.py"
        yield (
            Trial(requirement, config, read, tap_config=FLATTENED, variables=WINDOWS),
            command,
        )
    elif name == "target-sqlite":
        config = {"database": "{folder}/{name}"}
        read += "read_sqlite.py"
        yield Trial(requirement, config, read, tap_config=FLATTENED), command
    else:
        with postgresql.server() as host:
            settings = {
                "host": host,
                "port": 5432,
                "user": postgresql.NAME,
                "password": "none",
                "dbname": postgresql.NAME,
                "default_target_schema": "{name}",
                "batch_size_rows": 95,  # less than a page
            }
            yield Trial(requirement, settings, read + "read_postgres.py"), command


@pytest.mark.parametrize("name", STRICT)
def test_every_value_arrives(name: str, tmp_path: Path) -> None:
    """Two runs, with new columns in the second, and a third that follows a kill."""
    with trial_of(name) as (trial, target):
        for result in attempt(trial, target, tmp_path):
            assert result.missing == 0, result.render()
            assert result.differences.keys() <= set(ALLOWED[name]), result.render()
        if name == "pipelinewise-target-postgres":
            # It takes the first STATE of a run for that of rows already loaded.
            assert "with a STATE" in result.load
            assert_types_of_postgresql(trial.config["host"])


def assert_types_of_postgresql(host: str) -> None:
    """Assert that no integer became a column without a fixed size."""
    found = postgresql.lines(
        host,
        "SELECT DISTINCT data_type || ' ' || column_name"
        " FROM information_schema.columns WHERE table_schema = 'loaded'"
        " AND data_type NOT IN ('character varying', 'boolean', 'jsonb')"
        " AND data_type NOT LIKE 'timestamp%'",
    )
    kinds = {line.rpartition(" ")[0] for line in found}
    assert "bigint id" in found
    assert "double precision score" in found
    assert kinds == {"bigint", "double precision"}, found


def test_integers_of_duckdb_are_bigint(tmp_path: Path) -> None:
    """Exports of HUGEINT round ids to floats."""
    target = DuckDB(tmp_path)
    with Sandbox(Shop(tickets=10)) as sandbox:
        load(target, sandbox.config, tmp_path, streams=["satisfaction_surveys"])

    types = target.ask(
        "SELECT column_name || ' ' || data_type FROM information_schema.columns"
    )
    assert {"id BIGINT", "ticket_id BIGINT", "score DOUBLE"} <= set(types)
    assert not [one for one in types if "HUGEINT" in one]
