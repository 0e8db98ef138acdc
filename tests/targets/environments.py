"""Virtual environments of targets and tools: `python -m tests.targets.environments`.

Their dependencies conflict with the tap's and with one another's. Names of environments
after the command make only these.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped]  # comes with the SDK, without types

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".targets"
PINS = Path(__file__).parent / "pins"
"""Constraints for environments whose packages do not pin their dependencies."""
SCRIPTS = Path(__file__).parent / "scripts"
"""Scripts that run in the environments."""

LOADED = (
    "target-jsonl",
    "target-duckdb",
    "target-postgres",
    "target-bigquery",
    "target-snowflake",
)
"""The targets that the tests load; `meltano.yml` names their packages."""

TOOLS: Mapping[str, tuple[str, ...]] = {
    "meltano": ("meltano==4.4.1",),
    "singer-tools": ("singer-tools==0.4.1",),
    # bqemulator does not declare its dependency on numpy.
    "bqemulator": ("bqemulator", "google-cloud-bigquery", "numpy"),
    "fakesnow": ("fakesnow[server]",),
    "marimo": ("marimo", "altair", "pandas", "duckdb<2"),
    "pipx": ("pipx",),
    "uv": ("uv",),
}
SCHEDULERS: Mapping[str, tuple[str, ...]] = {
    "airflow": ("apache-airflow==3.3.2",),
    "dagster": ("dagster==1.13.29",),
}
"""Large, so they are installed only if they are named."""
ADAPTERS = ("dbt-postgres", "dbt-bigquery", "dbt-snowflake")
"""Adapters in the environment of dbt, besides that of DuckDB."""

STRICT: Mapping[str, tuple[str, ...]] = {
    "target-csv": ("meltanolabs-target-csv==0.5.0",),
    "target-sqlite": ("target-sqlite==0.2.0",),
    "pipelinewise-target-postgres": ("pipelinewise-target-postgres==2.1.2",),
}
"""Small targets that need what others forgive: all columns in order, ASCII, bounds, and
STATE before the first row."""

MINOR_VERSIONS: Mapping[str, range] = {
    "target-sqlite": range(7, 10),
    "target-bigquery": range(10, 12),
    "bqemulator": range(11, 15),
    "fakesnow": range(11, 14),
}
"""Minor versions of Python 3 that an environment supports."""
DEFAULT_MINOR_VERSIONS = range(10, 14)

SERVERS = {"target-bigquery": "bqemulator", "target-snowflake": "fakesnow"}
"""The environment of the emulator that a target loads."""

USE_PIP = {"MELTANO_VENV_BACKEND": "virtualenv", "PIP_NO_COMPILE": "1"}
"""Makes Meltano install with pip, which shares the configuration of this machine."""


def project() -> dict[str, Any]:
    """Return the contents of `meltano.yml`."""
    content: dict[str, Any] = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
    return content


def packages() -> dict[str, tuple[str, ...]]:
    """Return the packages of each environment, by its name."""
    plugins = project()["plugins"]
    loaders = {loader["name"]: loader for loader in plugins["loaders"]}
    [dbt] = (one for one in plugins["utilities"] if one["name"] == "dbt")
    dbt_packages = (*shlex.split(dbt["pip_url"]), *ADAPTERS)
    targets = {name: tuple(loaders[name]["pip_url"].split()) for name in LOADED}
    return {**TOOLS, "dbt": dbt_packages, **STRICT, **targets}


def executable(environment: str, command: str | None = None) -> Path:
    """Return the path of a command, which defaults to the environment's name."""
    path = FOLDER / environment / "bin" / (command or environment)
    if not path.exists():
        message = f"{path} is missing: run `python -m tests.targets.environments`."
        raise FileNotFoundError(message)
    return path


@cache
def python_for(environment: str) -> str | None:
    """Return an interpreter for an environment, preferably this one, or None."""
    minors = MINOR_VERSIONS.get(environment, DEFAULT_MINOR_VERSIONS)
    if sys.version_info.minor in minors:
        return sys.executable
    found = (shutil.which(f"python3.{minor}") for minor in minors[::-1])
    return next((python for python in found if python and _starts(python)), None)


def _starts(python: str) -> bool:
    """Return whether it is an interpreter, and not the shim of a version manager."""
    return subprocess.run([python, "-c", ""], stderr=subprocess.DEVNULL).returncode == 0  # noqa: PLW1510, S603


def reason_to_skip(target: str) -> str | None:
    """Return why a target cannot be loaded on this machine, or None if it can."""
    for environment in filter(None, (target, SERVERS.get(target))):
        if not python_for(environment):
            minors = MINOR_VERSIONS.get(environment, DEFAULT_MINOR_VERSIONS)
            versions = f"from 3.{minors[0]} to 3.{minors[-1]}"
            return f"{environment} needs a Python {versions}, and there is none."
    return None


def make(name: str) -> None:
    """Create an environment unless it is up to date or no Python supports it."""
    folder, python, pins = FOLDER / name, python_for(name), PINS / f"{name}.txt"
    if not python:
        sys.stderr.write(f"{reason_to_skip(name)}\n")
        return
    pinned = pins.read_text("utf-8") if pins.exists() else ""
    wanted = {**packages(), **SCHEDULERS}[name]
    mark = folder / "installed"
    stamp = f"{python} {sys.version} {wanted}\n{pinned}"
    if mark.exists() and mark.read_text("utf-8") == stamp:
        return
    shutil.rmtree(folder, ignore_errors=True)
    inside = str(folder / "bin" / "python")
    # Few of the modules are ever imported: compiling all of them, and a pip in each
    # environment, would take three times as long. This pip may not support an old
    # Python.
    own = python == sys.executable
    options = ["--without-pip"] if own else []
    subprocess.run([python, "-m", "venv", *options, str(folder)], check=True)  # noqa: S603
    pip = [python, "-m", "pip", "--python", inside] if own else [inside, "-m", "pip"]
    pip += ["install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    if pinned:
        pip += ["--constraint", str(pins)]
    subprocess.run([*pip, *wanted], check=True)  # noqa: S603
    mark.write_text(stamp, encoding="utf-8")


def main() -> None:
    """Create the environments that are named, or all but the schedulers'."""
    FOLDER.mkdir(exist_ok=True)
    with ThreadPoolExecutor() as pool:
        list(pool.map(make, sys.argv[1:] or packages()))


if __name__ == "__main__":
    main()
