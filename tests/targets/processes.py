"""Processes that end with the test that starts them, whatever becomes of it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

from tests.runs import Output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

PATIENCE = 180
"""Seconds for a load; some take 20. Clients repeat for minutes what is refused."""


@contextlib.contextmanager
def started(
    command: Sequence[str | Path],
    **options: Any,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process, and kill it with its children if it is still there at the end.

    Yields:
        The process.
    """
    with subprocess.Popen(command, start_new_session=True, **options) as process:  # noqa: S603
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def finished(
    command: Sequence[str | Path],
    **options: Any,
) -> str:
    """Run a command to its end.

    Returns:
        What it wrote to stdout.
    """
    pipe = subprocess.PIPE
    with started(command, stdout=pipe, stderr=pipe, **options) as process:
        try:
            told, errors = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            told, errors = process.communicate()
    assert process.returncode == 0, told.decode()[-2_000:] + errors.decode()[-4_000:]
    return told.decode()


def piped(
    tap: Sequence[str],
    target: Sequence[str | Path],
    folder: Path,
    variables: Mapping[str, str] | None = None,
) -> tuple[Output, str]:
    """Connect two commands, with an ear on the pipe between them.

    Args:
        tap: What writes.
        target: What reads.
        folder: Where to keep what went through the pipe, and the log.
        variables: Of the target's environment.

    Returns:
        The messages of the tap, and what the target wrote.

    Raises:
        TimeoutExpired: It takes too long.
    """
    heard, log = folder / "pipe", folder / "log"
    pipe, environment = subprocess.PIPE, {**os.environ, **(variables or {})}
    with (
        log.open("wb") as errors,
        started(tap, stdout=pipe, stderr=errors) as first,
        started(["tee", str(heard)], stdin=first.stdout, stdout=pipe) as ear,
        started(
            target, stdin=ear.stdout, stdout=pipe, stderr=errors, env=environment
        ) as last,
    ):
        for process in (first, ear):
            if process.stdout:
                process.stdout.close()  # only the next one reads from it
        told = last.communicate(timeout=PATIENCE)[0].decode()
        codes = [process.wait(timeout=PATIENCE) for process in (first, ear, last)]
    assert codes == [0, 0, 0], log.read_text("utf-8")[-2_000:]
    return Output.parse(heard.read_text("utf-8")), told


def wait_until(condition: Callable[[], Any], *, seconds: float = 60) -> None:
    """Ask again and again until something is so.

    Raises:
        TimeoutError: It does not come.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.02)
