"""The documents refer to one another, and to files, rightly."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.support.documents import ANALYSTS, OPERATORS, ROOT, blocks, text

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors(file: Path) -> set[str]:
    """Return what a link can jump to: headings, as GitHub writes them."""
    prose = re.sub(r"^```.*?^```$", "", text(file), flags=re.MULTILINE | re.DOTALL)
    kept = (re.sub(r"[^\w\- ]", "", head.lower()) for head in HEADING.findall(prose))
    return {name.replace(" ", "-") for name in kept}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_links_lead_to_headings_that_exist(document: Path) -> None:
    """In the same document, in another one, or in a file of the repository."""
    links = LINK.findall(text(document))
    for name, anchor in links:
        file = (document.parent / name).resolve() if name else document
        assert file.exists(), name
        assert not anchor or anchor in anchors(file), f"{name}#{anchor}"


def test_readers_are_sent_to_their_page() -> None:
    """The README names the pages for analysts, operators and contributors."""
    links = {name for name, _ in LINK.findall(text())}
    assert {"docs/analysts.md", "docs/operators.md", "CONTRIBUTING.md"} <= links


@pytest.mark.parametrize(
    "example", [*blocks("json", ANALYSTS), *blocks("json", OPERATORS)]
)
def test_json_examples_parse(example: str) -> None:
    """Each JSON example is an object."""
    assert isinstance(json.loads(example), dict)
