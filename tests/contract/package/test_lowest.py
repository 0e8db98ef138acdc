"""The lowest tested versions of dependencies are those that pyproject.toml allows."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_each_dependency_is_tested_at_its_lowest_version() -> None:
    """`tests/lowest.txt` and pyproject.toml agree."""
    project = (ROOT / "pyproject.toml").read_text()
    listed = project.split("\ndependencies = [")[1].split("\n]")[0]
    promised = re.findall(r'"([a-z0-9-]+)(?:\[\w+\])?[~>]=([0-9.]+)"', listed)
    tested = re.findall(
        r"^([a-z0-9-]+)==([0-9.]+)$",
        (ROOT / "tests/lowest.txt").read_text(),
        re.MULTILINE,
    )

    assert len(promised) == len(re.findall(r"[~>]=", listed))
    whole = [
        (name, version if version.count(".") > 1 else f"{version}.0")
        for name, version in promised
    ]
    assert sorted(tested) == sorted(whole)
