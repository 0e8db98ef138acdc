"""CHANGELOG.md, the version and the release notes agree."""

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
    """Convert versions to comparable tuples."""
    return tuple(int(part) for part in version.split("."))


def releases() -> list[tuple[tuple[int, ...], date]]:
    """Return the version and the date of each release in the changelog."""
    found = RELEASE.findall(CHANGELOG.read_text("utf-8"))
    return [
        ((int(major), int(minor), int(patch)), date.fromisoformat(day))
        for major, minor, patch, day in found
    ]


def test_sections_are_releases_newest_first() -> None:
    """Unreleased changes come first, and there is no other heading."""
    headings = HEADING.findall(CHANGELOG.read_text("utf-8"))
    unreleased = headings[:1] == ["[Unreleased]"]
    assert all(RELEASE.fullmatch(one) for one in headings[unreleased:])
    assert len(releases()) == len(headings) - unreleased
    assert releases() == sorted(releases(), reverse=True)


def test_changes_are_of_the_known_kinds() -> None:
    """The kinds are those of Keep a Changelog."""
    kinds = re.findall(r"^### (.*)$", CHANGELOG.read_text("utf-8"), re.MULTILINE)
    assert kinds
    assert set(kinds) <= KINDS


def test_the_version_is_the_newest_release_or_the_next() -> None:
    """A version ahead of the newest release has unreleased notes."""
    version = as_numbers(metadata.version("tap-gorgias"))
    newest = releases()[0][0] if releases() else (0, 0, 0)
    assert version >= newest
    if version > newest:
        assert "\n## [Unreleased]\n" in CHANGELOG.read_text("utf-8")


def run_script(folder: Path, tag: str, changelog: str) -> tuple[int, str]:
    """Run the script in a temporary project; return its exit code and output."""
    (folder / "scripts").mkdir()
    script = shutil.copy(ROOT / "scripts" / SCRIPT, folder / "scripts")
    (folder / "pyproject.toml").write_text(PROJECT, "utf-8")
    (folder / "CHANGELOG.md").write_text(changelog, "utf-8")
    command = [sys.executable, str(script), tag]
    run = subprocess.run(command, capture_output=True, check=False, text=True)  # noqa: S603 (our script)
    return run.returncode, run.stdout + run.stderr


def test_a_release_gets_the_notes_of_its_version(tmp_path: Path) -> None:
    """Notes of other versions are not included."""
    assert run_script(tmp_path, "v1.2.3", NOTES) == (0, "### Fixed\n\n- Text.\n")


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
def test_an_unprepared_release_is_refused(
    tmp_path: Path, tag: str, changelog: str, reason: str
) -> None:
    """The script fails before anything is published."""
    code, text = run_script(tmp_path, tag, changelog)
    assert code == 1
    assert reason in text
