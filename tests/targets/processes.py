"""Processes that end, at the latest, with the test that starts them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

from tests.support.runs import Output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

TIMEOUT_SECONDS = 180
"""Limit for a load, which may take 20 seconds; clients retry refusals for minutes."""


@contextlib.contextmanager
def running(
    command: Sequence[str | Path],
    **options: Any,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process; kill it and its children if it has not ended by itself."""
    with subprocess.Popen(command, start_new_session=True, **options) as process:  # noqa: S603
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def output_of(
    command: Sequence[str | Path],
    **options: Any,
) -> str:
    """Run a command to completion and return its stdout."""
    pipe = subprocess.PIPE
    with running(command, stdout=pipe, stderr=pipe, **options) as process:
        try:
            output, errors = process.communicate(timeout=TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, errors = process.communicate()
    assert process.returncode == 0, output.decode()[-2_000:] + errors.decode()[-4_000:]
    return output.decode()


def run_pipe(
    tap: Sequence[str],
    target: Sequence[str | Path],
    folder: Path,
    variables: Mapping[str, str] | None = None,
) -> tuple[Output, str]:
    """Connect two commands; return what passed the pipe and the stdout of the second.

    The folder gets the recorded messages and the log.
    """
    messages, log = folder / "pipe", folder / "log"
    pipe, environment = subprocess.PIPE, {**os.environ, **(variables or {})}
    with (
        log.open("wb") as errors,
        running(tap, stdout=pipe, stderr=errors) as first,
        running(["tee", str(messages)], stdin=first.stdout, stdout=pipe) as tee,
        running(
            target, stdin=tee.stdout, stdout=pipe, stderr=errors, env=environment
        ) as last,
    ):
        for process in (first, tee):
            if process.stdout:
                process.stdout.close()  # only the next process reads from it
        output = last.communicate(timeout=TIMEOUT_SECONDS)[0].decode()
        codes = [
            process.wait(timeout=TIMEOUT_SECONDS) for process in (first, tee, last)
        ]
    assert codes == [0, 0, 0], log.read_text("utf-8")[-2_000:]
    return Output.parse(messages.read_text("utf-8")), output


def wait_until(condition: Callable[[], Any], *, seconds: float = 60) -> None:
    """Poll until a condition is true."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.02)
