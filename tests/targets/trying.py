"""Try a target that the tests do not know: `python -m tests.targets --try`.

It is installed, loads two runs with an hour of changes and new columns between them, is
killed in the middle of a load, and loads the rest from its last STATE. Its rows are
read back after each load, and compared value by value.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
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
        variables: Environment variables of the target.
    """

    requirement: str
    config: Mapping[str, Any]
    read: str
    python: str = sys.executable
    command: str | None = None
    tap_config: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)

    def executable(self) -> Path:
        """Install the target, unless it is, and return its command."""
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


@dataclass(frozen=True)
class Result:
    """What had arrived after a load.

    Attributes:
        load: Which load it was.
        keys: The number of rows that the tap wrote.
        missing: The number of rows that are not in the target.
        values: The number of values that were compared.
        differences: The number of values that differ, by reason.
        examples: A column for each reason.
    """

    load: str
    keys: int
    missing: int
    values: int
    differences: Mapping[str, int]
    examples: Mapping[str, str]

    def render(self) -> str:
        """Return the lines of a report."""
        arrived, different = self.keys - self.missing, sum(self.differences.values())
        text = f"{self.load}: {arrived} of {self.keys} keys, "
        text += f"{different} of {self.values} values differ\n"
        for reason, count in self.differences.items():
            text += f"{count:10} {reason}, for example {self.examples[reason]}\n"
        return text


def attempt(trial: Trial, target: Path, folder: Path) -> Iterator[Result]:
    """Try a target in an empty folder, and yield the result of each load."""
    with contextlib.ExitStack() as stack:
        filled, planted = shop.planted_shop()
        sandbox = stack.enter_context(Sandbox(filled))
        config = {**sandbox.config, **trial.tap_config}
        outputs: list[Output] = []
        for number, catalog in enumerate((catalog_of(*ALL), everything()), 1):
            state = outputs[-1].state if outputs else None
            outputs.append(_load(trial, target, config, folder, catalog, state))
            yield _compare(f"run {number}", outputs, trial.rows(folder, "loaded"), ALL)
            shop.change(filled, planted)
        yield _kill(trial, target, config, folder / "killed")


def _load(
    trial: Trial,
    target: Path,
    config: Mapping[str, Any],
    folder: Path,
    catalog: Mapping[str, Any],
    state: Mapping[str, Any] | None,
    name: str = "loaded",
) -> Output:
    (folder / name).mkdir(exist_ok=True)
    settings = Files(folder).write("target", trial.settings(folder, name))
    output, _ = run_pipe(
        Files(folder).arguments(config, state=state, catalog=catalog),
        [target, "--config", settings],
        folder,
        trial.variables,
    )
    return output


def _kill(
    trial: Trial, target: Path, config: Mapping[str, Any], folder: Path
) -> Result:
    (folder / "killed").mkdir(parents=True)
    catalog = catalog_of(*KILLED)
    done = run_command(Files(folder).arguments(config, catalog=catalog))
    whole = Output.parse(done.stdout)
    state = state_of_killed(
        [target],
        trial.settings(folder, "killed"),
        whole.messages[: len(whole.messages) * 2 // 3],
        folder,
        trial.variables,
        writes_states=False,
    )
    _load(trial, target, config, folder, catalog, state, "killed")
    label = f"after a kill with {'a' if state else 'no'} STATE, and a resume"
    return _compare(label, [whole], trial.rows(folder, "killed"), KILLED)


def _compare(
    label: str,
    outputs: Sequence[Output],
    rows: Mapping[str, list[Row]],
    streams: Sequence[str],
) -> Result:
    reasons: Counter[str] = Counter()
    examples: dict[str, str] = {}
    expected = missing = values = 0
    for stream in streams:
        message = outputs[-1].schemas[stream]
        keys, columns = message["key_properties"], message["schema"]["properties"]
        records = [row for output in outputs for row in output.records(stream)]
        written = _by_text_of_key(records, keys)
        arrived = _by_text_of_key(rows.get(stream, []), keys)
        expected += len(written)
        missing += len(written.keys() - arrived.keys())
        for key in written.keys() & arrived.keys():
            row, found = written[key], arrived[key]
            values += len(columns)
            for name, column in columns.items():
                if reason := difference(column, row.get(name), found.get(name)):
                    reasons[reason] += 1
                    examples.setdefault(reason, f"{stream}.{name}")
    counts = dict(reasons.most_common())
    return Result(label, expected, missing, values, counts, examples)


def _by_text_of_key(rows: Sequence[Row], keys: Sequence[str]) -> dict[Key, Row]:
    """Return the last version of each row; files hold numbers as text."""
    return {tuple(map(str, key)): row for key, row in latest(rows, keys).items()}
