"""Validation of the settings by the tap itself.

`Tap._validate_config` of the SDK, which is private, prints invalid values, including
credentials. There is no public way to replace it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from singer_sdk import Tap

from tap_gorgias.compat import override


class SelfValidatingTap(Tap, ABC):
    """A tap that validates its own settings."""

    @abstractmethod
    def validate_settings(
        self, config: dict[str, Any], *, raise_errors: bool
    ) -> list[str]:
        """Validate the settings that are not null, add defaults, and return problems.

        Raises:
            SettingsError: If there are problems, and `raise_errors` is set.
        """

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        self._config = {
            name: value for name, value in self._config.items() if value is not None
        }
        return self.validate_settings(self._config, raise_errors=raise_errors)
