"""Print the tap's definition for Meltano Hub: `python3 scripts/hub_definition.py`.

Capabilities, settings and Python versions come from `tap-gorgias --about`; label,
selection and groups of settings come from `meltano.yml`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml  # type: ignore[import-untyped]  # comes with the SDK, without types

ROOT = Path(__file__).resolve().parents[1]
FROM_PROJECT = (
    "description",
    "executable",
    "label",
    "name",
    "namespace",
    "select",
    "settings_group_validation",
)
FOR_THE_HUB = {
    "domain_url": "https://developers.gorgias.com/reference",
    "keywords": ["api", "meltano_sdk"],
    "log_parser": "singer-sdk",
    "logo_url": "/assets/logos/extractors/gorgias.png",
    "maintenance_status": "beta",
    "quality": "silver",
}
"""What the Hub shows. It gives this quality to a community's tap on the SDK."""
CAN_HOLD_SECRETS = {"batch_config", "stream_map_config"}
"""Settings of the SDK for the keys of a bucket, and for the salt of hashes."""


def about() -> dict[str, Any]:
    """Return what `--about --format json` prints."""
    command = [sys.executable, "-m", "tap_gorgias", "--about", "--format", "json"]
    printed = subprocess.run(command, capture_output=True, check=True, text=True).stdout  # noqa: S603
    told: dict[str, Any] = json.loads(printed)
    return told


def kind(schema: dict[str, Any]) -> str:
    """Return Meltano's name of the type of a setting, such as `date_iso8601`."""
    if schema.get("format") == "date-time":
        return "date_iso8601"
    (only,) = set(schema["type"]) - {"null"}
    return str(only)


def setting(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return the entry of a setting."""
    is_secret = schema.get("secret") or name in CAN_HOLD_SECRETS
    return {
        "name": name,
        "label": schema["title"],
        "kind": kind(schema),
        "description": schema["description"],
        **({"sensitive": True} if is_secret else {}),
        **({"value": schema["default"]} if "default" in schema else {}),
    }


def origin(name: str) -> dict[str, str]:
    """Return `variant`, the owner of the repository, and `repo`, if it is known."""
    urls = metadata.metadata(name).get_all("Project-URL") or []
    known = dict(url.split(", ", 1) for url in urls)
    if "Repository" not in known:
        return {"variant": "original"}
    repository = known["Repository"].removesuffix("/")
    owner = urlsplit(repository).path.split("/")[1]
    return {"variant": owner.lower(), "repo": repository}


def definition() -> dict[str, Any]:
    """Return the contents of the file for Meltano Hub."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    extractor, *_ = project["plugins"]["extractors"]
    told = about()
    settings = told["settings"]["properties"]
    return {
        **FOR_THE_HUB,
        **{key: extractor[key] for key in FROM_PROJECT},
        **origin(told["name"]),
        "capabilities": sorted(told["capabilities"]),
        "pip_url": told["name"],
        "settings": [setting(name, schema) for name, schema in settings.items()],
        "supported_python_versions": told["supported_python_versions"],
    }


if __name__ == "__main__":
    yaml.safe_dump(definition(), sys.stdout, allow_unicode=True, width=88)
