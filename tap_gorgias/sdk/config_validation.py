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
    def validate_settings(self, config: dict[str, Any]) -> list[str]:
        """Validate the settings, and add defaults.

        Args:
            config: The settings that are not null.

        Returns:
            A sentence for each problem.
        """

    @abstractmethod
    def apply_settings(self, config: dict[str, Any], problems: list[str]) -> None:
        """Prepare for a run.

        Args:
            config: The settings, with defaults.
            problems: What `validate_settings` returned.

        Raises:
            SettingsError: If the settings are invalid.
        """

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        self._config = {
            name: value for name, value in self._config.items() if value is not None
        }
        problems = self.validate_settings(self._config)
        if raise_errors:
            self.apply_settings(self._config, problems)
        return problems
