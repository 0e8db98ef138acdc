"""Load targets and compare what arrives.

    python -m tests.targets                 all targets that the tests load
    python -m tests.targets target-duckdb   one of them
    python -m tests.targets --try 'target-csv==0.3.0' --config file.json --read command

The last form tries any other target; CONTRIBUTING.md explains it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tap_gorgias.streams import STREAMS
from tests.sandbox import Sandbox
from tests.targets import shop
from tests.targets.environments import LOADED
from tests.targets.loading import load, target_of
from tests.targets.target import latest
from tests.targets.trying import Trial, attempt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.runs import Output


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser("python -m tests.targets")
    parser.add_argument("names", nargs="*", metavar="target", help=", ".join(LOADED))
    parser.add_argument("--try", dest="requirement", help="what pip installs")
    parser.add_argument("--config", type=Path, help="settings of the target")
    parser.add_argument("--read", help="command that reads the rows back")
    parser.add_argument("--python", default=sys.executable, help="its interpreter")
    parser.add_argument("--command", help="its command, if it has several")
    parser.add_argument("--tap-config", type=Path, help="settings of the tap")
    given = parser.parse_args()
    if given.requirement is None:
        if unknown := set(given.names) - set(LOADED):
            parser.error(f"no such target: {', '.join(sorted(unknown))}")
        count_rows([name for name in LOADED if name in (given.names or LOADED)])
        return
    if given.config is None or given.read is None:
        parser.error("--try needs --config and --read")
    trial = Trial(
        given.requirement,
        json.loads(given.config.read_text("utf-8")),
        given.read,
        given.python,
        given.command,
        json.loads(given.tap_config.read_text("utf-8")) if given.tap_config else {},
    )
    with tempfile.TemporaryDirectory() as folder:
        for result in attempt(trial, trial.executable(), Path(folder)):
            sys.stdout.write(result.render())
            sys.stdout.flush()


def count_rows(names: Sequence[str]) -> None:
    """Load all streams twice, as the tests do, and count rows by key."""
    streams = sorted(stream.name for stream in STREAMS)
    with contextlib.ExitStack() as stack:
        filled, planted = shop.planted_shop()
        sandbox = stack.enter_context(Sandbox(filled))
        folders = [
            Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in names
        ]
        targets = [
            target_of(name, folder, stack)
            for name, folder in zip(names, folders, strict=True)
        ]
        outputs: list[Output] = []
        seconds: list[list[float]] = [[], []]
        for target, folder in zip(targets, folders, strict=True):
            began = time.monotonic()
            outputs.append(load(target, sandbox.config, folder))
            seconds[0].append(time.monotonic() - began)
        shop.change(filled, planted)
        for target, folder, before in zip(targets, folders, outputs, strict=True):
            began = time.monotonic()
            load(target, sandbox.config, folder, before.state)
            seconds[1].append(time.monotonic() - began)
        rows = [target.rows(*streams) for target in targets]
        heads = ["stream", "shop", *names]
        sys.stdout.write("".join(head.ljust(24) for head in heads) + "\n")
        for stream in streams:
            keys = outputs[0].schemas[stream]["key_properties"]
            counts = [
                len(shop.keys(filled, stream)),
                *(len(latest(found[stream], keys)) for found in rows),
            ]
            cells = [stream, *(str(count) for count in counts)]
            sys.stdout.write("".join(cell.ljust(24) for cell in cells) + "\n")
        for name, taken in zip(("first", "second"), seconds, strict=True):
            cells = [f"s, {name} run", "", *(f"{one:.1f}" for one in taken)]
            sys.stdout.write("".join(cell.ljust(24) for cell in cells) + "\n")


if __name__ == "__main__":
    main()
