"""The examples of settings of the SDK, run against the sandbox.

`test_privacy.py` runs those of stream maps.
"""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.sandbox import Sandbox, Shop
from tests.support.documents import block
from tests.support.runs import latest, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def example(setting: str) -> dict[str, Any]:
    """Return the only example that contains a setting."""
    settings: dict[str, Any] = json.loads(block(f'"{setting}"', "json"))
    return settings


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A small shop."""
    with Sandbox(Shop(seed=17, tickets=80, customers=90, events=120)) as sandbox:
        yield sandbox


def test_flattening_makes_columns_of_objects(sandbox: Sandbox) -> None:
    """Objects with known properties become columns, others become text."""
    settings = example("flattening_enabled")

    output = run({**sandbox.config, **settings}, "tickets")

    properties = output.schemas["tickets"]["schema"]["properties"]
    assert {"customer__id", "customer__email", "custom_fields"} <= set(properties)
    assert "customer" not in properties
    found = latest("tickets", output)
    assert len(found) == len(sandbox.shop.tickets)
    for row in sandbox.shop.tickets.rows():
        customer = row["customer"] or {}
        assert found[row["id"]].get("customer__id") == customer.get("id")
        tags = json.loads(found[row["id"]]["tags"])
        assert [tag["id"] for tag in tags] == [tag["id"] for tag in row["tags"]]


def test_batches_are_files_with_all_rows(sandbox: Sandbox, tmp_path: Path) -> None:
    """The example applies except for its folder."""
    settings = example("batch_config")
    storage = settings["batch_config"]["storage"]
    storage["root"] = tmp_path.as_uri()

    output = run({**sandbox.config, **settings}, "customers", "tickets")

    read: dict[str, set[int]] = {"customers": set(), "tickets": set()}
    for message in output.messages:
        if message["type"] == "BATCH":
            assert message["encoding"] == settings["batch_config"]["encoding"]
            for address in message["manifest"]:
                path = tmp_path / urlsplit(address).path.rpartition("/")[2]
                assert path.name.startswith(storage["prefix"])
                with gzip.open(path, "rt", encoding="utf-8") as lines:
                    read[message["stream"]] |= {
                        json.loads(line)["id"] for line in lines
                    }
    assert read["tickets"] == set(sandbox.shop.tickets.ids())
    assert read["customers"] == set(sandbox.shop.customers.ids())
    assert output.records("tickets") == []
