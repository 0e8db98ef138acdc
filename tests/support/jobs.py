"""A folder for `scripts/load.sh`, with small commands in place of a target."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.documents import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = ROOT / "scripts" / "load.sh"

TAP = f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m tap_gorgias "$@"\n'
TARGET = f"""#!{sys.executable}
import json, sys
print("INFO Loading.", file=sys.stderr)
for line in sys.stdin:
    message = json.loads(line)
    if message["type"] == "STATE":
        print(json.dumps(message["value"]))
"""


@dataclass
class Folder:
    """A folder with the files of a job, and the commands where users install them."""

    path: Path

    def write(self, name: str, content: str, *, executable: bool = False) -> None:
        """Write a file."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        file.chmod(0o755 if executable else 0o644)

    def write_commands(self, tap: str = TAP, target: str = TARGET) -> None:
        """Install a tap and a target."""
        self.write(".venv/bin/tap-gorgias", tap, executable=True)
        self.write(".venv-target/bin/target-duckdb", target, executable=True)

    def load(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the script in the environment that cron gives it."""
        return subprocess.run(  # noqa: S603
            [str(SCRIPT), str(self.path)],
            env={"PATH": "/usr/bin:/bin", **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def states(self) -> list[Any]:
        """The lines of the file of states."""
        lines = (self.path / "states.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    @property
    def state(self) -> Any:  # noqa: ANN401
        """The state from which the last run began."""
        return json.loads((self.path / "state.json").read_text())

    def age_lock(self, hours: int) -> None:
        """Pretend that the last run began some hours ago."""
        began = time.time() - hours * 3_600
        os.utime(self.path / "lock", (began, began))
