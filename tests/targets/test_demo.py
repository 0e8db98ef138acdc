"""The demo loads DuckDB, draws its models, and ends with commands that show a table."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import demo
from tests.pictures import SCREEN
from tests.support.documents import README, blocks
from tests.targets import environments

pytestmark = pytest.mark.targets

DURATION = re.compile(r" *\d+\.\d s$| in \d+ s \(.*\)$", re.MULTILINE)


def test_the_last_command_shows_tickets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The demo checks by itself that all rows are loaded."""
    installed = environments.executable("target-duckdb").parents[1]
    monkeypatch.setattr(demo, "TAP", Path(sys.executable).with_name("tap-gorgias"))
    monkeypatch.setattr(demo, "FOLDER", tmp_path)
    monkeypatch.setattr(demo, "DATABASE", tmp_path / "helpdesk.duckdb")
    monkeypatch.setattr(demo, "install", lambda: None)
    monkeypatch.setattr(demo, "environment", lambda *_: None)
    (tmp_path / "target").symlink_to(installed)
    (tmp_path / "dbt").symlink_to(environments.executable("dbt").parents[1])
    demo.demo(fresh=False)
    printed = capsys.readouterr().out
    shell, notebook = re.findall(r"^   (.*import duckdb.*)$", printed, re.MULTILINE)
    python = installed / "bin" / "python"
    with_rows = notebook.replace(".df()", ".show()")  # pandas is not installed there
    command = f"{shell} && {python} -c '{with_rows}'"
    shown = subprocess.run(  # noqa: S602 (our own command)
        command, shell=True, check=True, capture_output=True, text=True
    ).stdout

    screen = printed.partition("\nTables: ")[0]
    in_picture = SCREEN.read_text("utf-8").rstrip("\n")
    assert DURATION.sub("", screen.rstrip("\n")) == DURATION.sub("", in_picture)
    lines = {" ".join(line.split()) for line in printed.splitlines()}
    [of_readme] = [one for one in blocks("text", README) if "2nd" in one]
    assert {" ".join(line.split()) for line in of_readme.splitlines()} <= lines
    assert "count_star()" in shown
    assert "updated_datetime" in shown
