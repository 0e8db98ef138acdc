"""Run commands in their own processes and measure them."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.runs import Files, Output, run_command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.sandbox import Request, Sandbox, Shop

_LAUNCH = [sys.executable, "-S", str(Path(__file__).with_name("launch.py"))]


@dataclass(frozen=True)
class Figures:
    """The resource usage and the output of a command."""

    wall_seconds: float
    cpu_seconds: float
    """User and system time of the process."""
    megabytes: float
    """The peak resident memory."""
    exit_code: int
    rows: int
    bytes: Mapping[str, int]
    """Bytes written by message type; `log` is all of stderr."""
    last_lines: str


def measure(*arguments: str) -> Figures:
    """Run Python and measure it.

    Args:
        arguments: The arguments of the interpreter.

    Returns:
        The figures of the process alone.

    Raises:
        SystemExit: If the command fails.
    """
    command = [*_LAUNCH, sys.executable, *arguments]
    result = subprocess.run(command, check=True, stdout=subprocess.PIPE)  # noqa: S603
    figures = Figures(**json.loads(result.stdout))
    if figures.exit_code:
        raise SystemExit(figures.last_lines)
    return figures


def measure_tap(
    config: Mapping[str, Any], *streams: str, state: dict[str, Any] | None = None
) -> Figures:
    """Run the tap and measure it.

    Args:
        config: Settings.
        streams: What to select; the default selection if none is named.
        state: STATE of an earlier run.

    Returns:
        The figures of the process alone.
    """
    with tempfile.TemporaryDirectory() as folder:
        _, *arguments = Files(Path(folder)).arguments(config, streams, state)
        return measure(*arguments)


def tap(
    sandbox: Sandbox,
    *streams: str,
    state: dict[str, Any] | None = None,
    package: Path | None = None,
) -> tuple[Output, float]:
    """Run the tap.

    Args:
        sandbox: What it reads.
        streams: What to select; the default selection if none is named.
        state: STATE of an earlier run.
        package: Folder that holds the version of `tap_gorgias` to run; this one if
            None.

    Returns:
        Its output, and the seconds from its first request to its end.

    Raises:
        SystemExit: If it fails.
    """
    first_request: list[float] = []
    sandbox.before_request(
        lambda _shop, _request: first_request.append(time.perf_counter())
    )
    with tempfile.TemporaryDirectory() as folder:
        command = Files(Path(folder)).arguments(sandbox.config, streams, state)
        result = run_command(command, folder=package)
    if result.returncode:
        raise SystemExit(result.stderr)
    began = first_request[0] - sandbox.latency
    return Output.parse(result.stdout), time.perf_counter() - began


def tap_killed(
    sandbox: Sandbox, at: int, *streams: str, state: dict[str, Any] | None = None
) -> Output:
    """Run the tap and kill it when the sandbox receives a request.

    Args:
        sandbox: What it reads.
        at: The number of that request, from 1.
        streams: What to select; the default selection if none is named.
        state: STATE of an earlier run.

    Returns:
        The whole lines that it wrote.
    """
    began = sandbox.count()
    running: list[subprocess.Popen[bytes]] = []

    def kill(_shop: Shop, _request: Request) -> None:
        if sandbox.count() >= began + at:
            running[0].kill()

    sandbox.before_request(kill)
    with tempfile.TemporaryDirectory() as folder:
        command = Files(Path(folder)).arguments(sandbox.config, streams, state)
        written = Path(folder, "messages.jsonl")
        with written.open("wb") as stdout:
            running.append(
                subprocess.Popen(command, stdout=stdout, stderr=subprocess.DEVNULL)  # noqa: S603
            )
        running[0].wait(600)
        sandbox.remove_callbacks()
        return Output.parse(written.read_text(encoding="utf-8"))
