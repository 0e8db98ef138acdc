"""Commands of the demo, and the environments that they run in."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

BIN = "Scripts" if os.name == "nt" else "bin"
NO_CONNECTION = "after connection broken by"  # in the warnings of pip


class DemoError(Exception):
    """A step failed; the message describes it and shows the end of a log."""


def check_exit_code(command: Sequence[str | Path], code: int, log: Path) -> None:
    """Raise an error with the end of the log if a command failed."""
    if code:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        shown = "\n".join(f"    {line[:300]}" for line in lines[-12:])
        message = f"`{Path(command[0]).name}` ended with code {code}:\n{shown}"
        raise DemoError(message)


def output(log: Path, *command: str | Path) -> str:
    """Run a command with a log and return its stdout."""
    with log.open("ab") as errors:
        done = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)  # noqa: S603
        stdout = done.communicate()[0].decode()
    check_exit_code(command, done.returncode, log)
    return stdout


def environment(
    parent: Path, name: str, python: str, stamp: str, *packages: str
) -> None:
    """Create a virtual environment in a folder unless it is up to date."""
    folder, log = parent / name, parent / f"install-{name}.log"
    mark = folder / "installed"
    if mark.exists() and mark.read_text(encoding="utf-8") == stamp:
        return
    shutil.rmtree(folder, ignore_errors=True)
    log.unlink(missing_ok=True)
    inside = folder / BIN / "python"
    # Some systems ship Python without ensurepip.
    if python != sys.executable or importlib.util.find_spec("ensurepip"):
        output(log, python, "-m", "venv", folder)
        pip: tuple[str | Path, ...] = (inside, "-m", "pip")
    else:
        output(log, python, "-m", "venv", "--without-pip", folder)
        pip = (python, "-m", "pip", "--python", inside)
    options = ("--quiet", "--disable-pip-version-check", "--only-binary=duckdb")
    try:
        output(log, *pip, "install", *options, *packages)
    except DemoError:
        if NO_CONNECTION in log.read_text(encoding="utf-8", errors="replace"):
            message = (
                "pip cannot reach its package index, and the demo installs the tap and "
                "a target.\nConnect to a network. Behind a proxy, set HTTPS_PROXY. "
                f"What pip says is in {log}."
            )
            raise DemoError(message) from None
        raise
    mark.write_text(stamp, encoding="utf-8")
