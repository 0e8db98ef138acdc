"""Validation of settings in environment variables, before the SDK reads them.

The SDK fails at the first value that it cannot parse, and does not name the variable.
So each variable is parsed by itself. This uses the private function
`parse_environment_config`: the public way, the constructor of a tap, parses all
variables at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.configuration._dict_config import parse_environment_config

from tap_gorgias.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping


def check_environment(properties: Mapping[str, Any], tap_name: str) -> None:
    """Check that each environment variable can be parsed.

    Args:
        properties: JSON schema of each setting by name.
        tap_name: Name of the tap, from which the SDK derives the prefix of the
            variables.

    Raises:
        SettingsError: If variables cannot be parsed, with a sentence for each.
    """
    prefix = tap_name.upper().replace("-", "_") + "_"
    problems = []
    for name, schema in properties.items():
        try:
            parse_environment_config({"properties": {name: schema}}, prefix)
        except (ValueError, RecursionError):  # noqa: PERF203 (a few settings)
            kinds = schema["type"]
            kind = kinds if isinstance(kinds, str) else kinds[0]
            problems.append(
                f"Setting `{name}`: the environment variable `{prefix}{name.upper()}` "
                f"is not a valid {kind}."
            )
    if problems:
        raise SettingsError(problems)
