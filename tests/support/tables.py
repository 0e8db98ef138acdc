"""Tables whose columns align in a terminal, whatever their cells contain."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MAX_CHARACTERS = 40

# Terminals disagree on the width of emoji with variation selectors, joiners and skin
# tones, so these are left out.
_MODIFIERS = re.compile(
    "[\N{VARIATION SELECTOR-1}-\N{VARIATION SELECTOR-16}\N{ZERO WIDTH JOINER}"
    "\N{EMOJI MODIFIER FITZPATRICK TYPE-1-2}-\N{EMOJI MODIFIER FITZPATRICK TYPE-6}]"
)


def lines_of(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Format a table; columns whose last cell is a number are aligned right."""
    lines = [heads, *([_printable(cell) for cell in row] for row in rows)]
    widths = [max(map(display_width, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    for line in lines:
        cells = []
        for cell, width, last in zip(line, widths, lines[-1], strict=True):
            padding = " " * (width - display_width(cell))
            cells.append(padding + cell if last.isdigit() else cell + padding)
        yield "   ".join(cells).rstrip()


def display_width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(map(_width, text))


def _width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"F", "W"} else 1


def _printable(cell: object) -> str:
    text = _MODIFIERS.sub("", str("" if cell is None else cell))[:MAX_CHARACTERS]
    return "".join(char if char.isprintable() else " " for char in text)
