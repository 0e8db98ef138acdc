"""Rows have exactly the columns of their SCHEMA, in every mode of output."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tap_gorgias.streams import STREAMS
from tap_gorgias.tap import TapGorgias
from tests.sandbox import Sandbox, Shop, items, views
from tests.support.runs import (
    Files,
    PartialRun,
    batches_of,
    everything,
    latest,
    run,
    run_command,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.runs import Output

FLATTENED = {"flattening_enabled": True, "flattening_max_depth": 1}
DEEPER = {"flattening_enabled": True, "flattening_max_depth": 3}
MAPS = {
    "stream_maps": {
        "customers": {"email": "md5(email) if email else None", "note": None},
        "tickets": {
            "customer_id": "int(customer['id']) if customer else None",
            "customer": None,
        },
        "tags": {"name": "name", "id": "id", "__else__": None},
        "copies": {"__source__": "users", "initial": "name[:1] if name else None"},
    }
}
MODES: dict[str, dict[str, Any]] = {
    "plain": {},
    "flattened": FLATTENED,
    "flattened deeper": DEEPER,
    "mapped": MAPS,
    "mapped and flattened": {**MAPS, **FLATTENED},
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A shop with rows of all streams."""
    with Sandbox(Shop(seed=8, tickets=60, customers=70, events=80)) as sandbox:
        yield sandbox


def columns(output: Output) -> dict[str, list[str]]:
    """Return the columns of each SCHEMA."""
    return {
        stream: list(message["schema"]["properties"])
        for stream, message in output.schemas.items()
    }


@pytest.mark.parametrize("mode", MODES)
def test_records_have_the_columns_of_their_schema(sandbox: Sandbox, mode: str) -> None:
    """Some targets take the columns of a row by their position."""
    output = run({**sandbox.config, **MODES[mode]}, catalog=everything())

    declared = columns(output)
    assert declared.keys() >= {stream.name for stream in STREAMS}
    for stream, names in declared.items():
        records = output.records(stream)
        assert records
        assert all(list(record) == names for record in records), stream


def test_a_null_object_is_null_in_each_of_its_columns(sandbox: Sandbox) -> None:
    """Its own name is no column."""
    output = run({**sandbox.config, **FLATTENED}, "tickets")

    rows = {row["id"]: row for row in sandbox.shop.tickets.rows()}
    without = [
        record
        for record in output.records("tickets")
        if rows[record["id"]]["assignee_team"] is None
    ]
    assert without
    for record in without:
        assert "assignee_team" not in record
        assert record["assignee_team__id"] is None


def test_a_catalog_decides_on_the_columns_and_their_order(sandbox: Sandbox) -> None:
    """It may lack columns, deselect parts of them, or name them in another order."""
    catalog = TapGorgias(validate_config=False).catalog_dict
    catalog["streams"] = [
        one for one in catalog["streams"] if one["tap_stream_id"] == "tickets"
    ]
    (entry,) = catalog["streams"]
    properties = entry["schema"]["properties"]
    del properties["excerpt"]
    entry["schema"]["properties"] = dict(reversed(properties.items()))
    for metadata in entry["metadata"]:
        if metadata["breadcrumb"] == ["properties", "customer", "properties", "email"]:
            metadata["metadata"]["selected"] = False

    output = run(sandbox.config, catalog=catalog)

    (names,) = columns(output).values()
    assert names[-1] == "id"
    assert "excerpt" not in names
    for record in output.records("tickets"):
        assert list(record) == names
        assert "email" not in (record["customer"] or {})


@pytest.mark.parametrize("mode", ["plain", "flattened", "mapped and flattened"])
def test_batch_files_have_the_columns_of_their_schema(
    sandbox: Sandbox, tmp_path: Path, mode: str
) -> None:
    """Stream maps and flattening apply to them, too."""
    maps = {k: v for k, v in MAPS["stream_maps"].items() if k != "copies"}
    config = {**sandbox.config, **MODES[mode], "batch_config": batches_of(25, tmp_path)}
    if "stream_maps" in config:
        config["stream_maps"] = maps

    output = run(config, catalog=everything())

    assert not [one for one in output.messages if one["type"] == "RECORD"]
    declared, counts = columns(output), defaultdict[str, int](int)
    for message in output.messages:
        if message["type"] == "BATCH":
            for address in message["manifest"]:
                with gzip.open(urlsplit(address).path, "rt", encoding="utf-8") as file:
                    for line in file:
                        counts[message["stream"]] += 1
                        assert list(json.loads(line)) == declared[message["stream"]]
    assert counts["tickets"] == len(sandbox.shop.tickets)
    assert counts.keys() == declared.keys()


def test_several_maps_of_a_stream_cannot_be_batched(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """The SDK would send the same files to both tables."""
    config = {**sandbox.config, **MAPS, "batch_config": batches_of(25, tmp_path)}
    arguments = Files(tmp_path).arguments(
        config, ["customers", "tags", "tickets", "users"]
    )

    result = run_command(arguments)

    assert result.returncode == 1
    assert "`users` has several maps" in result.stderr
    assert '"BATCH","stream":"users"' not in result.stdout


def test_a_new_field_of_a_flattened_object_is_reported(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """It has no column, so it is left out with a warning."""
    ticket = next(row for row in sandbox.shop.tickets.rows() if row["customer"])
    customer = {**ticket["customer"], "mood": "private"}
    sandbox.shop.tickets.update(ticket["id"], customer=customer, touch=False)

    run({**sandbox.config, **FLATTENED}, "tickets")

    assert caplog.text.count("`customer__mood`") == 1
    assert "private" not in caplog.text


def test_messages_are_ascii(sandbox: Sandbox, tmp_path: Path) -> None:
    """SDK targets read stdin in the locale's encoding, which may not be UTF-8."""
    texts = ["Größe 38 \u2192 40?", "\U0001f9e1 \u2028 \x85 \x7f", '\\é"\\\\é']
    tickets = sandbox.shop.tickets.ids()[: len(texts)]
    for ticket, text in zip(tickets, texts, strict=True):
        sandbox.shop.tickets.update(ticket, subject=text, touch=False)
    output = tmp_path / "output"
    arguments = Files(tmp_path).arguments(sandbox.config, ["tickets"])

    result = run_command(arguments)
    output.write_text(result.stdout, "utf-8")

    assert result.returncode == 0, result.stderr[-2_000:]
    assert output.read_bytes().isascii()
    messages = [json.loads(line) for line in result.stdout.split("\n")[:-1]]
    found = {m["record"]["id"]: m["record"] for m in messages if m["type"] == "RECORD"}
    assert [found[ticket]["subject"] for ticket in tickets] == texts


def test_fields_of_older_integrations_arrive(sandbox: Sandbox) -> None:
    """Public recordings show them; their secrets are masked."""
    old = sandbox.shop.integrations.ids()[0]
    rule = {"source_key": "args.name", "destination_key": "customer.data.name"}
    fields: dict[str, Any] = {
        "deleted_datetime": "2019-01-01T00:00:00",
        "mappings": [{**rule, "order": 0, "id": 1}],
        "facebook": {"page_id": "12", "access_token": "secret of a page"},
        "smooch": None,
    }
    sandbox.shop.integrations.update(old, **fields)

    record = latest("integrations", run(sandbox.config, "integrations"))[old]

    assert record["deleted_datetime"] == "2019-01-01T00:00:00.000000Z"
    assert record["mappings"] == fields["mappings"]
    assert record["facebook"] == {"page_id": "12", "access_token": "***"}
    assert record["smooch"] is None


def test_fields_of_items_of_views_arrive(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Public recordings show them; other answers lack them."""
    requester = {"id": 501, "email": "ann@example.com"}
    fields = {"requester": requester, "assignee_user_id": 71, "assignee_team_id": 8}
    summary = {"content": "A parcel", "created_datetime": "2026-08-01T00:00:00"}
    as_item = views.as_item
    monkeypatch.setattr(
        items,
        "as_item",
        lambda view, row: {**as_item(view, row), **fields, "summary": summary},
    )

    records = run(sandbox.config, "view_items").records("view_items")

    assert records
    for record in records:
        assert {name: record[name] for name in fields} == fields
        assert record["summary"]["created_datetime"] == "2026-08-01T00:00:00.000000Z"


def test_numbers_in_texts_and_fractions_arrive(sandbox: Sandbox) -> None:
    """A score is a number, whatever form it has."""
    surveys = sandbox.shop.satisfaction_surveys
    scores = dict(zip(surveys.ids(), ["4.0", 4.5, 5, True, None], strict=False))
    for survey, score in scores.items():
        surveys.update(survey, score=score)

    output = run(sandbox.config, "satisfaction_surveys")

    found = latest("satisfaction_surveys", output)
    assert [found[survey]["score"] for survey in scores] == [4.0, 4.5, 5.0, None, None]


def test_a_boolean_is_no_id(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """True would overwrite the row with the id 1."""
    tags = sandbox.shop.tags.ids()
    sandbox.shop.tags.update(tags[0], id=True)
    try:
        with pytest.raises(PartialRun) as failure:
            run(sandbox.config, "tags")
    finally:
        sandbox.shop.tags.update(tags[0], id=tags[0])

    assert set(failure.value.output.ids("tags")) == set(tags[1:])
    assert "without its key" in caplog.text
