"""`--about` and `--help` describe the tap and its settings."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tap_gorgias.tap import TapGorgias
from tests.support.runs import COMMAND, run_command

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("style", ["default", "json", "markdown"])
def test_about_describes_every_setting(tmp_path: Path, style: str) -> None:
    """The description is available offline."""
    command = [*COMMAND, "--about"]

    result = run_command(
        command if style == "default" else [*command, f"--format={style}"], tmp_path
    )

    assert result.returncode == 0
    assert "message_lookback_days" in result.stdout
    assert "Earliest date to read in a first sync" in result.stdout


def test_about_marks_the_required_settings(tmp_path: Path) -> None:
    """A reader sees in the table what a config needs."""
    about = run_command([*COMMAND, "--about"], tmp_path).stdout
    rows = [line.split(" | ") for line in about.splitlines() if line.startswith("| ")]
    required = [row[0].lstrip("| ") for row in rows if row[1] == "True"]

    assert required == TapGorgias.config_jsonschema["required"] == ["subdomain"]
    assert "- `stream-maps`" in about.splitlines()


def test_about_is_not_indented(tmp_path: Path) -> None:
    """Markdown shows indented lines as code."""
    markdown = run_command([*COMMAND, "--about", "--format=markdown"], tmp_path).stdout
    about = run_command([*COMMAND, "--about", "--format=json"], tmp_path).stdout

    assert [line for line in markdown.splitlines() if line.startswith(" ")] == []
    assert markdown.startswith("# `tap-gorgias`\n")
    description = json.loads(about)["description"]
    assert description == " ".join(description.split())
    assert description in markdown.splitlines()


def test_help_says_what_the_tap_does(tmp_path: Path) -> None:
    """Its commands exist, and its lines fit in a terminal."""
    shown = run_command([*COMMAND, "--help"], tmp_path).stdout
    examples = re.findall(r"tap-gorgias (--.*)", shown)

    assert "Gorgias helpdesk" in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert examples
    options = {word for one in examples for word in one.split() if word[0] == "-"}
    assert options <= set(re.findall(r"^  (--\w+)", shown, re.MULTILINE))
