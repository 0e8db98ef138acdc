"""Load each target and compare the row counts: `python -m tests.targets`."""

from __future__ import annotations

import contextlib
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

if TYPE_CHECKING:
    from tests.support.runs import Output


def main() -> None:
    """Load all streams twice, as the tests do, and count rows by key."""
    streams = sorted(stream.name for stream in STREAMS)
    with contextlib.ExitStack() as stack:
        filled, planted = shop.planted_shop()
        sandbox = stack.enter_context(Sandbox(filled))
        folders = [
            Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in LOADED
        ]
        targets = [
            target_of(name, folder, stack)
            for name, folder in zip(LOADED, folders, strict=True)
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
        heads = ["stream", "shop", *LOADED]
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
