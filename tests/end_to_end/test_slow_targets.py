"""A target that reads slowly, or not at all, gets whole lines and delays no end."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING

import pytest

from tests.sandbox import Sandbox, Shop
from tests.support.runs import Files, Output

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into pipes")

TICKETS = 2000
"""More than fit into the largest pipe."""


@pytest.fixture
def shop() -> Shop:
    """A shop whose tickets do not fit into a pipe."""
    return Shop(seed=8, tickets=TICKETS, messages_per_ticket=0)


@pytest.fixture
def process(sandbox: Sandbox, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A run whose pipe is full."""
    command = Files(tmp_path).arguments(sandbox.config, ["tickets"])
    process = subprocess.Popen(  # noqa: S603 (our own command)
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    filled = -1
    while unread(process) != filled or filled == 0:
        filled = unread(process)
        time.sleep(0.5)
    yield process
    process.kill()
    process.communicate()


def unread(process: subprocess.Popen[bytes]) -> int:
    """Return how many bytes wait in the pipe."""
    assert process.stdout
    count = bytearray(4)
    fcntl.ioctl(process.stdout, termios.FIONREAD, count)
    return int.from_bytes(count, sys.byteorder)


def whole_lines(process: subprocess.Popen[bytes]) -> Output:
    """Read the output to its end, and check that each line is complete."""
    text = process.communicate(timeout=60)[0].decode()
    assert text.endswith("\n")
    for line in text.splitlines():
        json.loads(line)
    return Output.parse(text)


def test_a_process_that_is_stopped_and_continued_loses_nothing(
    process: subprocess.Popen[bytes], sandbox: Sandbox
) -> None:
    """A write that is interrupted goes on where it stopped."""
    assert process.stdout
    read = b""
    for _ in range(6):
        process.send_signal(signal.SIGSTOP)
        read += os.read(process.stdout.fileno(), 100_000)
        process.send_signal(signal.SIGCONT)
        time.sleep(0.1)
    rest = process.communicate(timeout=60)[0]

    output = Output.parse((read + rest).decode())
    assert process.returncode == 0
    assert sorted(output.ids("tickets")) == sorted(sandbox.shop.tickets.ids())


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)]
)
def test_a_signal_ends_the_run_although_nobody_reads(
    process: subprocess.Popen[bytes], number: signal.Signals, code: int
) -> None:
    """Ten seconds later, with the documented exit code."""
    began = time.monotonic()
    process.send_signal(number)

    assert process.wait(timeout=30) == code
    assert 5 < time.monotonic() - began < 20
    output = whole_lines(process)
    assert 0 < len(output.ids("tickets")) < TICKETS


def test_a_second_signal_does_not_wait_and_leaves_whole_lines(
    process: subprocess.Popen[bytes],
) -> None:
    """The exit code is the same."""
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)

    assert process.wait(timeout=30) == 143
    assert time.monotonic() - began < 5
    whole_lines(process)


def test_a_target_that_reads_again_gets_the_last_state(
    process: subprocess.Popen[bytes],
) -> None:
    """The wait for it was not in vain."""
    process.send_signal(signal.SIGTERM)
    output = whole_lines(process)

    assert process.returncode == 143
    assert output.messages[-1]["type"] == "STATE"
    assert output.bookmark("tickets")["walk"]["cursor"]
