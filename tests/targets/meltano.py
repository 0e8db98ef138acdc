"""Meltano in a copy of this project, without access to its Hub."""

from __future__ import annotations

import json
import os
import re
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

_LAST_SETTING = "          api_key: sandbox-api-key\n"
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
        meltano = executable("meltano")
        return output_of(
            [meltano, "--environment", "sandbox", *command],
            cwd=self.folder,
            env={**clean_environment(self.api_url), **variables},
        )

    def shell(self, commands: str, **variables: str) -> str:
        """Run shell commands with Meltano on the path, and return their stdout.

        Meltano would install all plugins again that another way has installed.
        """
        commands = re.sub(
            r"(meltano (?:-.*?)?(?:run|invoke)) ", r"\1 --no-install ", commands
        )
        path = os.pathsep.join([str(executable("meltano").parent), os.environ["PATH"]])
        environment = clean_environment(self.api_url) | {"PATH": path, **variables}
        return output_of(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=self.folder,
            env=environment,
        )


def clean_environment(api_url: str) -> dict[str, str]:
    """Return environment variables that connect the tap to a sandbox."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MELTANO_", "TAP_GORGIAS_", "TARGET_"))
    }
    environment |= {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", **USE_PIP}
    return environment | {"TAP_GORGIAS_API_URL": api_url}


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
    settings: Mapping[str, Any] | None = None,
    variables: str = "",
) -> Output:
    """Run `meltano run tap-gorgias TARGET` with all streams selected.

    Args:
        target: The target.
        config: Settings of the tap, as in the environment `sandbox`.
        folder: The folder in which the project is, or is created.
        state: The STATE that Meltano has stored after an earlier load.
        settings: Settings of the tap to write into meltano.yml.
        variables: The content of `.env`.

    Returns:
        The messages that passed through the pipe; Meltano has stored the last STATE.
    """
    project, messages = folder / "project", folder / "pipe"
    meltano = Project(project, config["api_url"])
    state_id = f"sandbox:tap-gorgias-to-{target.name}"
    if not project.exists():
        copy_to(project)
        _write_settings(project / "meltano.yml", settings or {})
        (project / ".env").write_text(variables, "utf-8")
        loader = shlex.join(map(str, target.command))
        install_in_place(project, {target.name: f"tee {messages} | {loader}"})
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
        TAP_GORGIAS__LOAD_SCHEMA="gorgias",
        **settings,
        **target.variables,
    )

    output = Output.parse(messages.read_text("utf-8"))
    assert json.loads(meltano("state", "get", state_id))["singer_state"] == output.state
    return output


def _write_settings(file: Path, settings: Mapping[str, Any]) -> None:
    """Write settings below `config` of the tap in the environment `sandbox`."""
    before, line, after = file.read_text("utf-8").partition(_LAST_SETTING)
    assert line
    lines = [f"          {name}: {json.dumps(one)}\n" for name, one in settings.items()]
    file.write_text("".join([before, line, *lines, after]), "utf-8")


def install_in_place(project: Path, loaders: Mapping[str, str]) -> None:
    """Install the tap and loaders, given by their shell commands, as they are here."""
    tap = shlex.join([sys.executable, "-m", "tap_gorgias"])
    install_script(project, "extractors", "tap-gorgias", f'exec {tap} "$@"')
    for name, command in loaders.items():
        install_script(project, "loaders", name, f'{command} "$@"')


def install_script(project: Path, kind: str, plugin: str, script: str) -> None:
    """Create a script where Meltano would install a plugin's command."""
    command = project / ".meltano" / kind / plugin / "venv" / "bin" / plugin
    command.parent.mkdir(parents=True)
    command.write_text(f"#!/usr/bin/env bash\n{script}\n", "utf-8")
    command.chmod(0o700)
