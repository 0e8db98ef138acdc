"""Personal data that is masked is in no table, and a customer can be erased."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import pytest

from tap_gorgias.streams import STREAMS
from tests.sandbox import Sandbox, Shop
from tests.support import personal
from tests.support.documents import block, blocks
from tests.support.personal import AGENT, EMAIL, found_in
from tests.targets import loading, meltano
from tests.targets.loading import TARGETS, DuckDB, target_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.targets.target import Row

ALL = sorted(stream.name for stream in STREAMS)
NO_PERSONS = personal.level(["text", "person"])
"""The settings of the page that mask all personal data."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A small shop, with a person in every object."""
    shop = Shop(seed=17, tickets=40, customers=30, events=40, voice_calls=12)
    personal.plant(shop)
    with Sandbox(shop) as sandbox:
        yield sandbox


def assert_masked(rows: dict[str, list[Row]]) -> None:
    """Check that tables have rows, and none of the planted values."""
    assert all(rows[name] for name in ("customers", "tickets", "ticket_messages"))
    assert found_in(json.dumps(rows, ensure_ascii=False, default=str)) == set()


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_that_meltano_masks_is_in_a_table(
    sandbox: Sandbox, name: str, tmp_path: Path
) -> None:
    """The settings are in meltano.yml, except for the salt."""
    settings = {"stream_maps": NO_PERSONS["stream_maps"]}
    salt = block("TAP_GORGIAS_STREAM_MAP_CONFIG", "text")
    with contextlib.ExitStack() as stack:
        target = target_of(name, tmp_path, stack)
        meltano.load(
            target, sandbox.config, tmp_path, settings=settings, variables=salt
        )
        assert_masked(target.rows(*ALL))


def test_nothing_that_is_masked_is_in_a_table(sandbox: Sandbox, tmp_path: Path) -> None:
    """The settings are in config.json."""
    with contextlib.ExitStack() as stack:
        target = target_of("target-postgres", tmp_path, stack)
        loading.load(target, {**sandbox.config, **NO_PERSONS}, tmp_path)
        assert_masked(target.rows(*ALL))


@pytest.mark.parametrize("way", ["deletion", "address"])
def test_a_customer_can_be_erased(sandbox: Sandbox, way: str, tmp_path: Path) -> None:
    """The statements of the page empty the tables in DuckDB; other rows stay."""
    customer = next(
        row["id"] for row in sandbox.shop.customers.rows() if row["email"] == EMAIL
    )
    statements = [one for one in blocks("sql") if "erased_customers" in one]
    by_deletion, by_address, find, empty = statements
    begin = by_deletion if way == "deletion" else by_address
    tables = ["customers", "customer_details", *personal.OF_CUSTOMER]
    target = DuckDB(tmp_path)
    loading.load(target, sandbox.config, tmp_path)
    before = target.rows(*tables)
    assert len(found_in(json.dumps(before))) > 5

    insert = f"VALUES (1, 'customer-deleted', 'Customer', {customer}); SELECT ''"
    columns = "gorgias.deletions (id, type, object_type, object_id)"
    target.ask(f"INSERT INTO {columns} {insert}")
    begin = begin.replace("jane@example.com", EMAIL.lower())
    target.ask(f"{begin}\n{find}\n{empty}\nSELECT ''")

    after = target.rows(*tables)
    assert found_in(json.dumps(after)) <= {AGENT}
    assert len(after["tickets"]) == len(before["tickets"])
    assert len(after["customers"]) == len(before["customers"]) - 1
