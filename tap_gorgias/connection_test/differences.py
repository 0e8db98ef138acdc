"""Describes how responses differ from what this version expects, without data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from tap_gorgias.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_NAMES = 12
MAX_NAME_CHARACTERS = 40
ELLIPSIS = "..."


class Difference(NamedTuple):
    """One difference from what this version expects."""

    text: str
    """A phrase that contains names of fields and parameters, but no values."""
    is_harmless: bool = False
    """Whether the tap still reads everything that it promises."""


def quoted(names: Iterable[str]) -> str:
    """Format names for a message.

    Args:
        names: Names of fields or parameters. They may come from a response.

    Returns:
        Up to 12 names in alphabetical order, each in backticks, printable and at most
        40 characters long, and the number of the others.
    """
    unique = sorted(set(names))
    shown = ", ".join(f"`{_shortened(name)}`" for name in unique[:MAX_NAMES])
    more = len(unique) - MAX_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def mentioned_in(text: str, names: Iterable[str]) -> set[str]:
    """Return the names that a text contains as whole words.

    Args:
        text: The error message of Gorgias.
        names: Names that the request contained.
    """
    return {
        name for name in names if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)
    }


def _shortened(name: str) -> str:
    printable = one_line(name).replace("`", " ")
    if len(printable) <= MAX_NAME_CHARACTERS:
        return printable
    return printable[: MAX_NAME_CHARACTERS - len(ELLIPSIS)] + ELLIPSIS
