"""What the tap leans on in the SDK to read its settings is still there."""

from __future__ import annotations

from typing import Any

import pytest
from singer_sdk.plugin_base import JSONSchemaValidator

from tap_gorgias.tap import TapGorgias
from tests.support.memory import CONFIG


@pytest.mark.parametrize("strict", [True, False])
def test_settings_are_checked_when_a_tap_is_made(
    *, strict: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`_validate_config` is the hook, told whether to refuse."""
    asked: list[bool] = []

    def check(self: TapGorgias, *, raise_errors: bool = True) -> list[str]:
        assert self._config == CONFIG
        asked.append(raise_errors)
        return []

    monkeypatch.setattr(TapGorgias, "_validate_config", check)
    TapGorgias(config=dict(CONFIG), validate_config=strict)
    assert asked == [strict]


def test_the_validator_fills_in_defaults() -> None:
    """Settings are read from the config afterwards."""
    config: dict[str, Any] = {}
    schema = {"properties": {"days": {"type": "integer", "default": 2}}}
    assert list(JSONSchemaValidator(schema).iter_errors(config)) == []
    assert config == {"days": 2}
