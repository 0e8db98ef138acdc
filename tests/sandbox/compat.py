"""Compatibility with older Python versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from typing_extensions import override
else:
    T = TypeVar("T")

    def override(method: T) -> T:
        """Mark a method that replaces an inherited one, for the type checker."""
        return method


__all__ = ["override"]
