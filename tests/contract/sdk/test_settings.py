"""What the tap leans on in the SDK to read its settings is still there."""

from __future__ import annotations

from typing import Any

import pytest
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.helpers._batch import BatchConfig
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


@pytest.mark.parametrize(
    ("kind", "good", "read", "bad", "complaint"),
    [
        pytest.param("integer", "3", 3, "many", "invalid literal", id="integer"),
        pytest.param("object", '{"a": 1}', {"a": 1}, "{", "Expecting", id="object"),
    ],
)
def test_a_variable_that_the_sdk_cannot_read_is_a_value_error(
    kind: str,
    good: str,
    read: object,
    bad: str,
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The private reader is asked for one setting at a time."""
    schema = {"properties": {"days": {"type": [kind, "null"]}}}
    monkeypatch.setenv("TAP_GORGIAS_DAYS", good)
    assert parse_environment_config(schema, "TAP_GORGIAS_") == {"days": read}
    monkeypatch.setenv("TAP_GORGIAS_DAYS", bad)
    with pytest.raises(ValueError, match=complaint):
        parse_environment_config(schema, "TAP_GORGIAS_")


@pytest.mark.parametrize("config", ["text", {}, {"encoding": {"format": "jsonl"}}])
def test_the_sdk_s_class_refuses_a_batch_config_that_makes_no_sense(
    config: Any,  # noqa: ANN401
) -> None:
    """By one of the exceptions that the settings expect; the class is private."""
    with pytest.raises((AttributeError, KeyError, TypeError, ValueError)):
        BatchConfig.from_dict(config)
