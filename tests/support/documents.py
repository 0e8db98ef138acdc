"""Access to the contents of README.md and of the documents in `docs`."""

from __future__ import annotations

import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
ANALYSTS = ROOT / "docs" / "analysts.md"
MELTANO = ROOT / "docs" / "meltano.md"
OAUTH2 = ROOT / "docs" / "oauth2.md"
OPERATORS = ROOT / "docs" / "operators.md"
PRIVACY = ROOT / "docs" / "privacy.md"
SDK = ROOT / "docs" / "sdk.md"
STATISTICS = ROOT / "docs" / "statistics.md"
STREAM_PAGE = ROOT / "docs" / "streams.md"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
COMMAND = "UPDATE_SNAPSHOTS=1 .venv/bin/pytest tests/contract"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def text(file: Path = README) -> str:
    """Return the text of a document, by default of the README."""
    return file.read_text(encoding="utf-8")


def blocks(language: str, file: Path = README) -> list[str]:
    """Return the code blocks of a language, by default those of the README."""
    examples = FENCE.findall(text(file))
    return [example for name, example in examples if name == language]


def table(heading: str, file: Path = README) -> list[list[str]]:
    """Return the rows of the table below a heading, without the header rows."""
    _, found, section = text(file).partition(f"\n{heading}\n")
    assert found, heading
    lines = [line for line in section.splitlines() if line.startswith(("|", "#"))]
    cut = next(n for n, line in enumerate([*lines, "#"]) if line.startswith("#"))
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:cut]
    ]


def assert_generated(name: str, expected: str, file: Path = README) -> None:
    """Check a generated part between two marks, or update it with the snapshots."""
    begin = f"<!-- {name}: written by {COMMAND} -->"
    end = f"<!-- end of {name} -->"
    before, rest = text(file).split(begin)
    found, after = rest.split(end)
    expected = f"\n{expected}\n"
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        file.write_text(f"{before}{begin}{expected}{end}{after}", encoding="utf-8")
    else:
        assert found == expected
