"""CHANGELOG.md, the version and the notes of a release agree."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from datetime import date
from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from tests.support.documents import ROOT

if TYPE_CHECKING:
    from pathlib import Path

CHANGELOG = ROOT / "CHANGELOG.md"
SCRIPT = "release_notes.py"
HEADING = re.compile(r"^## (.*)$", re.MULTILINE)
RELEASE = re.compile(r"\[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d\d-\d\d)")
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
PROJECT = '[project]\nname = "one"\nversion = "1.2.3"\n'
NOTES = """# Changelog

## [1.2.3] - 2026-02-03

### Fixed

- Text.

## [1.2.2] - 2026-01-02

- Old.
"""


def as_numbers(version: str) -> tuple[int, ...]:
    """Make versions comparable."""
    return tuple(int(part) for part in version.split("."))


def releases() -> list[tuple[tuple[int, ...], date]]:
    """Return version and day of each release that the changelog tells of."""
    found = RELEASE.findall(CHANGELOG.read_text("utf-8"))
    return [
        ((int(major), int(minor), int(patch)), date.fromisoformat(day))
        for major, minor, patch, day in found
    ]


def test_sections_are_releases_newest_first() -> None:
    """With what is not released yet above them, and no other heading."""
    headings = HEADING.findall(CHANGELOG.read_text("utf-8"))
    unreleased = headings[:1] == ["[Unreleased]"]
    assert all(RELEASE.fullmatch(one) for one in headings[unreleased:])
    assert len(releases()) == len(headings) - unreleased
    assert releases() == sorted(releases(), reverse=True)


def test_changes_are_of_the_known_kinds() -> None:
    """Those of Keep a Changelog."""
    kinds = re.findall(r"^### (.*)$", CHANGELOG.read_text("utf-8"), re.MULTILINE)
    assert kinds
    assert set(kinds) <= KINDS


def test_the_version_is_the_newest_release_or_the_next() -> None:
    """A version that is ahead of the releases has notes waiting for it."""
    version = as_numbers(metadata.version("tap-gorgias"))
    newest = releases()[0][0] if releases() else (0, 0, 0)
    assert version >= newest
    if version > newest:
        assert "\n## [Unreleased]\n" in CHANGELOG.read_text("utf-8")


def told(folder: Path, tag: str, changelog: str) -> tuple[int, str]:
    """Run the script in a project of its own; return its exit code and output."""
    (folder / "scripts").mkdir()
    script = shutil.copy(ROOT / "scripts" / SCRIPT, folder / "scripts")
    (folder / "pyproject.toml").write_text(PROJECT, "utf-8")
    (folder / "CHANGELOG.md").write_text(changelog, "utf-8")
    command = [sys.executable, str(script), tag]
    run = subprocess.run(command, capture_output=True, check=False, text=True)  # noqa: S603 (our script)
    return run.returncode, run.stdout + run.stderr


def test_a_release_gets_the_notes_of_its_version(tmp_path: Path) -> None:
    """And none of another."""
    assert told(tmp_path, "v1.2.3", NOTES) == (0, "### Fixed\n\n- Text.\n")


@pytest.mark.parametrize(
    ("tag", "changelog", "reason"),
    [
        ("v1.2.4", NOTES, "The tag is v1.2.4, but the version"),
        ("1.2.3", NOTES, "The tag is 1.2.3, but the version"),
        ("v1.2.3", NOTES.replace("1.2.3", "1.3.0"), "no dated section"),
        ("v1.2.3", NOTES.replace(" - 2026-02-03", ""), "no dated section"),
        ("v1.2.3", "## [1.2.3] - 2026-02-03\n", "no dated section"),
    ],
)
def test_a_release_that_is_not_prepared_is_refused(
    tmp_path: Path, tag: str, changelog: str, reason: str
) -> None:
    """Before anything is published."""
    code, text = told(tmp_path, tag, changelog)
    assert code == 1
    assert reason in text
