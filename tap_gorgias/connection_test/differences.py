"""What Gorgias does otherwise than this version expects, in words without data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from tap_gorgias.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_NAMES = 12
MAX_NAME_CHARACTERS = 40


class Surprise(NamedTuple):
    """One thing that Gorgias does otherwise."""

    text: str
    """A phrase that holds names of fields and parameters, and never a value."""
    is_harmless: bool = False
    """Whether the tap reads all that it promises nevertheless."""


def quoted(names: Iterable[str]) -> str:
    """List names for a text.

    Args:
        names: Names of fields or parameters, also such as others chose.

    Returns:
        The first of them in alphabetical order, each printable and not too long.
    """
    known = sorted(set(names))
    shown = ", ".join(f"`{_short(name)}`" for name in known[:MAX_NAMES])
    more = len(known) - MAX_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def named_in(text: str, names: Iterable[str]) -> set[str]:
    """Find which names a text mentions.

    Args:
        text: What Gorgias says about a refusal.
        names: Names that were sent.

    Returns:
        Those that stand in the text as words of their own.
    """
    return {
        name for name in names if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)
    }


def _short(name: str) -> str:
    flat = one_line(name).replace("`", " ")
    return flat if len(flat) <= MAX_NAME_CHARACTERS else f"{flat[:37]}..."
