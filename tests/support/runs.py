"""Runs of the tap, in this process or in a subprocess, and their output."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.singerlib import Catalog

from tap_gorgias.errors import StreamsFailedError
from tap_gorgias.streams import STREAMS
from tap_gorgias.tap import TapGorgias
from tests.support.fake_clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path


COMMAND = (sys.executable, "-m", "tap_gorgias")

DEFAULT_STREAMS = [one.name for one in STREAMS if one.selected_by_default]

LOOK_FOR_IMPORTS = 1
"""Requests for events of new tickets in each run of `tickets` except the first."""


@dataclass
class Output:
    """The Singer messages of a run."""

    messages: list[dict[str, Any]]
    clock: FakeClock = field(default_factory=FakeClock)

    @classmethod
    def parse(cls, text: str) -> Output:
        """Parse one message per line and ignore an incomplete last line."""
        *lines, _ = text.split("\n")
        try:
            return cls(list(map(msgspec.json.decode, lines)))
        except msgspec.DecodeError:  # a lone surrogate, which only this one accepts
            return cls(list(map(json.loads, lines)))

    def records(self, stream: str) -> list[dict[str, Any]]:
        """Return the records of a stream in output order."""
        return [
            message["record"]
            for message in self.messages
            if message["type"] == "RECORD" and message["stream"] == stream
        ]

    def ids(self, stream: str) -> list[int]:
        """Return the ids of a stream's records in output order."""
        return [record["id"] for record in self.records(stream)]

    @property
    def turns(self) -> int:
        """Count the uninterrupted sequences of records of one stream."""
        streams = (m["stream"] for m in self.messages if m["type"] == "RECORD")
        return sum(1 for _ in groupby(streams))

    @property
    def states(self) -> list[dict[str, Any]]:
        """Return the value of every STATE message."""
        return [m["value"] for m in self.messages if m["type"] == "STATE"]

    @property
    def state(self) -> dict[str, Any]:
        """Return the STATE that an orchestrator would pass to the next run."""
        return self.states[-1] if self.states else {}

    @property
    def schemas(self) -> dict[str, dict[str, Any]]:
        """Return the SCHEMA message of each stream."""
        return {m["stream"]: m for m in self.messages if m["type"] == "SCHEMA"}

    def bookmark(self, stream: str) -> dict[str, Any]:
        """Return the stream's entry in the last STATE."""
        entry: dict[str, Any] = self.state["bookmarks"].get(stream, {})
        return entry


def latest(stream: str, *outputs: Output) -> dict[int, dict[str, Any]]:
    """Return the last version of each record of one or more runs, by id."""
    return {row["id"]: row for output in outputs for row in output.records(stream)}


def catalog_of(
    *streams: str, config: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return a catalog that selects only these streams; `config` may add some."""
    catalog = _discover(config)
    for entry in catalog["streams"]:
        root = next(m for m in entry["metadata"] if not m["breadcrumb"])
        root["metadata"]["selected"] = entry["tap_stream_id"] in streams
    return catalog


def small_catalog(
    *streams: str, config: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return a catalog that has no other streams, which the tap reads sooner."""
    catalog = catalog_of(*streams, config=config)
    catalog["streams"] = [
        entry for entry in catalog["streams"] if entry["tap_stream_id"] in streams
    ]
    return catalog


def everything(config: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a catalog that selects all streams and all fields."""
    catalog = _discover(config)
    for entry in catalog["streams"]:
        for metadata in entry["metadata"]:
            metadata["metadata"]["selected"] = True
    return catalog


def _discover(config: Mapping[str, Any] | None) -> dict[str, Any]:
    catalog: dict[str, Any] = json.loads(_discovered(json.dumps(config)))
    return catalog


@functools.cache
def _discovered(config: str) -> str:
    settings = json.loads(config)
    tap = TapGorgias(config=settings or {}, validate_config=settings is not None)
    return tap.catalog_json_text


def run(
    config: Mapping[str, Any],
    *streams: str,
    state: dict[str, Any] | None = None,
    catalog: dict[str, Any] | None = None,
    clock: FakeClock | None = None,
    target: io.TextIOWrapper | None = None,
) -> Output:
    """Run the tap in this process, on a clock that needs no waiting.

    Args:
        config: Settings.
        streams: What to select; the default selection if none is named.
        state: STATE of an earlier run.
        catalog: A catalog, in place of the one that selects `streams`.
        clock: A clock to share with the sandbox.
        target: What to write to, in place of memory.

    Returns:
        All messages.

    Raises:
        PartialRun: With the messages so far, if the run fails.
    """
    if streams:
        with_streams = config if "statistics" in config else None
        catalog = small_catalog(*streams, config=with_streams)
    tap_clock = clock or FakeClock()

    class Tap(TapGorgias):
        """The tap on the fake clock."""

    Tap.clock = tap_clock
    others = threading.enumerate()
    with captured(target) as stdout:
        try:
            tap = Tap(
                config=dict(config),
                state=json.loads(json.dumps(state)) if state else None,
                catalog=Catalog.from_dict(catalog) if catalog else None,
            )
            try:
                tap.sync_all()
            finally:
                _join_threads_of(tap, others)
                tap.run.close()
        except StreamsFailedError as error:
            failed = tap.run.runner.failures if tap.run.runner else ()
            output = Output.parse(text_of(stdout))
            raise PartialRun(output, failed) from error.__cause__
        except Exception as error:
            raise PartialRun(Output.parse(text_of(stdout))) from error
    output = Output.parse(text_of(stdout))
    output.clock = tap_clock
    return output


def _join_threads_of(tap: TapGorgias, others: Collection[threading.Thread]) -> None:
    """Wait for stream threads, so that they do not disturb the next run."""
    # One that waits for the others does so for ever if the run was stopped.
    waiting = tap.run.runner._waiting if tap.run.runner else ()  # noqa: SLF001
    for thread in threading.enumerate():
        if thread.name in tap.streams.keys() - waiting and thread not in others:
            thread.join(10)


class PartialRun(Exception):  # noqa: N818 (a result as much as a failure)
    """A failed run; `__cause__` is the error of the first stream that failed."""

    def __init__(self, output: Output, failed: Iterable[str] = ()) -> None:
        super().__init__("The run failed.")
        self.output = output
        self.failed = set(failed)
        """The streams that failed; empty if that ended the run."""


@contextlib.contextmanager
def captured(target: io.TextIOWrapper | None = None) -> Iterator[io.TextIOWrapper]:
    """Capture stdout, including bytes written to its buffer."""
    stdout = target or io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with contextlib.redirect_stdout(stdout):
        yield stdout


def text_of(stdout: io.TextIOWrapper) -> str:
    """Return the text written to a captured stdout."""
    stdout.flush()
    buffer = stdout.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()


@dataclass
class Files:
    """The files that a command line of the tap takes."""

    folder: Path

    def arguments(
        self,
        config: Mapping[str, Any],
        streams: Iterable[str] = (),
        state: Mapping[str, Any] | None = None,
        catalog: Mapping[str, Any] | None = None,
    ) -> list[str]:
        """Write the files and return the command line."""
        contents: dict[str, Any] = {"config": config}
        if streams:
            catalog = catalog_of(*streams)
        if catalog:
            contents["catalog"] = catalog
        if state:
            contents["state"] = state
        command = [*COMMAND]
        for name, content in contents.items():
            command += [f"--{name}", str(self.write(name, content))]
        return command

    def write(self, name: str, content: Mapping[str, Any]) -> Path:
        """Write a JSON file and return its path."""
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(content))
        return path


def batches_of(rows: int, folder: Path) -> dict[str, Any]:
    """Return a `batch_config` for files of a given number of rows."""
    return {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": folder.as_uri()},
        "batch_size": rows,
    }


def run_command(
    command: Sequence[str], folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to completion and capture stdout and stderr."""
    return subprocess.run(  # noqa: S603 (our own command)
        command, capture_output=True, text=True, check=False, timeout=1_800, cwd=folder
    )
