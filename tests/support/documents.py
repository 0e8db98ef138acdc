"""Access to the contents of README.md and of the documents in `docs`."""

from __future__ import annotations

import os
import re
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
OAUTH2 = ROOT / "docs" / "oauth2.md"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
COMMAND = "UPDATE_SNAPSHOTS=1 .venv/bin/pytest tests/contract"
TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)
FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def text(*files: Path) -> str:
    """Return the text of some documents, by default of all."""
    return "\n".join(file.read_text(encoding="utf-8") for file in files or DOCUMENTS)


def blocks(language: str, *files: Path) -> list[str]:
    """Return the code blocks of a language, by default those of all documents."""
    examples = FENCE.findall(text(*files))
    return [dedent(example) for _, name, example in examples if name == language]


def block(words: str, language: str = "shell") -> str:
    """Return the only code block of all documents that contains some words."""
    found = [example for example in blocks(language) if words in example]
    assert len(found) == 1, (words, len(found))
    return found[0]


def tables(*header: str) -> list[list[list[str]]]:
    """Return the rows of each table whose header begins with these cells."""
    found = []
    for one in TABLE.findall(text()):
        rows = [
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in one.splitlines()
        ]
        if tuple(rows[0][: len(header)]) == header:
            found.append(rows[2:])
    return found


def table(*header: str) -> list[list[str]]:
    """Return the rows of the only table whose header begins with these cells."""
    found = tables(*header)
    assert len(found) == 1, (header, len(found))
    return found[0]


def assert_generated(name: str, expected: str) -> None:
    """Check a generated part between two marks, or update it with the snapshots."""
    begin = f"<!-- {name}: written by {COMMAND} -->"
    end = f"<!-- end of {name} -->"
    [file] = [one for one in DOCUMENTS if begin in text(one)]
    before, rest = text(file).split(begin)
    found, after = rest.split(end)
    expected = f"\n{expected}\n"
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        file.write_text(f"{before}{begin}{expected}{end}{after}", encoding="utf-8")
    else:
        assert found == expected
