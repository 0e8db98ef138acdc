"""Bugs that fuzz tests found; `test_raw_responses.py` has those of HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.fuzz.invariants import run_and_check, run_command_and_check
from tests.sandbox import Fault, Sandbox, Shop
from tests.support.runs import PartialRun, run, small_catalog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A small shop."""
    with Sandbox(Shop(seed=3, tickets=3, customers=3)) as sandbox:
        yield sandbox


def test_an_invalid_number_in_the_environment_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The ValueError of the SDK did not name the variable."""
    monkeypatch.setenv("TAP_GORGIAS_RATE_LIMIT_PERCENT", "half")

    assert run_command_and_check("--config=ENV").errors == [
        (
            "Setting `rate_limit_percent`: the environment variable "
            "`TAP_GORGIAS_RATE_LIMIT_PERCENT` is not a valid integer."
        )
    ]


def test_a_batch_config_with_unknown_keys_is_rejected(sandbox: Sandbox) -> None:
    """It caused a TypeError after the first request."""
    outcome = run_and_check({**sandbox.config, "batch_config": {"a": 1}}, "tags")

    assert len(outcome.errors) == 1
    assert sandbox.count() == 0


def test_a_deeply_nested_config_is_rejected(tmp_path: Path) -> None:
    """It caused a RecursionError."""
    (tmp_path / "config").write_text("[" * 100_000)

    errors = run_command_and_check(f"--config={tmp_path / 'config'}").errors

    (error,) = errors
    assert "is not a JSON object." in error


def test_a_catalog_without_metadata_of_the_stream_keeps_the_key_properties(
    sandbox: Sandbox,
) -> None:
    """SCHEMA named a key property that its schema did not contain."""
    catalog = small_catalog("tags")
    catalog["streams"][0]["metadata"] = [
        {"breadcrumb": ["properties", "name"], "metadata": {"selected": True}}
    ]

    assert run_and_check(sandbox.config, catalog=catalog).output.ids("tags")


def test_a_cursor_with_a_lone_surrogate_is_sent(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """It caused a UnicodeEncodeError. Gorgias rejects it, and the walk restarts."""
    entry = {"replication_key": "updated_datetime"}
    walk = {"newest": None, "cursor": "\ud800x", "floor": None}
    state = {"bookmarks": {"tickets": {**entry, "walk": walk}, "two\nlines": {}}}
    files = {"config": json.dumps(sandbox.config), "state": json.dumps(state)}
    files["catalog"] = json.dumps(small_catalog("tickets"))
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    outcome = run_command_and_check(*(f"--{name}={tmp_path / name}" for name in files))

    assert outcome.errors == []
    assert len(outcome.output.ids("tickets")) == 3


@pytest.mark.parametrize("stream", ["views", "view_items"])
@pytest.mark.parametrize("view", [{}, {"id": None}, {"id": [1]}, {"id": {"a": 1}}])
def test_a_view_without_an_id_is_reported(
    sandbox: Sandbox,
    view: dict[str, Any],
    stream: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It caused a KeyError or a TypeError."""
    sandbox.faults.add(Fault.rewrite(lambda _: {"data": [view]}), "/api/views")

    errors = run_and_check(sandbox.config, stream).errors

    reason = "/api/views failed: a record came without its key (id)."
    assert len(errors) == 1
    assert f"{stream}: {reason}" in caplog.text


def test_an_invalid_meta_is_not_the_end_of_a_list(sandbox: Sandbox) -> None:
    """The rest of the list was skipped silently."""
    rows = [{"id": 1}]
    sandbox.faults.add(
        Fault.rewrite(lambda _: {"data": rows, "meta": "x"}), "/api/tags"
    )

    assert run_and_check(sandbox.config, "tags").errors == [
        "tags: /api/tags failed: the response's `meta` is not an object."
    ]


def test_numbers_of_more_than_64_bits_are_strings(sandbox: Sandbox) -> None:
    """Targets reject them as numbers. Properties of any type keep their digits."""
    row = {"id": 1, "decoration": {"n": 2**63}}
    sandbox.faults.add(Fault.rewrite(lambda _: {"data": [row]}), "/api/tags")

    (tag,) = run_and_check(sandbox.config, "tags").output.records("tags")

    assert "9223372036854775808" in json.dumps(tag)


def test_a_config_instead_of_a_path_is_not_shown() -> None:
    """The error contained the whole argument with its credentials."""
    errors = run_command_and_check('--config={"api_key": "planted-key"}').errors

    (error,) = errors
    assert "planted-key" not in error


@pytest.mark.parametrize("name", ["localtime", "Mars/Olympus", "Europe", "../UTC", ""])
def test_a_time_zone_that_is_not_an_iana_name_is_rejected(
    sandbox: Sandbox, name: str
) -> None:
    """Gorgias would not know it, even if this machine does."""
    outcome = run_and_check({**sandbox.config, "statistics_timezone": name}, "tags")

    (error,) = outcome.errors
    assert error == (
        "Setting `statistics_timezone` must be an IANA time zone such as "
        "`Europe/Paris`."
    )


@pytest.mark.parametrize(
    "expression", ["subject + 1", "int(subject)", "customer['nope']"]
)
def test_a_failing_expression_of_a_stream_map_is_reported(
    sandbox: Sandbox, expression: str
) -> None:
    """It was reported as an unexpected error."""
    maps = {"tickets": {"mapped": expression}}
    outcome = run_and_check({**sandbox.config, "stream_maps": maps}, "tickets")

    (error,) = outcome.errors
    assert error == (
        "Setting `stream_maps`: an expression for `tickets` failed on a record. Does "
        "it use a property that is deselected or can be null?"
    )


def test_the_bookmark_property_cannot_be_deselected(sandbox: Sandbox) -> None:
    """SCHEMA named a bookmark property that its schema did not contain."""
    catalog = small_catalog("tickets")
    for entry in catalog["streams"]:
        for metadata in entry["metadata"]:
            if metadata["breadcrumb"][-1:] == ["updated_datetime"]:
                metadata["metadata"] = {"inclusion": "available", "selected": False}

    schema = run(sandbox.config, catalog=catalog).schemas["tickets"]

    assert schema["bookmark_properties"] == ["updated_datetime"]
    assert "updated_datetime" in schema["schema"]["properties"]


def test_a_catalog_without_the_replication_key_is_rejected(sandbox: Sandbox) -> None:
    """The error of the SDK did not name the stream."""
    catalog = small_catalog("tickets")
    for entry in catalog["streams"]:
        entry["schema"]["properties"].pop("updated_datetime", None)

    with pytest.raises(PartialRun) as failed:
        run(sandbox.config, catalog=catalog)

    assert str(failed.value.__cause__) == (
        "The catalog's schema for `tickets` is invalid or lacks the key properties."
    )
