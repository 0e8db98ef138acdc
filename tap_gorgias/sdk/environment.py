"""Settings in environment variables, checked before the SDK reads them.

The SDK's reader fails at the first value that it cannot read, and does not say which
one that is. So it is asked for one setting at a time. `parse_environment_config` is
private: its public way in, the constructor of a tap, reads all settings at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.configuration._dict_config import parse_environment_config

from tap_gorgias.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping


def check_environment(properties: Mapping[str, Any], tap_name: str) -> None:
    """Check that each variable can be read.

    Args:
        properties: JSON schema of each setting, by its name.
        tap_name: What the names of the variables begin with, as `tap-gorgias`.

    Raises:
        SettingsError: With a sentence for each variable that cannot be read.
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
                f"holds no {kind}."
            )
    if problems:
        raise SettingsError(problems)
