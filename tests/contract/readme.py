"""README.md, taken apart."""

from __future__ import annotations

import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
COMMAND = "UPDATE_SNAPSHOTS=1 .venv/bin/pytest tests/contract"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def text() -> str:
    """Return the whole README."""
    return README.read_text(encoding="utf-8")


def blocks(language: str, file: Path = README) -> list[str]:
    """Return the examples in a language, of the README unless told otherwise."""
    examples = FENCE.findall(file.read_text(encoding="utf-8"))
    return [example for name, example in examples if name == language]


def table(heading: str) -> list[list[str]]:
    """Return the rows of the table below a heading, without its head."""
    _, found, section = text().partition(f"\n{heading}\n")
    assert found, heading
    lines = [line for line in section.splitlines() if line.startswith(("|", "#"))]
    cut = next(n for n, line in enumerate([*lines, "#"]) if line.startswith("#"))
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:cut]
    ]


def assert_written(what: str, wanted: str) -> None:
    """Check a part between two marks, or write it anew if snapshots are updated."""
    begin = f"<!-- {what}: written by {COMMAND} -->"
    end = f"<!-- end of {what} -->"
    before, rest = text().split(begin)
    found, after = rest.split(end)
    wanted = f"\n{wanted}\n"
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        README.write_text(f"{before}{begin}{wanted}{end}{after}", encoding="utf-8")
    else:
        assert found == wanted
