"""An environment for each target and tool: `python -m tests.targets.environments`.

Their dependencies do not agree with the tap's, nor with one another's.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped]  # comes with the SDK, without types

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".targets"
NEWEST_PYTHON = (3, 13)  # that all of these packages are made for
OLDER_PYTHONS = ("python3.13", "python3.12", "python3.11", "python3.10")

LOADED = ("target-jsonl", "target-duckdb", "target-postgres")
"""The targets that the tests load; `meltano.yml` says which packages they are."""

TOOLS: Mapping[str, tuple[str, ...]] = {
    "meltano": ("meltano==4.4.1",),
    "singer-tools": ("singer-tools==0.4.1",),
}

WITH_PIP = {"MELTANO_VENV_BACKEND": "virtualenv"}
"""Has Meltano install with pip, whose configuration is that of these environments."""


def project() -> dict[str, Any]:
    """Return what is in `meltano.yml`."""
    content: dict[str, Any] = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
    return content


def packages() -> dict[str, tuple[str, ...]]:
    """Return what goes into each environment, by its name."""
    loaders = {loader["name"]: loader for loader in project()["plugins"]["loaders"]}
    targets = {name: tuple(loaders[name]["pip_url"].split()) for name in LOADED}
    return {**TOOLS, **targets}


def executable(environment: str, command: str | None = None) -> Path:
    """Return the path of a command, by default the one named like its environment.

    Raises:
        FileNotFoundError: It is not installed.
    """
    path = FOLDER / environment / "bin" / (command or environment)
    if not path.exists():
        message = f"{path} is missing: run `python -m tests.targets.environments`."
        raise FileNotFoundError(message)
    return path


def old_enough_python() -> str:
    """Return an interpreter that all packages can be installed for.

    Raises:
        FileNotFoundError: This one is too new, and there is no older one.
    """
    if sys.version_info[:2] <= NEWEST_PYTHON:
        return sys.executable
    found = next(filter(None, map(shutil.which, OLDER_PYTHONS)), None)
    if not found:
        message = "The targets need a Python from 3.10 to 3.13 beside this one."
        raise FileNotFoundError(message)
    return found


def make(name: str) -> None:
    """Make an environment, unless it is there and up to date.

    Raises:
        CalledProcessError: Something could not be installed.
    """
    folder, python = FOLDER / name, old_enough_python()
    mark, stamp = folder / "installed", f"{python} {sys.version} {packages()[name]}"
    if mark.exists() and mark.read_text("utf-8") == stamp:
        return
    shutil.rmtree(folder, ignore_errors=True)
    inside = str(folder / "bin" / "python")
    subprocess.run([python, "-m", "venv", str(folder)], check=True)  # noqa: S603
    pip = (inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    subprocess.run([*pip, *packages()[name]], check=True)  # noqa: S603
    mark.write_text(stamp, encoding="utf-8")


def main() -> None:
    """Make them all."""
    FOLDER.mkdir(exist_ok=True)
    with ThreadPoolExecutor() as pool:
        list(pool.map(make, packages()))


if __name__ == "__main__":
    main()
