"""Targets that are killed in the middle of a load."""

from __future__ import annotations

import json
import os
import subprocess
import time
from typing import TYPE_CHECKING, Any

from tests.support.runs import Files
from tests.targets.processes import running, wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Message = dict[str, Any]

KEEP_OPEN = 'cat "$0"; touch "$0.read"; exec sleep 600'


def state_of_killed(
    command: Sequence[str | Path],
    settings: Mapping[str, Any],
    messages: Sequence[Message],
    folder: Path,
    variables: Mapping[str, str] | None = None,
    *,
    writes_states: bool = True,
) -> Message | None:
    """Pass on the start of a run, kill the idle target, and return its last STATE.

    Some targets write no STATE before the end of a run: `writes_states`.
    """
    part, states, log = folder / "part", folder / "states", folder / "log"
    read = folder / "part.read"
    read.unlink(missing_ok=True)
    part.write_text("".join(json.dumps(one) + "\n" for one in messages), "utf-8")
    config = Files(folder).write("target", settings)
    with (
        states.open("wb") as stdout,
        log.open("wb") as errors,
        running(["sh", "-c", KEEP_OPEN, part], stdout=subprocess.PIPE) as source,
        running(
            [*command, "--config", config],
            stdin=source.stdout,
            stdout=stdout,
            stderr=errors,
            env={**os.environ, **(variables or {})},
        ) as process,
    ):
        wait_until(lambda: read.exists() or process.poll() is not None)
        _wait_until_idle(states, process, is_to_grow=writes_states)
        assert process.poll() is None, log.read_text("utf-8")[-2_000:]
    written = states.read_text("utf-8").split("\n")[:-1]
    state: Message | None = json.loads(written[-1]) if written else None
    return state


def _wait_until_idle(
    file: Path, process: subprocess.Popen[bytes], *, is_to_grow: bool
) -> None:
    """Wait until a file has not grown for a second, or its writer has ended."""
    since = time.monotonic()
    end, size = since + 60, 0
    while time.monotonic() < since + 1 or (is_to_grow and not size):
        if process.poll() is not None or time.monotonic() > end:
            break
        time.sleep(0.05)
        if file.stat().st_size != size:
            size, since = file.stat().st_size, time.monotonic()
