"""The behaviour of the SDK that the tap relies on to read its settings."""

from __future__ import annotations

from typing import Any

import pytest
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.helpers._batch import BatchConfig
from singer_sdk.plugin_base import JSONSchemaValidator

from tap_gorgias.tap import TapGorgias
from tests.support.memory import CONFIG


@pytest.mark.parametrize("strict", [True, False])
def test_settings_are_validated_when_a_tap_is_created(
    *, strict: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK calls `_validate_config`, with whether to raise errors."""
    calls: list[bool] = []

    def check(self: TapGorgias, *, raise_errors: bool = True) -> list[str]:
        assert self._config == CONFIG
        calls.append(raise_errors)
        return []

    monkeypatch.setattr(TapGorgias, "_validate_config", check)
    TapGorgias(config=dict(CONFIG), validate_config=strict)
    assert calls == [strict]


def test_the_validator_fills_in_defaults() -> None:
    """The tap reads its settings from the completed config."""
    config: dict[str, Any] = {}
    schema = {"properties": {"days": {"type": "integer", "default": 2}}}
    assert list(JSONSchemaValidator(schema).iter_errors(config)) == []
    assert config == {"days": 2}


@pytest.mark.parametrize(
    ("kind", "valid", "expected", "invalid", "message"),
    [
        pytest.param("integer", "3", 3, "many", "invalid literal", id="integer"),
        pytest.param("object", '{"a": 1}', {"a": 1}, "{", "Expecting", id="object"),
    ],
)
def test_an_unreadable_environment_variable_raises_a_value_error(
    kind: str,
    valid: str,
    expected: object,
    invalid: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The tap calls the private parser for one setting at a time."""
    schema = {"properties": {"days": {"type": [kind, "null"]}}}
    monkeypatch.setenv("TAP_GORGIAS_DAYS", valid)
    assert parse_environment_config(schema, "TAP_GORGIAS_") == {"days": expected}
    monkeypatch.setenv("TAP_GORGIAS_DAYS", invalid)
    with pytest.raises(ValueError, match=message):
        parse_environment_config(schema, "TAP_GORGIAS_")


@pytest.mark.parametrize("config", ["text", {}, {"encoding": {"format": "jsonl"}}])
def test_the_sdk_rejects_an_invalid_batch_config(
    config: Any,  # noqa: ANN401
) -> None:
    """It raises one of the exceptions that the settings catch."""
    with pytest.raises((AttributeError, KeyError, TypeError, ValueError)):
        BatchConfig.from_dict(config)
