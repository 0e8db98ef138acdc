"""The interface of a target as the tests use it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from tests.targets.environments import executable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.targets.shop import Key

Row = dict[str, Any]


class Target(ABC):
    """A target, its settings, and access to the rows that it has loaded."""

    name: ClassVar[str]
    """The name of the loader in meltano.yml."""
    appends: ClassVar[bool] = False
    """Whether the target keeps every version of a row."""

    @property
    @abstractmethod
    def settings(self) -> Mapping[str, Any]:
        """Settings in addition to those of meltano.yml."""

    @property
    def command(self) -> Sequence[str | Path]:
        """The command that starts the target, without arguments."""
        return [executable(self.name)]

    @property
    def variables(self) -> Mapping[str, str]:
        """Environment variables of the target."""
        return {}

    @abstractmethod
    def rows(self, *streams: str) -> dict[str, list[Row]]:
        """Return all rows of these streams, with nested objects and lists decoded."""


def latest(rows: Sequence[Row], keys: Sequence[str]) -> dict[Key, Row]:
    """Return the last version of each row, by its key."""
    return {tuple(row[name] for name in keys): row for row in rows}
