"""The tap is installed as the README says, from a clone of this repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.sandbox import Sandbox
from tests.support.documents import README, ROOT, block, text
from tests.targets.environments import executable
from tests.targets.processes import output_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WAYS = ("pipx install .", "uv tool install .")


def pip_setting(name: str) -> str:
    """Return a setting of pip on this machine, which uv does not read."""
    command = [sys.executable, "-m", "pip", "config", "get", f"global.{name}"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    return os.environ.get(f"PIP_{name.upper().replace('-', '_')}", done.stdout.strip())


def with_pipx(folder: Path) -> dict[str, str]:
    """Return variables that make pipx install into a folder."""
    tool = executable("pipx").parent
    commands = folder / "commands"
    return {
        "PATH": f"{commands}:{tool}",
        "PIPX_HOME": str(folder / "pipx"),
        "PIPX_BIN_DIR": str(commands),
    }


def with_uv(folder: Path) -> dict[str, str]:
    """Return variables that make uv install into a folder, from the index of pip."""
    tool = executable("uv").parent
    commands = folder / "commands"
    index = pip_setting("index-url")
    return {
        "PATH": f"{commands}:{tool}",
        "UV_TOOL_DIR": str(folder / "uv"),
        "UV_TOOL_BIN_DIR": str(commands),
        **({"UV_DEFAULT_INDEX": index} if index else {}),
    }


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs the repository")
@pytest.mark.parametrize(
    ("way", "prepare"), list(zip(WAYS, (with_pipx, with_uv), strict=True))
)
def test_the_tap_can_be_installed_and_tested(
    tmp_path: Path, way: str, prepare: Callable[[Path], dict[str, str]]
) -> None:
    """The address in the first line is a placeholder, here for this repository."""
    assert way in " ".join(text(README).split())
    clone, enter, install = block("git clone").splitlines()
    assert install == WAYS[0]
    (tmp_path / "gitconfig").write_text(
        f'[url "{ROOT}"]\ninsteadOf = {clone.split()[-1]}\n[safe]\ndirectory = *\n'
    )
    variables = prepare(tmp_path)
    environment = {
        **os.environ,
        **variables,
        "PATH": f"{variables['PATH']}:{os.environ['PATH']}",
        "GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig"),
    }

    def follow(commands: str) -> str:
        return output_of(
            ["bash", "-euo", "pipefail", "-c", commands], cwd=tmp_path, env=environment
        )

    follow(f"{clone}\n{enter}\n{way}")

    (tmp_path / "tap-gorgias").rename(tmp_path / "moved")  # nothing depends on it
    assert str(tmp_path) in follow("command -v tap-gorgias")
    with Sandbox() as sandbox:
        (tmp_path / "config.json").write_text(json.dumps(sandbox.config))
        assert "tickets" in follow(block("config.json --test"))
