"""Settings for tests that are about settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_gorgias.errors import SettingsError
from tap_gorgias.tap import TapGorgias

if TYPE_CHECKING:
    from tap_gorgias.config.settings import Settings

API_KEY = {"email": "ann@acme.test", "api_key": "key-of-ann"}
VALID: dict[str, Any] = {"subdomain": "acme", **API_KEY}


def settings_of(**changes: Any) -> Settings:
    """Make a tap with valid settings but for some changes, and take its settings."""
    return TapGorgias(config={**VALID, **changes}).run.settings


def problems_of(**changes: Any) -> list[str]:
    """Have the tap refuse its settings, and take what it says."""
    with pytest.raises(SettingsError) as refused:
        TapGorgias(config={**VALID, **changes})
    return list(refused.value.lines)
