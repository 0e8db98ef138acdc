"""Meltano, in a copy of this project and with nothing from its Hub."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.runs import Output
from tests.targets.environments import ROOT, WITH_PIP, executable
from tests.targets.processes import finished

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.targets.target import Target

CONTENT = ("LICENSE", "README.md", "meltano.yml", "pyproject.toml", "tap_gorgias")


@dataclass(frozen=True)
class Project:
    """A project folder as after a clone, in Meltano's environment `sandbox`.

    Attributes:
        folder: Where it is.
        api_url: Address of the sandbox, which takes any free port.
    """

    folder: Path
    api_url: str

    def __call__(self, *command: str, **variables: str) -> str:
        """Run Meltano; return what it wrote."""
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MELTANO_", "TAP_GORGIAS_", "TARGET_"))
        }
        environment |= {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", **WITH_PIP}
        environment |= {"TAP_GORGIAS_API_URL": self.api_url, **variables}
        meltano = executable("meltano")
        return finished(
            [meltano, "--environment", "sandbox", *command],
            cwd=self.folder,
            env=environment,
        )


def copy_to(folder: Path) -> None:
    """Put into a folder what Meltano needs of this project."""
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
    """Run `meltano run tap-gorgias TARGET`, with everything selected.

    Args:
        target: Where to.
        config: Settings of the tap: those of the environment `sandbox`.
        folder: Where the project is, or will be.
        state: What Meltano has kept of an earlier load.

    Returns:
        What went through the pipe. Its last STATE is the one that Meltano keeps.
    """
    place, heard = folder / "project", folder / "pipe"
    meltano = Project(place, config["api_url"])
    state_id = f"sandbox:tap-gorgias-to-{target.name}"
    if not place.exists():
        copy_to(place)
        tap = shlex.join([sys.executable, "-m", "tap_gorgias"])
        loader = shlex.join(map(str, target.command))
        _put(place, "extractors", "tap-gorgias", f'exec {tap} "$@"')
        _put(place, "loaders", target.name, f'tee {heard} | {loader} "$@"')
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

    output = Output.parse(heard.read_text("utf-8"))
    assert json.loads(meltano("state", "get", state_id))["singer_state"] == output.state
    return output


def _put(project: Path, kind: str, plugin: str, script: str) -> None:
    """Make a command of what runs already, where Meltano would have installed it."""
    command = project / ".meltano" / kind / plugin / "venv" / "bin" / plugin
    command.parent.mkdir(parents=True)
    command.write_text(f"#!/usr/bin/env bash\n{script}\n", "utf-8")
    command.chmod(0o700)
