"""What the fuzz tests found once; cases of the wire stand in `test_wire.py`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.fuzz.promise import command, kept, small_catalog
from tests.sandbox import Fault, Sandbox, Shop
from tests.support.runs import PartialRun, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A tiny shop."""
    with Sandbox(Shop(seed=3, tickets=3, customers=3)) as sandbox:
        yield sandbox


def test_a_number_in_the_environment_that_is_none_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The SDK ended with a ValueError that did not say where."""
    monkeypatch.setenv("TAP_GORGIAS_RATE_LIMIT_PERCENT", "half")

    assert command("--config=ENV").errors == [
        (
            "Setting `rate_limit_percent`: the environment variable "
            "`TAP_GORGIAS_RATE_LIMIT_PERCENT` is not a valid integer."
        )
    ]


def test_a_batch_config_with_unknown_parts_is_refused(sandbox: Sandbox) -> None:
    """It ended the run with a TypeError, after the first request."""
    outcome = kept({**sandbox.config, "batch_config": {"a": 1}}, "tags")

    assert len(outcome.errors) == 1
    assert sandbox.count() == 0


def test_a_deeply_nested_config_is_refused(tmp_path: Path) -> None:
    """It ended with a RecursionError."""
    (tmp_path / "config").write_text("[" * 100_000)

    errors = command(f"--config={tmp_path / 'config'}").errors

    assert errors == ["The config is not a JSON object."]


def test_a_catalog_without_metadata_of_the_stream_keeps_the_keys(
    sandbox: Sandbox,
) -> None:
    """SCHEMA named a key that it did not have."""
    catalog: dict[str, Any] = json.loads(small_catalog("tags"))
    catalog["streams"][0]["metadata"] = [
        {"breadcrumb": ["properties", "name"], "metadata": {"selected": True}}
    ]

    assert kept(sandbox.config, catalog=catalog).output.ids("tags")


def test_a_cursor_in_state_that_no_url_can_hold_is_refused_by_gorgias_alone(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """A lone surrogate in it ended the run with a UnicodeEncodeError."""
    entry = {"replication_key": "updated_datetime"}
    walk = {"newest": None, "cursor": "\ud800x", "floor": None}
    state = {"bookmarks": {"tickets": {**entry, "walk": walk}, "two\nlines": {}}}
    files = {"config": json.dumps(sandbox.config), "state": json.dumps(state)}
    files["catalog"] = small_catalog("tickets")
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    outcome = command(*(f"--{name}={tmp_path / name}" for name in files))

    assert outcome.errors == []
    assert len(outcome.output.ids("tickets")) == 3


@pytest.mark.parametrize("stream", ["views", "view_items"])
@pytest.mark.parametrize("view", [{}, {"id": None}, {"id": [1]}, {"id": {"a": 1}}])
def test_a_view_without_id_is_told(
    sandbox: Sandbox, view: dict[str, Any], stream: str
) -> None:
    """It ended the run with a KeyError or a TypeError."""
    sandbox.faults.add(Fault.rewrite(lambda _: {"data": [view]}), "/api/views")

    errors = kept(sandbox.config, stream).errors

    reason = "/api/views failed: a record came without its key (id)."
    assert errors == [f"{stream}: {reason}"]


def test_a_meta_that_is_none_is_not_the_end_of_a_list(sandbox: Sandbox) -> None:
    """The rest of the list was left out without a word."""
    rows = [{"id": 1}]
    sandbox.faults.add(
        Fault.rewrite(lambda _: {"data": rows, "meta": "x"}), "/api/tags"
    )

    assert kept(sandbox.config, "tags").errors == [
        "tags: /api/tags failed: the response's `meta` is not an object."
    ]


def test_numbers_of_more_than_64_bits_are_texts(sandbox: Sandbox) -> None:
    """Targets refuse them; where any value is allowed, their digits stay."""
    row = {"id": 1, "decoration": {"n": 2**63}}
    sandbox.faults.add(Fault.rewrite(lambda _: {"data": [row]}), "/api/tags")

    (tag,) = kept(sandbox.config, "tags").output.records("tags")

    assert "9223372036854775808" in json.dumps(tag)


def test_a_config_in_place_of_its_file_is_not_shown() -> None:
    """The whole argument stood in the error, credentials included."""
    errors = command('--config={"api_key": "planted-key"}').errors

    assert errors == ["The config cannot be read: there is no such file."]


@pytest.mark.parametrize("name", ["localtime", "Mars/Olympus", "Europe", "../UTC", ""])
def test_a_time_zone_that_only_this_machine_knows_is_refused(
    sandbox: Sandbox, name: str
) -> None:
    """Gorgias would not know it either."""
    outcome = kept({**sandbox.config, "statistics_timezone": name}, "tags")

    (error,) = outcome.errors
    assert error == (
        "Setting `statistics_timezone` must be an IANA time zone such as "
        "`Europe/Paris`."
    )


@pytest.mark.parametrize("expression", ["missing", "int(subject)", "customer['nope']"])
def test_an_expression_of_a_stream_map_that_fails_is_told(
    sandbox: Sandbox, expression: str
) -> None:
    """It was an unexpected error, to be reported."""
    maps = {"tickets": {"mapped": expression}}
    outcome = kept({**sandbox.config, "stream_maps": maps}, "tickets")

    (error,) = outcome.errors
    assert error == (
        "Setting `stream_maps`: an expression for `tickets` failed on a record. Does "
        "it use a property that is deselected or can be null?"
    )


def test_a_bookmark_property_is_never_left_out(sandbox: Sandbox) -> None:
    """SCHEMA named a bookmark property that it did not have."""
    catalog: dict[str, Any] = json.loads(small_catalog("tickets"))
    for entry in catalog["streams"]:
        for metadata in entry["metadata"]:
            if metadata["breadcrumb"][-1:] == ["updated_datetime"]:
                metadata["metadata"] = {"inclusion": "available", "selected": False}

    schema = run(sandbox.config, catalog=catalog).schemas["tickets"]

    assert schema["bookmark_properties"] == ["updated_datetime"]
    assert "updated_datetime" in schema["schema"]["properties"]


def test_a_catalog_without_the_replication_key_is_refused(sandbox: Sandbox) -> None:
    """The SDK's own words did not say where."""
    catalog: dict[str, Any] = json.loads(small_catalog("tickets"))
    for entry in catalog["streams"]:
        entry["schema"]["properties"].pop("updated_datetime", None)

    with pytest.raises(PartialRun) as failed:
        run(sandbox.config, catalog=catalog)

    assert str(failed.value.__cause__) == (
        "The catalog's schema for `tickets` is invalid or lacks the key properties."
    )
