"""Print the notes of a release: `python3 scripts/release_notes.py v1.2.3`.

It fails if the tag is not the version in pyproject.toml, or if CHANGELOG.md has no
notes for it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADING = re.compile(r"^## \[(.+?)\](?: - (\d{4}-\d\d-\d\d))?$", re.MULTILINE)
VERSION = re.compile(r'^version = "(.+)"$', re.MULTILINE)


def notes_of(tag: str, project: str, changelog: str) -> str:
    """Return the notes of the version of a tag, in Markdown.

    Raises:
        SystemExit: If the tag, the project and the changelog do not agree.
    """
    (version,) = VERSION.findall(project)
    if tag != f"v{version}":
        message = f"The tag is {tag}, but the version in pyproject.toml is {version}."
        raise SystemExit(message)
    _, *parts = HEADING.split(changelog)
    for name, date, notes in zip(*(iter(parts),) * 3, strict=True):
        if name == version and date and notes.strip():
            return str(notes.strip())
    message = f"CHANGELOG.md has no dated section with notes for {version}."
    raise SystemExit(message)


if __name__ == "__main__":
    texts = (ROOT / name for name in ("pyproject.toml", "CHANGELOG.md"))
    print(notes_of(sys.argv[1], *(text.read_text(encoding="utf-8") for text in texts)))  # noqa: T201 (asked for)
