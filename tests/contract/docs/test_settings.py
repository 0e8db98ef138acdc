"""The settings in the documents and meltano.yml match the code."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # comes with the SDK, without types

from tap_gorgias.config.schema import CONFIG_SCHEMA
from tap_gorgias.config.settings import ApiKey, OAuthApp, Settings
from tap_gorgias.errors import SettingsError
from tap_gorgias.tap import TapGorgias
from tests.support.documents import ROOT, assert_generated, blocks, text

TEST_COMMAND = re.compile(r"^python3 -m venv .* && \.venv/bin/pytest$", re.MULTILINE)


def own_settings() -> dict[str, dict[str, Any]]:
    """Return the schemas of all settings other than the SDK's."""
    of_sdk: dict[str, Any] = {"properties": {}}
    TapGorgias.append_builtin_config(of_sdk)
    return {
        name: schema
        for name, schema in CONFIG_SCHEMA["properties"].items()
        if name not in of_sdk["properties"]
    }


def kind_of(schema: dict[str, Any]) -> str:
    """Return the kind of a setting in Meltano's terms."""
    if schema.get("format") == "date-time":
        return "date_iso8601"
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    (kind,) = (one for one in types if one != "null")
    return str(kind)


def settings_table() -> str:
    """Return the table of settings in Markdown."""
    lines = [
        "| setting | type | required | default | what it means |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, schema in own_settings().items():
        kind = {"date_iso8601": "date-time"}.get(kind_of(schema), kind_of(schema))
        secret = ", secret" if schema.get("secret") else ""
        required = "yes" if name in CONFIG_SCHEMA["required"] else "no"
        default = f"`{schema['default']}`" if "default" in schema else "-"
        cells = (f"`{name}`", kind + secret, required, default, schema["description"])
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def meltano() -> dict[str, Any]:
    """Return the extractor of meltano.yml."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    extractor: dict[str, Any] = project["plugins"]["extractors"][0]
    return extractor


def test_the_settings_table_matches_the_code() -> None:
    """Names, types, defaults and descriptions are those of the config schema."""
    assert_generated("settings", settings_table())


def test_look_backs_are_settings() -> None:
    """Every setting named in backquotes exists."""
    named = re.findall(r"`((?!gorgias_)\w+_(?:days|percent|seconds))`", text())
    assert set(named) <= own_settings().keys()


def test_the_test_command_is_the_one_that_ci_runs() -> None:
    """Readers run the command that CI has passed, in an environment of its own."""
    (command,) = [m for one in blocks("shell") for m in TEST_COMMAND.findall(one)]
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert command.replace(".venv", ".venv-ci") in script.splitlines()


def test_ci_leaves_the_environment_of_the_reader_alone() -> None:
    """It deletes only environments that it has made itself."""
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert set(re.findall(r"\.venv(?:-\w+)?", script)) == {".venv-ci", ".venv-lowest"}


def test_config_examples_are_accepted() -> None:
    """Each JSON example with a subdomain is a valid config."""
    examples = [json.loads(one) for one in blocks("json")]
    taps = [TapGorgias(config=one) for one in examples if "subdomain" in one]
    settings = [tap.settings for tap in taps]
    assert all(isinstance(one, Settings) for one in settings)
    kinds = [type(one.credentials) for one in settings if one]
    assert set(kinds) == {ApiKey, OAuthApp}


def test_meltano_asks_for_one_complete_way_to_sign_in() -> None:
    """The tap accepts each group, but not without one of its settings."""
    groups = meltano()["settings_group_validation"]
    assert len(groups) == 2
    for group in groups:
        config = {"statistics_timezone": "UTC", **dict.fromkeys(group, "acme")}
        assert isinstance(TapGorgias(config=config).settings, Settings)
        for name in group:
            with pytest.raises(SettingsError):
                TapGorgias(config={**config, name: None})


def test_the_meltano_extractor_has_the_capabilities_of_the_tap() -> None:
    """Both lists are equal."""
    capabilities = {capability.value for capability in TapGorgias.capabilities}
    assert set(meltano()["capabilities"]) == capabilities
