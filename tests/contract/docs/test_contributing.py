"""CONTRIBUTING.md is correct, and its example works."""

from __future__ import annotations

import filecmp
import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tap_gorgias.stream_types import replication
from tap_gorgias.stream_types.children import ChildStream, DetailsStream
from tap_gorgias.stream_types.replication import SingleRecordStream
from tests.support.documents import ROOT, text

if TYPE_CHECKING:
    from pathlib import Path

FILE = ROOT / "CONTRIBUTING.md"


def test_paths_exist() -> None:
    """Files and folders that the text names exist."""
    named = re.findall(
        r"`((?:tap_gorgias|tests|\.ci|\.github)/[\w./]*)`", FILE.read_text("utf-8")
    )
    named.remove("tap_gorgias/schemas/labels.json")  # created by the reader
    assert len(named) > 10
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_bases_exist() -> None:
    """Each base class that the table recommends exists."""
    others = (SingleRecordStream, DetailsStream, ChildStream)
    known = {*vars(replication), *(base.__name__ for base in others)}
    named = re.findall(r"^\| `(\w+Stream)` \|", FILE.read_text("utf-8"), re.MULTILINE)
    assert len(named) == 7
    assert set(named) <= known


@pytest.fixture
def followed(tmp_path: Path) -> Path:
    """A copy of this repository in which the example was followed."""
    others = shutil.ignore_patterns(".*", "__pycache__")
    copy = shutil.copytree(ROOT, tmp_path / "copy", ignore=others)
    for prose, code in re.findall(r"(.+?)\n```\w+\n(.+?)```\n", text(FILE), re.DOTALL):
        if "label" in code.lower():
            path = re.findall(r"`([\w/]+/[\w./]+\.(?:py|json|md))`", prose)[-1]
            add(copy / path, code)
    readme = copy / "README.md"
    listed = readme.read_text("utf-8").replace("`macros`", "`labels`, `macros`", 1)
    readme.write_text(listed, "utf-8")
    return copy


def add(file: Path, code: str) -> None:
    """Add code to a file: at its end, or before the line of macros."""
    content = file.read_text("utf-8") if file.exists() else ""
    if code.startswith(("def", "class")):
        content += f"\n\n{code}"
    elif file.suffix == ".json":
        content = json.dumps({**json.loads(content or "{}"), **json.loads(code)})
    else:
        start = code[: code.lower().index("labels")]
        content = re.sub(
            rf"^(?={re.escape(start)}[Mm]acros)", code, content, flags=re.MULTILINE
        )
    file.write_text(content, "utf-8")


def test_the_example_of_a_new_stream_works(followed: Path) -> None:
    """Its tests pass, its rows are read, and it takes at most 12 files."""
    tests = (
        *("contract/docs/test_streams.py", "contract/package/test_catalog.py"),
        *("contract/package/test_dbt_sources.py", "contract/package/test_schemas.py"),
        "test_core.py",
    )
    options = ("-n0", "-q", "-p", "no:cacheprovider")
    run = subprocess.run(  # noqa: S603 (our own interpreter)
        [sys.executable, "-m", "pytest", *options, *(f"tests/{one}" for one in tests)],
        cwd=followed,
        env={**os.environ, "UPDATE_SNAPSHOTS": "1"},
        capture_output=True,
        check=False,
        text=True,
    )
    changed = [
        path
        for path in (file.relative_to(followed) for file in followed.rglob("*.*"))
        if "__pycache__" not in path.parts
        and not ((ROOT / path).exists() and same(ROOT / path, followed / path))
    ]

    assert run.returncode == 0, run.stdout[-3_000:]
    assert len(changed) <= 12, changed


def same(one: Path, other: Path) -> bool:
    """Return whether two files have the same contents."""
    return one.is_dir() or filecmp.cmp(one, other, shallow=False)
