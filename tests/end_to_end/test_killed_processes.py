"""Runs resume after the process was killed or the target has closed the pipe."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox import Request, Sandbox, Shop
from tests.support.runs import (
    Files,
    Output,
    latest,
    run,
    run_command,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


@pytest.fixture
def shop() -> Shop:
    """A shop with seven pages of tickets."""
    return Shop(seed=8, tickets=650, customers=330)


def start(command: list[str], stdout: Path) -> subprocess.Popen[bytes]:
    """Start the tap in a new process."""
    with stdout.open("wb") as out:
        return subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE)  # noqa: S603


@pytest.mark.parametrize(
    ("number", "exit_code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)]
)
def test_a_signal_ends_the_run_between_two_lines(
    sandbox: Sandbox, tmp_path: Path, number: signal.Signals, exit_code: int
) -> None:
    """The output has only whole lines, and its last STATE is valid."""
    processes: list[subprocess.Popen[bytes]] = []

    def stop(_shop: Shop, request: Request) -> None:
        if request.path == "/api/tickets" and sandbox.count("/api/tickets") == 3:
            processes[0].send_signal(number)

    sandbox.before_request(stop)
    command = Files(tmp_path).arguments(sandbox.config, ["tickets"])
    out = tmp_path / "out.jsonl"
    processes.append(start(command, out))

    _, log = processes[0].communicate(timeout=60)

    text = out.read_text()
    assert processes[0].returncode == exit_code
    assert text.endswith("\n")
    assert b"Stopped by a signal" in log
    assert b"Traceback" not in log
    first = Output.parse(text)
    second = run(sandbox.config, "tickets", state=first.state)
    assert set(latest("tickets", first, second)) == set(sandbox.shop.tickets.ids())


class KilledRuns:
    """Runs of the tap that are killed while the shop changes."""

    def __init__(self, sandbox: Sandbox, change: Callable[[], None]) -> None:
        self.outputs: list[Output] = []
        self.state: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._requests_left = 0
        self._change = change
        self._shop = sandbox.shop
        sandbox.before_request(self._before_request)

    def run(
        self,
        config: Mapping[str, Any],
        streams: Iterable[str],
        folder: Path,
        *,
        requests: int,
    ) -> int:
        """Run the tap, kill it at a request, and return its exit code.

        A run that sends fewer requests is not killed.
        """
        self._requests_left = requests
        out = folder / "out.jsonl"
        command = Files(folder).arguments(config, streams, self.state)
        self._process = start(command, out)
        self._process.communicate(timeout=60)
        exit_code = 0 if self._requests_left else -signal.SIGKILL
        assert self._process.returncode == exit_code
        self._requests_left = 0
        self.outputs.append(Output.parse(out.read_text()))
        self.state = self.outputs[-1].state or self.state
        return exit_code

    def _before_request(self, _shop: Shop, _request: Request) -> None:
        if self._requests_left:
            with self._shop.lock:
                self._change()
            self._requests_left -= 1
            if not self._requests_left and self._process:
                self._process.kill()


def test_runs_killed_at_any_time_lose_nothing(tmp_path: Path) -> None:
    """Processes are killed by SIGKILL while tickets change."""
    chance = random.Random(14)  # noqa: S311 (the same history each time)
    for history in range(2):
        shop = Shop(seed=history, tickets=620, customers=10, messages_per_ticket=0)
        with Sandbox(shop) as sandbox:
            assert_nothing_is_lost(sandbox, chance, tmp_path)


def assert_nothing_is_lost(
    sandbox: Sandbox, chance: random.Random, folder: Path
) -> None:
    """Kill runs while tickets change, and compare their output with the shop."""
    shop = sandbox.shop

    def change_tickets() -> None:
        for _ in range(chance.randrange(4)):
            shop.advance(chance.random() * 100)
            shop.tickets.update(chance.choice(shop.tickets.ids()), subject="Changed")

    runs = KilledRuns(sandbox, change_tickets)
    exit_codes = [
        runs.run(sandbox.config, ["tickets"], folder, requests=chance.randrange(2, 5))
        for _ in range(4)
    ]
    assert exit_codes[0] == -signal.SIGKILL  # it needs seven requests
    assert runs.run(sandbox.config, ["tickets"], folder, requests=10_000) == 0
    last = run(sandbox.config, "tickets", state=runs.state)

    rows = latest("tickets", *runs.outputs, last)
    assert {row["id"]: row["subject"] for row in shop.tickets.rows()} == {
        ticket: record["subject"] for ticket, record in rows.items()
    }


SIX = ("customers", "events", "ticket_details", "ticket_messages", "tickets", "tags")


@pytest.mark.parametrize("seed", range(2))
def test_six_streams_killed_at_any_time_lose_nothing(tmp_path: Path, seed: int) -> None:
    """They are read in parallel, their rows interleave, and they change meanwhile."""
    chance = random.Random(seed)  # noqa: S311 (the same history each time)
    shop = Shop(
        seed=seed, tickets=230, customers=230, events=230, messages_per_ticket=1
    )
    with Sandbox(shop) as sandbox:
        config = {**sandbox.config, "ticket_messages_settle_hours": 0}
        runs = KilledRuns(sandbox, lambda: change(shop, chance))
        exit_codes = [
            runs.run(config, SIX, tmp_path, requests=chance.randrange(4, 60))
            for _ in range(4)
        ]
        outputs = [*runs.outputs, run(config, *SIX, state=runs.state)]

    assert exit_codes == [-signal.SIGKILL] * 4
    assert any(output.turns > len(SIX) for output in outputs)
    for stream, rows, field in (
        ("customers", shop.customers, "name"),
        ("ticket_details", shop.tickets, "subject"),
        ("tickets", shop.tickets, "subject"),
        ("ticket_messages", shop.messages, "ticket_id"),
        ("events", shop.events, "type"),
        ("tags", shop.tags, "name"),
    ):
        read = {key: row[field] for key, row in latest(stream, *outputs).items()}
        assert read == {row["id"]: row[field] for row in rows.rows()}, stream


def change(shop: Shop, chance: random.Random) -> None:
    """Change or create a ticket, a message or a customer."""
    shop.advance(chance.random() * 100)
    ticket = chance.choice(shop.tickets.ids())
    customer = chance.choice(shop.customers.ids())
    chance.choice(
        (
            lambda: shop.tickets.update(ticket, subject=f"Changed {chance.random()}"),
            lambda: shop.customers.update(customer, name=f"Changed {chance.random()}"),
            lambda: shop.messages.create(ticket),
            shop.tickets.create,
            lambda: None,
        )
    )()


def test_a_closed_pipe_ends_the_run_with_one_line(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """A broken pipe is not reported as a crash."""
    command = Files(tmp_path).arguments(sandbox.config, ["tickets"])
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = subprocess.Popen(  # noqa: S603
        command, stdout=write_end, stderr=subprocess.PIPE, text=True
    )
    os.close(write_end)

    _, log = process.communicate(timeout=60)

    assert process.returncode == 1
    assert log.count("Cannot write to the target: Broken pipe.") == 1
    assert "Traceback" not in log
    assert "Exception ignored" not in log


@pytest.mark.parametrize("options", [[], ["--test=schema"]], ids=["run", "schemas"])
def test_a_closed_stdout_ends_the_run_with_one_line(
    sandbox: Sandbox, tmp_path: Path, options: list[str]
) -> None:
    """As a scheduler may start it."""
    command = [*Files(tmp_path).arguments(sandbox.config, ["tickets"]), *options]

    result = run_command(["/bin/sh", "-c", '"$@" >&-', "sh", *command])

    assert result.returncode == 1
    assert result.stderr.count("Cannot write to the target: stdout is closed.") == 1
    assert "Unexpected" not in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_ends_the_run_with_one_line(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """The last STATE that was written is sufficient for the next run."""
    command = Files(tmp_path).arguments(sandbox.config, ["tickets"])

    result = run_command([sys.executable, "-c", _INTO_FULL_DISK, *command[1:]])

    assert result.returncode == 1
    assert result.stderr.count("Cannot write to the target: No space left") == 1
    assert "Traceback" not in result.stderr


_INTO_FULL_DISK = """
import subprocess, sys
with open("/dev/full", "wb") as full:
    sys.exit(subprocess.call([sys.executable, *sys.argv[1:]], stdout=full))
"""
