"""CONTRIBUTING.md is correct, and its example works."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from tap_gorgias.stream_types import replication
from tap_gorgias.stream_types.children import ChildStream, DetailsStream
from tap_gorgias.stream_types.replication import SingleRecordStream
from tests.contract.package.test_package import PACKAGE
from tests.sandbox import Sandbox, Shop
from tests.support.documents import ROOT, blocks
from tests.support.runs import Output

if TYPE_CHECKING:
    from pathlib import Path

FILE = ROOT / "CONTRIBUTING.md"


def test_paths_exist() -> None:
    """Files and folders that the text names exist."""
    named = re.findall(
        r"`((?:tap_gorgias|tests|\.ci|\.github)/[\w./]*)`", FILE.read_text("utf-8")
    )
    named.remove("tap_gorgias/schemas/archived_macros.json")  # created by the reader
    assert len(named) > 10
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_bases_exist() -> None:
    """Each base class that the table recommends exists."""
    others = (SingleRecordStream, DetailsStream, ChildStream)
    known = {*vars(replication), *(base.__name__ for base in others)}
    named = re.findall(r"^\| `(\w+Stream)` \|", FILE.read_text("utf-8"), re.MULTILINE)
    assert len(named) == 7
    assert set(named) <= known


def test_the_example_of_a_new_stream_works(tmp_path: Path) -> None:
    """In a copy of the package it reads the documented rows."""
    package = shutil.copytree(ROOT / PACKAGE, tmp_path / PACKAGE)
    (stream,) = (one for one in blocks("python", FILE) if "ArchivedMacros" in one)
    with (package / "streams" / "setup.py").open("a", encoding="utf-8") as module:
        module.write(f"\n\n{stream}")
    (schema,) = (one for one in blocks("json", FILE) if '"properties"' in one)
    (package / "schemas" / "archived_macros.json").write_text(schema, "utf-8")
    listing = package / "streams" / "__init__.py"
    line = "    setup.CustomFieldsStream,\n"
    listed = listing.read_text("utf-8").replace(
        line, f"    setup.ArchivedMacrosStream,\n{line}"
    )
    listing.write_text(listed, "utf-8")

    with Sandbox(Shop(tickets=3, events=5)) as sandbox:
        (tmp_path / "config.json").write_text(json.dumps(sandbox.config), "utf-8")
        run = subprocess.run(  # noqa: S603 (our own interpreter)
            [sys.executable, "-m", PACKAGE, "--config", "config.json"],
            cwd=tmp_path,
            capture_output=True,
            check=False,
            text=True,
            timeout=120,
        )
        macros = list(sandbox.shop.macros.rows())

    assert run.returncode == 0, run.stderr
    archived = {row["id"] for row in macros if row["archived_datetime"]}
    assert archived
    assert set(Output.parse(run.stdout).ids("archived_macros")) == archived
