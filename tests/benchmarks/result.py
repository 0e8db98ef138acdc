"""The rows of the table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Result:
    """A figure and its goal."""

    what: str
    measured: str
    goal: str = "-"
    reached: bool = True
