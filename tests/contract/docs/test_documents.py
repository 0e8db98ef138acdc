"""References among documents and to files are valid."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.documents import DOCUMENTS, README, ROOT, blocks, text

if TYPE_CHECKING:
    from pathlib import Path

LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FILE = re.compile(
    r"(?<![\w/.-])([\w.-]+\.(?:db|duckdb|gz|json|jsonl|log|pem|sqlite))(?![\w/.-])"
)


def anchors(file: Path) -> set[str]:
    """Return the anchors of headings, as GitHub derives them."""
    prose = re.sub(r"^```.*?^```$", "", text(file), flags=re.MULTILINE | re.DOTALL)
    kept = (re.sub(r"[^\w\- ]", "", head.lower()) for head in HEADING.findall(prose))
    return {name.replace(" ", "-") for name in kept}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_links_lead_to_existing_headings(document: Path) -> None:
    """The heading is in this document, another one, or a file of the repository."""
    links = LINK.findall(text(document))
    for name, anchor in links:
        file = (document.parent / name).resolve() if name else document
        assert file.exists(), name
        assert not anchor or anchor in anchors(file), f"{name}#{anchor}"


def test_the_readme_names_every_other_document() -> None:
    """A reader of the README can find each page."""
    links = {(README.parent / name).resolve() for name, _ in LINK.findall(text(README))}
    assert {*DOCUMENTS} - {README} <= links


@pytest.mark.parametrize("example", blocks("json"))
def test_json_examples_parse(example: str) -> None:
    """Each JSON example is an object."""
    assert isinstance(json.loads(example), dict)


def git(*arguments: str) -> set[str]:
    """Run Git in this repository and return the lines of its output."""
    done = subprocess.run(  # noqa: S603 (our own command)
        ("git", *arguments),  # noqa: S607
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    return set(done.stdout.splitlines())


def test_git_ignores_the_files_that_readers_create() -> None:
    """Settings, catalogs, states, rows, databases and logs are never committed."""
    languages = ("bash", "shell")
    examples = "\n".join(one for name in languages for one in blocks(name))
    named = set(FILE.findall(examples))
    named |= {"helpdesk.duckdb", "helpdesk.duckdb.wal", "output/tickets.jsonl"}
    created = named - git("ls-files", "--", *named)

    assert {"config.json", "states.jsonl", "weekly.json"} <= created
    assert git("check-ignore", "--no-index", *created) == created
