"""Meltano in a copy of this project, without access to its Hub."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.runs import Output
from tests.targets.environments import ROOT, USE_PIP, executable
from tests.targets.processes import output_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.targets.target import Target

CONTENT = (
    "LICENSE",
    "README.md",
    "meltano.yml",
    "pyproject.toml",
    "tap_gorgias",
    "dbt",
)


@dataclass(frozen=True)
class Project:
    """A project folder as after `git clone`, in Meltano's environment `sandbox`.

    Attributes:
        folder: The path of the project.
        api_url: The address of the sandbox.
    """

    folder: Path
    api_url: str

    def __call__(self, *command: str, **variables: str) -> str:
        """Run Meltano and return its stdout."""
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MELTANO_", "TAP_GORGIAS_", "TARGET_"))
        }
        environment |= {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", **USE_PIP}
        environment |= {"TAP_GORGIAS_API_URL": self.api_url, **variables}
        meltano = executable("meltano")
        return output_of(
            [meltano, "--environment", "sandbox", *command],
            cwd=self.folder,
            env=environment,
        )


def copy_to(folder: Path) -> None:
    """Copy the files of this project that Meltano needs."""
    folder.mkdir(exist_ok=True)
    for name in CONTENT:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)
        else:
            shutil.copy(ROOT / name, folder)


def load(
    target: Target,
    config: Mapping[str, Any],
    folder: Path,
    state: Mapping[str, Any] | None = None,
) -> Output:
    """Run `meltano run tap-gorgias TARGET` with all streams selected.

    Args:
        target: The target.
        config: Settings of the tap, as in the environment `sandbox`.
        folder: The folder in which the project is, or is created.
        state: The STATE that Meltano has stored after an earlier load.

    Returns:
        The messages that passed through the pipe; Meltano has stored the last STATE.
    """
    project, messages = folder / "project", folder / "pipe"
    meltano = Project(project, config["api_url"])
    state_id = f"sandbox:tap-gorgias-to-{target.name}"
    if not project.exists():
        copy_to(project)
        tap = shlex.join([sys.executable, "-m", "tap_gorgias"])
        loader = shlex.join(map(str, target.command))
        install_script(project, "extractors", "tap-gorgias", f'exec {tap} "$@"')
        install_script(
            project, "loaders", target.name, f'tee {messages} | {loader} "$@"'
        )
    else:
        assert json.loads(meltano("state", "get", state_id))["singer_state"] == state

    prefix = target.name.replace("-", "_").upper()
    settings = {f"{prefix}_{k.upper()}": str(v) for k, v in target.settings.items()}
    meltano(
        "run",
        "--no-install",
        "tap-gorgias",
        target.name,
        TAP_GORGIAS__SELECT='["*.*"]',
        **settings,
        **target.variables,
    )

    output = Output.parse(messages.read_text("utf-8"))
    assert json.loads(meltano("state", "get", state_id))["singer_state"] == output.state
    return output


def install_script(project: Path, kind: str, plugin: str, script: str) -> None:
    """Create a script where Meltano would install a plugin's command."""
    command = project / ".meltano" / kind / plugin / "venv" / "bin" / plugin
    command.parent.mkdir(parents=True)
    command.write_text(f"#!/usr/bin/env bash\n{script}\n", "utf-8")
    command.chmod(0o700)
