"""Targets load interleaved streams into the same rows as sequential ones."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox import Sandbox, Shop
from tests.targets.comparing import comparable
from tests.targets.environments import LOADED
from tests.targets.loading import load, target_of
from tests.targets.target import latest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.runs import Output
    from tests.targets.shop import Key
    from tests.targets.target import Row

STREAM_NAMES = ["customers", "events", "tags", "ticket_messages", "tickets", "users"]
FEW_ROWS = {
    "target-bigquery": {"batch_size": 40},
    "target-duckdb": {"batch_size_rows": 40},
    "target-postgres": {"batch_size_rows": 40},
    "target-snowflake": {"batch_size_rows": 150},
}
"""Settings with which targets load some rows while others are still arriving."""


def load_all(
    name: str, folder: Path, parallel_streams: int
) -> tuple[Output, dict[str, dict[Key, Row]]]:
    """Load some streams of a small shop into an empty target.

    Returns:
        The output of the tap, and the rows of each stream in the target by their key.
    """
    folder.mkdir()
    settings: dict[str, Any] = {"parallel_streams": parallel_streams}
    shop = Shop(seed=5, tickets=60, customers=220, events=210)
    with ExitStack() as stack:
        target = target_of(name, folder, stack)
        sandbox = stack.enter_context(Sandbox(shop))
        output = load(
            target,
            sandbox.config | settings,
            folder,
            streams=STREAM_NAMES,
            target_settings=FEW_ROWS.get(name, {}),
        )
        found = target.rows(*STREAM_NAMES)
    return output, {
        stream: {
            key: comparable(schema["schema"], row)
            for key, row in latest(found[stream], schema["key_properties"]).items()
        }
        for stream, schema in output.schemas.items()
    }


@pytest.mark.parametrize("name", LOADED)
def test_parallel_and_sequential_streams_load_the_same_rows(
    name: str, tmp_path: Path
) -> None:
    """Streams, keys and values are equal with one and with six parallel streams."""
    one, expected = load_all(name, tmp_path / "one", 1)
    six, found = load_all(name, tmp_path / "six", 6)

    assert one.turns == len(STREAM_NAMES) < six.turns
    assert found.keys() == expected.keys() == set(STREAM_NAMES)
    for stream in STREAM_NAMES:
        assert found[stream] == expected[stream], stream
        assert expected[stream].keys() == {
            tuple(row[key] for key in one.schemas[stream]["key_properties"])
            for row in one.records(stream)
        }
