"""Try a target that the tests do not know: `python -m tests.targets --try`.

It is installed, loads two runs with an hour of changes and new columns between them, is
killed in the middle of a load, and loads the rest from its last STATE. Its rows are
read back after each load, and compared value by value.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_gorgias.streams import STREAMS
from tests.sandbox import Sandbox
from tests.support.runs import Files, Output, catalog_of, everything, run_command
from tests.targets import shop
from tests.targets.environments import FOLDER
from tests.targets.explaining import difference
from tests.targets.killing import state_of_killed
from tests.targets.processes import output_of, run_pipe
from tests.targets.target import Row, latest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.targets.shop import Key

ALL = sorted(stream.name for stream in STREAMS)
KILLED = ("customers", "events", "tags", "ticket_messages", "tickets")
EMPTY_STATE: dict[str, Any] = {"bookmarks": {}}


@dataclass(frozen=True)
class Trial:
    """A target to try.

    Attributes:
        requirement: What pip installs, for example `target-csv==0.3.0`.
        config: Settings; `{folder}` in a text is replaced by a folder for files, and
            `{name}` by a name that is unique for each place that is loaded.
        read: A command that gets the path of the settings, and writes a line for each
            row: the stream, a tab, and the row as JSON.
        python: The interpreter that the target needs.
        command: The target's command, if the requirement has several.
        tap_config: Settings of the tap, for example flattening.
    """

    requirement: str
    config: Mapping[str, Any]
    read: str
    python: str = sys.executable
    command: str | None = None
    tap_config: Mapping[str, Any] | None = None

    def executable(self) -> Path:
        """Install the target, unless it is, and return its command.

        Raises:
            SystemExit: If it has no command, or several.
        """
        text = f"{self.python} {self.requirement}"
        folder = FOLDER / f"tried-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        if not (folder / "installed").exists():
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([self.python, "-m", "venv", str(folder)], check=True)  # noqa: S603
            pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
            subprocess.run([*pip, *self.requirement.split()], check=True)  # noqa: S603
            (folder / "installed").touch()
        pattern = self.command or "target-*"
        commands = sorted((folder / "bin").glob(pattern))
        if len(commands) != 1:
            names = ", ".join(path.name for path in commands) or "none"
            message = f"Name the command with --command; there are: {names}."
            raise SystemExit(message)
        return commands[0]

    def settings(self, folder: Path, name: str) -> dict[str, Any]:
        """Return the settings for one place."""
        text = json.dumps(self.config)
        text = text.replace("{folder}", str(folder)).replace("{name}", name)
        settings: dict[str, Any] = json.loads(text)
        return settings

    def rows(self, folder: Path, name: str) -> dict[str, list[Row]]:
        """Read the rows of all streams back."""
        path = Files(folder).write("target", self.settings(folder, name))
        output = output_of([*self.read.split(), str(path)])
        found: dict[str, list[Row]] = {}
        for line in output.split("\n")[:-1]:
            stream, _, row = line.partition("\t")
            found.setdefault(stream, []).append(json.loads(row))
        return found


def attempt(trial: Trial, folder: Path) -> Iterator[str]:
    """Try a target.

    Args:
        trial: The target.
        folder: An empty folder.

    Yields:
        Lines of the report.
    """
    target = trial.executable()
    with contextlib.ExitStack() as stack:
        filled, planted = shop.planted_shop()
        sandbox = stack.enter_context(Sandbox(filled))
        config = {**sandbox.config, **(trial.tap_config or {})}
        outputs: list[Output] = []
        for number, catalog in enumerate((catalog_of(*ALL), everything()), 1):
            state = outputs[-1].state if outputs else None
            output, _ = _load(trial, target, config, folder, "loaded", catalog, state)
            outputs.append(output)
            rows = trial.rows(folder, "loaded")
            yield from _report(f"run {number}", outputs, rows, ALL)
            shop.change(filled, planted)
        yield from _kill(trial, target, config, folder)


def _load(
    trial: Trial,
    target: Path,
    config: Mapping[str, Any],
    folder: Path,
    name: str,
    catalog: Mapping[str, Any],
    state: Mapping[str, Any] | None,
) -> tuple[Output, str]:
    settings = Files(folder).write("target", trial.settings(folder, name))
    return run_pipe(
        Files(folder).arguments(config, state=state, catalog=catalog),
        [target, "--config", settings],
        folder,
        os.environ,
    )


def _kill(
    trial: Trial, target: Path, config: Mapping[str, Any], folder: Path
) -> Iterator[str]:
    place = folder / "killed"
    place.mkdir()
    catalog = catalog_of(*KILLED)
    done = run_command(Files(place).arguments(config, catalog=catalog))
    whole = Output.parse(done.stdout)
    state = state_of_killed(
        [target],
        trial.settings(place, "killed"),
        whole.messages[: len(whole.messages) * 2 // 3],
        place,
        writes_states=False,
    )
    _load(trial, target, config, place, "killed", catalog, state)
    kept = "no STATE" if not state else "a STATE"
    label = f"after a kill with {kept} and a resume"
    yield from _report(label, [whole], trial.rows(place, "killed"), KILLED)


def _report(
    label: str,
    outputs: Sequence[Output],
    rows: Mapping[str, list[Row]],
    streams: Sequence[str],
) -> Iterator[str]:
    reasons: Counter[str] = Counter()
    examples: dict[str, str] = {}
    expected_keys = found_keys = values = 0
    for stream in streams:
        message = outputs[-1].schemas[stream]
        keys, columns = message["key_properties"], message["schema"]["properties"]
        written: dict[Key, Row] = latest(
            [row for output in outputs for row in output.records(stream)], keys
        )
        arrived = {
            tuple(map(str, key)): row
            for key, row in latest(rows.get(stream, []), keys).items()
        }
        expected_keys += len(written)
        for key, row in written.items():
            found = arrived.get(tuple(map(str, key)))
            found_keys += found is not None
            for name, column in columns.items() if found else ():
                values += 1
                if reason := difference(column, row.get(name), (found or {}).get(name)):
                    reasons[reason] += 1
                    examples.setdefault(reason, f"{stream}.{name}")
    yield f"{label}: {found_keys} of {expected_keys} keys, {values} values"
    for reason, count in reasons.most_common():
        yield f"  {count:8} {reason}, e.g. {examples[reason]}"
