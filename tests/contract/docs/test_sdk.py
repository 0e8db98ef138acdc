"""The examples of docs/sdk.md, run against the sandbox."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.sandbox import Sandbox, Shop
from tests.support.documents import SDK, blocks
from tests.support.runs import latest, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.runs import Output

TEXTS = ("body_text", "body_html", "stripped_text", "subject")


def example(setting: str) -> dict[str, Any]:
    """Return the only example that contains a setting."""
    found = [json.loads(one) for one in blocks("json", SDK) if f'"{setting}"' in one]
    (settings,) = (one for one in found if setting in one)
    assert isinstance(settings, dict)
    return settings


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A small shop."""
    with Sandbox(Shop(seed=17, tickets=80, customers=90, events=120)) as sandbox:
        yield sandbox


def masked(sandbox: Sandbox) -> Output:
    """Run the tap with the example of stream maps."""
    settings = example("stream_maps")
    return run({**sandbox.config, **settings}, *settings["stream_maps"])


def test_masking_hides_customer_data(sandbox: Sandbox) -> None:
    """The output contains no personal data and no text of a customer."""
    output = json.dumps(masked(sandbox).messages, ensure_ascii=False)
    plain = json.dumps(
        run(sandbox.config, *example("stream_maps")["stream_maps"]).messages,
        ensure_ascii=False,
    )

    customers, messages = sandbox.shop.customers.rows(), sandbox.shop.messages.rows()
    secrets = {row[name] for row in customers for name in ("email", "name")}
    secrets |= {row[name] for row in messages for name in TEXTS}
    agents = {row["name"] for row in sandbox.shop.users.rows()}
    secrets -= agents  # some have the name of a customer
    secrets = {json.dumps(text, ensure_ascii=False)[1:-1] for text in secrets if text}
    assert len({text for text in secrets if text in plain}) > 200
    assert {text for text in secrets if f'"{text}"' in output} == set()
    assert {text for text in secrets if "@" in text and text in output} == set()


def test_masked_tables_can_still_be_joined(sandbox: Sandbox) -> None:
    """A customer has the same hash in every table, which depends on the salt."""
    output, salt = masked(sandbox), example("stream_maps")["stream_map_config"]["salt"]
    hashes = {row["id"]: row["email"] for row in output.records("customers")}

    joined = 0
    for ticket in output.records("tickets"):
        customer = sandbox.shop.tickets.row(ticket["id"])["customer"]
        if customer:
            assert ticket["customer_id"] == customer["id"]
            assert ticket["customer_email"] == hashes[customer["id"]]
            joined += ticket["customer_email"] is not None
    assert joined > 20
    for row in sandbox.shop.customers.rows():
        digest = hashlib.sha256(f"{salt}{row['email']}".encode()).hexdigest()
        assert hashes[row["id"]] == (digest if row["email"] else None)
    senders = {row["sender_email"] for row in output.records("ticket_messages")}
    assert senders & set(hashes.values()) - {None}
    types = output.schemas["tickets"]["schema"]["properties"]
    assert types["customer_id"]["type"] == ["integer", "null"]


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
