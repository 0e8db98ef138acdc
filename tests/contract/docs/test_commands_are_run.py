"""Every command of a document is run by a test, unless it needs another machine.

The language of the block tells which: `shell` for those that tests run, `bash` for the
others.
"""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.support.documents import ROOT, blocks

LOOKUPS = {"block", "follow"}
"""Functions of the tests that find a block by some of its words."""

RUN_OTHERWISE = {
    "curl --user": "tests/end_to_end/test_oauth_document.py",
    "--group check\n": ".ci/run",
    ".ci/run": ".github/workflows/ci.yml",
    "pytest -n0": "tests/contract/docs/test_contributing.py",
    "--group test &&": ".ci/run",
    "UPDATE_SNAPSHOTS": "tests/contract/docs/test_settings.py",
    "marimo run": "tests/targets/test_models_in_use.py",
    "-m tests.sandbox": "tests/end_to_end/test_oauth_document.py",
    "-m tests.targets --try": "tests/targets/test_strict_targets.py",
    "tests/demo.py": "tests/targets/test_demo.py",
}
"""Blocks of which a test, or `.ci/run`, runs each step by other means."""

OF_OTHER_MACHINES = {"docker", "kubectl", "sudo", "systemctl"}


@cache
def looked_up() -> set[str]:
    """Return the words by which tests find the blocks that they run."""
    found = set()
    for file in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                name = getattr(node.func, "id", "") or getattr(node.func, "attr", "")
                words = node.args[0]
                if name in LOOKUPS and isinstance(words, ast.Constant):
                    found.add(str(words.value))
    return found


@pytest.mark.parametrize("commands", blocks("shell"))
def test_commands_are_run_by_a_test(commands: str) -> None:
    """A test looks for the block, or is named above."""
    otherwise = [file for words, file in RUN_OTHERWISE.items() if words in commands]
    assert otherwise or any(words in commands for words in looked_up())
    assert all((ROOT / file).exists() for file in otherwise)


@pytest.mark.parametrize("commands", blocks("bash"))
def test_commands_that_no_test_runs_need_another_machine(commands: str) -> None:
    """They need a daemon that the machines of the tests do not have."""
    lines = commands.replace("\\\n", "").splitlines()
    assert {re.split(r"\s", line)[0] for line in lines} <= OF_OTHER_MACHINES


def test_every_way_to_run_a_block_is_needed() -> None:
    """No entry is left over."""
    shown = "".join(blocks("shell"))
    assert [words for words in RUN_OTHERWISE if words not in shown] == []
