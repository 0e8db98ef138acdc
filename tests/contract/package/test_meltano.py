"""meltano.yml is complete and needs no Hub."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.sandbox import Sandbox
from tests.targets.environments import project

PLUGINS: list[dict[str, Any]] = [
    plugin for kind in project()["plugins"].values() for plugin in kind
]
NAMES = {plugin["name"] for plugin in PLUGINS}
WHOLE = [plugin for plugin in PLUGINS if "inherit_from" not in plugin]
LOADERS = project()["plugins"]["loaders"]
KINDS = {"array", "boolean", "date_iso8601", "integer", "object", "options", "string"}


def test_common_targets_are_defined() -> None:
    """They are files, an embedded database, a server and two warehouses."""
    assert [loader["name"] for loader in LOADERS] == [
        "target-jsonl",
        "target-duckdb",
        "target-postgres",
        "target-bigquery",
        "target-snowflake",
    ]


@pytest.mark.parametrize("plugin", WHOLE, ids=lambda plugin: plugin["name"])
def test_plugins_are_defined_in_full(plugin: dict[str, Any]) -> None:
    """Each has a namespace, a package, a command, and settings with their kinds."""
    assert plugin["namespace"] == plugin["name"].replace("-", "_")
    assert plugin["executable"] == plugin["name"]
    assert "variant" not in plugin
    settings = {setting["name"]: setting for setting in plugin["settings"]}
    assert all(s["kind"] in KINDS and s["label"] for s in settings.values())
    for setting in settings.values():
        assert ("options" in setting) == (setting["kind"] == "options")
    assert set(plugin.get("config", ())) <= set(settings)
    groups = plugin.get("settings_group_validation", [])
    assert {name for group in groups for name in group} <= set(settings)


@pytest.mark.parametrize("loader", LOADERS, ids=lambda loader: loader["name"])
def test_packages_of_targets_are_pinned(loader: dict[str, Any]) -> None:
    """Installations are reproducible, and secrets are marked as sensitive."""
    assert re.fullmatch(r"[\w-]+==[\d.]+( [\w-]+<[\d.]+)?", loader["pip_url"])
    secret = r"(?<!file_)(password|private_key|passphrase|token|_json|_url)$"
    for setting in loader["settings"]:
        is_secret = bool(re.search(secret, setting["name"]))
        assert setting.get("sensitive", False) is is_secret, setting["name"]


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin["name"])
def test_plugins_inherit_from_existing_ones(plugin: dict[str, Any]) -> None:
    """The history is read by the same tap."""
    assert plugin.get("inherit_from", "tap-gorgias") in NAMES


def test_jobs_name_a_tap_and_a_target() -> None:
    """There is a job for regular runs and one for the history."""
    jobs = {job["name"]: job["tasks"] for job in project()["jobs"]}

    assert set(jobs) == {"hourly", "hourly-with-models", "backfill"}
    assert jobs["hourly-with-models"] == [*jobs["hourly"], "dbt:build"]
    for tasks in (jobs["hourly"], jobs["backfill"]):
        for task in tasks:
            tap, target = task.split()
            assert {tap, target} <= NAMES
            assert tap.startswith("tap-")
            assert target.startswith("target-")


def test_the_environment_sandbox_matches_the_sandbox() -> None:
    """`python -m tests.sandbox` accepts the settings of this environment."""
    [environment] = [e for e in project()["environments"] if e["name"] == "sandbox"]
    [extractor] = environment["config"]["plugins"]["extractors"]
    with Sandbox() as sandbox:
        expected = sandbox.config

    assert extractor["name"] == "tap-gorgias"
    assert extractor["config"] == expected | {"api_url": "http://127.0.0.1:8321"}
