"""Processes that are killed, or whose target goes away: the next run goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox import Request, Sandbox, Shop
from tests.support.runs import (
    Files,
    Output,
    latest,
    run,
    run_command,
)


@pytest.fixture
def shop() -> Shop:
    """A shop with seven pages of tickets."""
    return Shop(seed=8, tickets=650, customers=330)


def start(command: list[str], stdout: Path) -> subprocess.Popen[bytes]:
    """Start the tap in a process of its own."""
    with stdout.open("wb") as out:
        return subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE)  # noqa: S603


@pytest.mark.parametrize(
    ("number", "exit_code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)]
)
def test_a_signal_ends_the_run_between_two_lines(
    sandbox: Sandbox, tmp_path: Path, number: signal.Signals, exit_code: int
) -> None:
    """What came out is whole lines, the last STATE is good, the code is not 0."""
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


def test_runs_killed_at_any_moment_lose_nothing(tmp_path: Path) -> None:
    """Real processes, real HTTP, SIGKILL, and a shop that changes meanwhile."""
    chance = random.Random(14)  # noqa: S311 (the same history each time)
    for history in range(6):
        shop = Shop(seed=history, tickets=620, customers=10, messages_per_ticket=0)
        with Sandbox(shop) as sandbox:
            assert_nothing_is_lost(sandbox, chance, tmp_path)


def assert_nothing_is_lost(
    sandbox: Sandbox, chance: random.Random, folder: Path
) -> None:
    """Kill runs while tickets change; then compare what came out with the shop."""
    shop = sandbox.shop
    running: list[subprocess.Popen[bytes]] = []
    deadline = [0]

    def live(_shop: Shop, _request: Request) -> None:
        if deadline[0] == 0:
            return
        for _ in range(chance.randrange(4)):
            shop.advance(chance.random() * 100)
            shop.tickets.update(chance.choice(shop.tickets.ids()), subject="Changed")
        deadline[0] -= 1
        if deadline[0] == 0:
            running[-1].kill()

    sandbox.before_request(live)
    outputs: list[Output] = []
    state: dict[str, Any] = {}
    for kills in range(5):
        deadline[0] = chance.randrange(2, 5) if kills < 4 else 10_000
        command = Files(folder).arguments(sandbox.config, ["tickets"], state)
        out = folder / "out.jsonl"
        running.append(start(command, out))
        running[-1].communicate(timeout=60)
        outputs.append(Output.parse(out.read_text()))
        state = outputs[-1].state or state
    assert running[-1].returncode == 0
    deadline[0] = 0
    outputs.append(run(sandbox.config, "tickets", state=state))

    rows = latest("tickets", *outputs)
    assert {row["id"]: row["subject"] for row in shop.tickets.rows()} == {
        ticket: record["subject"] for ticket, record in rows.items()
    }


SIX = ("customers", "events", "ticket_details", "ticket_messages", "tickets", "tags")


@pytest.mark.parametrize("seed", range(3))
def test_six_streams_killed_at_any_moment_lose_nothing(
    tmp_path: Path, seed: int
) -> None:
    """They are read at once, their rows interleave, and they change meanwhile."""
    chance = random.Random(seed)  # noqa: S311 (the same history each time)
    shop = Shop(
        seed=seed, tickets=230, customers=230, events=230, messages_per_ticket=1
    )
    with Sandbox(shop) as sandbox:
        config = {**sandbox.config, "ticket_messages_settle_hours": 0}
        running: list[subprocess.Popen[bytes]] = []
        deadline = [0]

        def live(_shop: Shop, _request: Request) -> None:
            if deadline[0]:
                with shop.lock:
                    change(shop, chance)
                deadline[0] -= 1
                if deadline[0] == 0:
                    running[-1].kill()

        sandbox.before_request(live)
        outputs: list[Output] = []
        state: dict[str, Any] = {}
        for _ in range(4):
            deadline[0] = chance.randrange(4, 60)
            out = tmp_path / "out.jsonl"
            command = Files(tmp_path).arguments(config, SIX, state)
            running.append(start(command, out))
            running[-1].communicate(timeout=60)
            outputs.append(Output.parse(out.read_text()))
            state = outputs[-1].state or state
        sandbox.remove_callbacks()
        outputs.append(run(config, *SIX, state=state))

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
    """Let a ticket, a message or a customer change or come."""
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


def test_a_target_that_goes_away_ends_the_run_with_one_line(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """A broken pipe is no crash."""
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


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_ends_the_run_with_one_line(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """The last STATE that was written is enough for the next run."""
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
