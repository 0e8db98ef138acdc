"""The definition for Meltano Hub is generated from the code and valid for the Hub."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # comes with the SDK, without types
from jsonschema import Draft7Validator

from tests.support.documents import ROOT

SCRIPT = ROOT / "scripts" / "hub_definition.py"
FILE = ROOT / "hub" / "tap-gorgias.yml"
UPDATE = os.environ.get("UPDATE_SNAPSHOTS") == "1"

TEXT = {"type": "string", "minLength": 1}
TEXTS = {"type": "array", "items": TEXT, "minItems": 1, "uniqueItems": True}
KINDS = (
    *("array", "boolean", "date_iso8601", "decimal", "email", "file", "hidden"),
    *("integer", "oauth", "object", "options", "password", "string"),
)
CAPABILITIES = (
    *("about", "activate-version", "batch", "catalog", "discover", "log-based"),
    *("properties", "schema-flattening", "state", "stream-maps"),
    *("structured-logging", "test"),
)
SETTING = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "label", "kind", "description"],
    "properties": {
        "name": TEXT,
        "label": TEXT,
        "kind": {"enum": KINDS},
        "description": TEXT,
        "sensitive": {"const": True},
        "value": {},
    },
}
OF_THE_HUB: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        *("capabilities", "description", "domain_url", "keywords", "label"),
        *("logo_url", "maintenance_status", "name", "namespace", "pip_url"),
        *("quality", "settings", "settings_group_validation", "variant"),
    ],
    "properties": {
        "capabilities": {**TEXTS, "items": {"enum": CAPABILITIES}},
        "description": TEXT,
        "domain_url": {**TEXT, "pattern": "^https://"},
        "executable": TEXT,
        "keywords": TEXTS,
        "label": TEXT,
        "log_parser": {"const": "singer-sdk"},
        "logo_url": {**TEXT, "pattern": "^/assets/logos/extractors/"},
        "maintenance_status": {
            "enum": ["active", "beta", "development", "inactive", "unknown"]
        },
        "name": {**TEXT, "pattern": "^tap-"},
        "namespace": {**TEXT, "pattern": "^tap_"},
        "pip_url": TEXT,
        "quality": {"enum": ["gold", "silver", "bronze", "unknown"]},
        "repo": {**TEXT, "pattern": "^https://"},
        "select": TEXTS,
        "settings": {"type": "array", "items": SETTING},
        "settings_group_validation": {"type": "array", "items": TEXTS},
        "supported_python_versions": {
            "type": "array",
            "items": {"type": "string", "pattern": r"^3\.\d+$"},
        },
        "variant": TEXT,
    },
}
"""The part of the Hub's schema of extractors that applies to a tap."""


@cache
def generated() -> str:
    """Run the script as its docstring describes."""
    command = [sys.executable, str(SCRIPT)]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout  # noqa: S603


def definition() -> dict[str, Any]:
    """Return the output of the script."""
    content: dict[str, Any] = yaml.safe_load(generated())
    return content


def test_the_definition_is_the_output_of_the_script() -> None:
    """The file in the repository can be submitted to the Hub unchanged."""
    if UPDATE:
        FILE.write_text(generated(), encoding="utf-8")
    assert FILE.read_text(encoding="utf-8") == generated()


def test_the_definition_matches_the_schema_of_the_hub() -> None:
    """All keys, kinds and capabilities are known to the Hub."""
    errors = Draft7Validator(OF_THE_HUB).iter_errors(definition())
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


def test_settings_are_those_of_meltano_yml_and_the_sdk() -> None:
    """Both definitions offer the same settings."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    extractor, *_ = project["plugins"]["extractors"]
    assert definition()["settings"] == extractor["settings"]
    names = {setting["name"] for setting in definition()["settings"]}
    assert {"subdomain", "stream_maps", "flattening_enabled", "batch_config"} <= names


@pytest.mark.parametrize(
    "name",
    ["api_key", "batch_config", "client_secret", "refresh_token", "stream_map_config"],
)
def test_secrets_are_marked_as_sensitive(name: str) -> None:
    """Meltano hides their values in its output."""
    settings = {setting["name"]: setting for setting in definition()["settings"]}
    assert settings[name]["sensitive"] is True


def test_the_definition_does_not_depend_on_the_machine() -> None:
    """It is the same wherever it is generated."""
    assert str(ROOT) not in generated()
    assert definition()["pip_url"] == "tap-gorgias"
