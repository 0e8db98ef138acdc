"""With BATCH files, STATE is not written before the rows of its records."""

from __future__ import annotations

import errno
import gzip
import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tap_gorgias.errors import OutputError
from tests.sandbox import Fault, Request, Sandbox, Shop
from tests.support.runs import Files, Output, PartialRun, batches_of, run

if TYPE_CHECKING:
    from pathlib import Path

ROWS_A_BATCH = 250


@pytest.fixture
def shop() -> Shop:
    """A shop with seven pages of tickets and of events."""
    return Shop(seed=8, tickets=650, events=650)


def ids_in(output: Output) -> set[int]:
    """Return the ids of the rows in all files that BATCH messages name."""
    ids = set()
    for message in output.messages:
        for name in message.get("manifest", ()):
            with gzip.open(urlsplit(name).path, "rt") as file:
                ids |= {json.loads(line)["id"] for line in file}
    return ids


@pytest.mark.parametrize("stream", ["tickets", "events"])
@pytest.mark.parametrize("page", [2, 4, 6])
def test_the_state_after_a_signal_covers_only_written_batches(
    sandbox: Sandbox, tmp_path: Path, stream: str, page: int
) -> None:
    """Rows that were waiting for their file are read by the next run."""
    config: dict[str, Any] = {
        **sandbox.config,
        "batch_config": batches_of(ROWS_A_BATCH, tmp_path),
    }
    command = Files(tmp_path).arguments(config, [stream])
    requests = 0

    def stop(_: Shop, __: Request) -> None:
        nonlocal requests
        requests += 1
        if requests == page:
            os.kill(process.pid, signal.SIGTERM)

    sandbox.before_request(stop)
    with subprocess.Popen(  # noqa: S603 (our own command)
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        cut_short = Output.parse(process.communicate()[0])
    assert process.returncode == 128 + signal.SIGTERM

    rest = run(config, stream, state=cut_short.state)

    collection = getattr(sandbox.shop, stream)
    assert ids_in(cut_short) | ids_in(rest) == set(collection.ids())


def test_a_stream_that_fails_delivers_what_it_has_read(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """As without BATCH, and the next run goes on where it stopped."""
    sandbox.faults.add(Fault.error(403), "/api/tickets", after=4, times=10_000)
    config = {**sandbox.config, "batch_config": batches_of(10_000, tmp_path)}
    with pytest.raises(PartialRun) as failed:
        run(config, "tickets")
    first = failed.value.output
    sandbox.faults.clear()
    second = run(config, "tickets", state=first.state)

    assert len(ids_in(first)) == 400
    assert ids_in(first) | ids_in(second) == {*sandbox.shop.tickets.ids()}
    assert len(ids_in(second)) < 400


def test_a_file_that_cannot_be_written_ends_the_run(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is as full for the other streams."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("singer_sdk.batch.Batcher.get_batches", fail)
    config = {**sandbox.config, "batch_config": batches_of(ROWS_A_BATCH, tmp_path)}
    with pytest.raises(PartialRun) as failed:
        run(config, "tickets", "events")

    assert isinstance(failed.value.__cause__, OutputError)
    assert "No space left" in str(failed.value.__cause__)
