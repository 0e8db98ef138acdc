"""What the tests ask of a target."""

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
    """A target, where it loads to, and how to read that."""

    name: ClassVar[str]
    """As in meltano.yml."""
    appends: ClassVar[bool] = False
    """Whether it keeps every version of a row."""

    @property
    @abstractmethod
    def settings(self) -> Mapping[str, Any]:
        """Settings on top of those in meltano.yml."""

    @property
    def command(self) -> Sequence[str | Path]:
        """What starts it, without arguments."""
        return [executable(self.name)]

    @property
    def variables(self) -> Mapping[str, str]:
        """What its environment has to hold."""
        return {}

    @abstractmethod
    def rows(self, *streams: str) -> dict[str, list[Row]]:
        """Return all rows of some streams, objects and lists as such."""


def latest(rows: Sequence[Row], keys: Sequence[str]) -> dict[Key, Row]:
    """Return the last version of each row, by its key."""
    return {tuple(row[name] for name in keys): row for row in rows}
