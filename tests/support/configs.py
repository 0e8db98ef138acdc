"""Settings for tests of the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_gorgias.errors import SettingsError, messages_of
from tap_gorgias.tap import TapGorgias

if TYPE_CHECKING:
    from tap_gorgias.config.settings import Settings

API_KEY = {"email": "ann@acme.test", "api_key": "key-of-ann"}
VALID: dict[str, Any] = {"subdomain": "acme", **API_KEY}


def settings_of(**changes: Any) -> Settings:
    """Return the settings of a tap whose valid config is changed in places."""
    return TapGorgias(config={**VALID, **changes}).run.settings


def problems_of(**changes: Any) -> list[str]:
    """Return the problems that the tap reports in a changed config."""
    with pytest.raises(SettingsError) as refused:
        TapGorgias(config={**VALID, **changes})
    return [*messages_of(refused.value)]
