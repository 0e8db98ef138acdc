"""Targets load streams that are read in parallel, a few rows at a time."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.sandbox import Sandbox, Shop
from tests.targets.comparing import ALLOWED, comparable
from tests.targets.loading import TARGETS, load, target_of
from tests.targets.target import latest

if TYPE_CHECKING:
    from pathlib import Path


STREAM_NAMES = ["customers", "events", "tags", "ticket_messages", "tickets", "users"]
FEW_ROWS = {
    "target-bigquery": {"batch_size": 40},
    "target-duckdb": {"batch_size_rows": 40},
    "target-postgres": {"batch_size_rows": 40},
    "target-snowflake": {"batch_size_rows": 150},
}
"""Settings with which targets load some rows while others are still arriving."""


@pytest.mark.parametrize("name", TARGETS)
def test_rows_that_interleave_arrive_as_they_were_written(
    name: str, tmp_path: Path
) -> None:
    """Each row is in the table of its stream, with the values of its last version."""
    shop = Shop(seed=5, tickets=60, customers=220, events=210)
    with ExitStack() as stack:
        target = target_of(name, tmp_path, stack)
        sandbox = stack.enter_context(Sandbox(shop))
        output = load(
            target,
            sandbox.config,
            tmp_path,
            streams=STREAM_NAMES,
            target_settings=FEW_ROWS.get(name, {}),
        )
        found = target.rows(*STREAM_NAMES)

    assert output.turns > len(STREAM_NAMES)
    assert output.schemas.keys() == set(STREAM_NAMES)
    for stream, schema in output.schemas.items():
        keys, columns = schema["key_properties"], schema["schema"]
        written = latest(output.records(stream), keys)
        arrived = latest(found[stream], keys)
        assert arrived.keys() == written.keys(), stream
        allowed = ALLOWED[name]
        for key, row in written.items():
            other = comparable(columns, arrived[key], allowed)
            assert other == comparable(columns, row, allowed), stream
