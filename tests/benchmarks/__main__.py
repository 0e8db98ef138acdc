"""Measures requests, rate and robustness, and prints a table.

    python -m tests.benchmarks

Every run is the installed command in a process of its own, over real HTTP and, where
the rate is measured, in real time. It takes about eight minutes.
"""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.runs import Files, Output, run_command
from tests.sandbox import Bucket, Fault, Sandbox, Shop

if TYPE_CHECKING:
    from collections.abc import Iterator

FEEDS = ("customers", "events", "messages", "satisfaction_surveys", "tickets")
LATENCY_SECONDS = 0.3
RATED_PAGES = 110


@dataclass
class Result:
    """A figure and its goal."""

    what: str
    measured: str
    goal: str
    reached: bool


def first_sync_and_idle_run() -> Iterator[Result]:
    """Count requests where nothing goes wrong."""
    shop = Shop(tickets=2_000, customers=1_500, events=4_000, satisfaction_surveys=400)
    with Sandbox(shop) as sandbox:
        output, _ = tap(sandbox, *FEEDS)
        rows = [len(output.records(stream)) for stream in FEEDS]
        minimum = sum(math.ceil(count / 100) for count in rows)
        requests = sandbox.count()
        yield Result(
            f"requests of a first sync of {sum(rows)} rows",
            f"{requests}",
            f"at most 1.02 x {minimum} + {len(FEEDS)}",
            requests <= 1.02 * minimum + len(FEEDS),
        )
        sandbox.reset_counters()
        again, _ = tap(sandbox, *FEEDS, state=output.state)
        for stream in FEEDS:
            requests = sandbox.count(f"/api/{stream.replace('_', '-')}")
            pages = max(math.ceil(len(again.records(stream)) / 100), 1)
            yield Result(
                f"requests of an idle run, {stream}",
                f"{requests}",
                f"{pages}" if pages == 1 else f"{pages} + 1, the look-back",
                requests <= pages + (pages > 1),
            )


def rate(*, others: bool) -> Iterator[Result]:
    """Measure how fully the bucket is used, in real time."""
    bucket = Bucket(40, 20.0)
    shop = Shop(tickets=10, events=RATED_PAGES * 100)
    with Sandbox(shop, bucket=bucket, latency=LATENCY_SECONDS) as sandbox:
        taken = 0
        done = threading.Event()

        def take() -> None:
            nonlocal taken
            while not done.wait(2.0):
                taken += bucket.take() is None

        if others:
            threading.Thread(target=take, daemon=True).start()
        _, seconds = tap(sandbox, "events")
        done.set()
        requests = sandbox.count(status=200)
        refused = sandbox.count(status=429)
        allowed = min(40 + 2 * seconds - taken, seconds / LATENCY_SECONDS)
        share = requests / allowed
        label = "with another client" if others else "alone"
        yield Result(
            f"429 in {seconds:.0f} s, {label}",
            f"{refused}",
            "at most 1" if others else "0",
            refused <= others,
        )
        yield Result(
            f"share of the allowed requests used, {label}",
            f"{share:.1%}",
            "-" if others else "at least 95 %",
            others or share >= 0.95,
        )


def faults() -> Iterator[Result]:
    """Read through twenty faults in sixty requests, in real time."""
    kinds = [
        Fault.error(500),
        Fault.error(502, html=True),
        Fault.too_many_requests(1),
        Fault.too_many_requests(None),
        Fault.reset(),
        Fault.cut(),
        Fault.html_page(),
        Fault.truncated_json(),
    ]
    streams = ("customers", "events", "tickets")
    shop = Shop(tickets=2_000, customers=1_000, events=1_000)
    with Sandbox(shop) as sandbox:
        sandbox.faults.spread(kinds, seed=1, every=3, times=20)
        output, _ = tap(sandbox, *streams)
        lost = sum(
            len(set(getattr(shop, stream).ids()) - set(output.ids(stream)))
            for stream in streams
        )
        yield Result(
            f"rows lost, 20 faults in {sandbox.count()} requests",
            f"{lost}",
            "0",
            lost == 0,
        )


def idle_run_of_a_middling_shop() -> Iterator[Result]:
    """Count requests of an idle run with the default selection."""
    shop = Shop(users=137, tags=205, voice_calls=300)
    for collection, wanted in ((shop.macros, 120), (shop.integrations, 109)):
        while len(collection) < wanted:
            collection.create()
    with Sandbox(shop) as sandbox:
        first, _ = tap(sandbox)
        sandbox.reset_counters()
        tap(sandbox, state=first.state)
        yield Result(
            "requests of an idle run, default selection, middling shop",
            f"{sandbox.count()}",
            "at most 45",
            sandbox.count() <= 45,
        )


def ticket_messages() -> Iterator[Result]:
    """Count requests of the stream that hangs on tickets."""
    streams = ("tickets", "ticket_messages")
    shop = Shop(tickets=2_500)
    with Sandbox(shop) as sandbox:
        first, _ = tap(sandbox, *streams)
        messages = len(shop.messages)
        minimum = math.ceil(2_500 / 100) + math.ceil(messages / 100)
        yield Result(
            f"requests of 2500 tickets with {messages} messages",
            f"{sandbox.count()}",
            f"at most 1.03 x {minimum}",
            sandbox.count() <= 1.03 * minimum,
        )
        shop.advance(3600)
        for ticket in shop.tickets.ids()[:41]:
            shop.messages.create(ticket)
        sandbox.reset_counters()
        second, _ = tap(sandbox, *streams, state=first.state)
        yield Result(
            "requests after 41 tickets changed",
            f"{sandbox.count()}",
            "at most 41 + 4",
            sandbox.count() <= 41 + 4,
        )
        sandbox.reset_counters()
        shop.advance(3600)
        third, _ = tap(sandbox, *streams, state=second.state)
        inside = len(third.records("tickets"))
        yield Result(
            f"requests of an idle run, {inside} tickets inside the overlap",
            f"{sandbox.count()}",
            f"{1 + inside}",
            sandbox.count() <= 1 + inside,
        )


def followed_rate() -> Iterator[Result]:
    """Measure the rate of 1,000 requests for parents with an OAuth budget."""
    latency = 0.8
    shop = Shop(tickets=1_000, messages_per_ticket=1)
    with Sandbox(shop) as sandbox:
        state = tap(sandbox, "tickets", "ticket_messages")[0].state
        shop.advance(3600)
        for ticket in shop.tickets.ids():
            shop.tickets.update(ticket)
        sandbox.reset_counters()
        sandbox.bucket, sandbox.latency = Bucket(80, 20.0), latency
        _, seconds = tap(sandbox, "tickets", "ticket_messages", state=state)
        share = sandbox.count(status=200) / (80 + 4 * seconds)
        refused = sandbox.count(status=429)
        yield Result(
            f"share of the allowed requests used, 1000 tickets in {seconds:.0f} s",
            f"{share:.1%}",
            "at least 95 %",
            share >= 0.95,
        )
        yield Result("429 in that time", f"{refused}", "0", refused == 0)


def start_up() -> Iterator[Result]:
    """Compare the command's start with the SDK's import."""
    sdk = fastest("-c", "import singer_sdk.tap_base, singer_sdk.streams.rest")
    ours = fastest("-m", "tap_gorgias", "--version")
    yield Result(
        "time of --version, to that of the SDK's import",
        f"{ours / sdk:.2f}",
        "at most 1.3",
        ours <= 1.3 * sdk,
    )


def fastest(*arguments: str) -> float:
    """Return the shortest of some runs of Python, in seconds."""

    def seconds() -> float:
        began = time.perf_counter()
        subprocess.run(  # noqa: S603 (our own command)
            [sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL
        )
        return time.perf_counter() - began

    return min(seconds() for _ in range(7))


def tap(
    sandbox: Sandbox, *streams: str, state: dict[str, Any] | None = None
) -> tuple[Output, float]:
    """Run the tap and return its output and the seconds from its first request."""
    first_request: list[float] = []
    sandbox.before_request(
        lambda _shop, _request: first_request.append(time.perf_counter())
    )
    with tempfile.TemporaryDirectory() as folder:
        command = Files(Path(folder)).arguments(sandbox.config, streams, state)
        result = run_command(command)
    if result.returncode:
        raise SystemExit(result.stderr)
    began = first_request[0] - sandbox.latency
    return Output.parse(result.stdout), time.perf_counter() - began


def main() -> int:
    """Print a line for each figure; return 1 if a goal is not reached."""
    missed = 0
    print(f"{'figure':60} {'measured':>10}   goal")  # noqa: T201 (its purpose)
    for results in (
        first_sync_and_idle_run(),
        idle_run_of_a_middling_shop(),
        ticket_messages(),
        start_up(),
        faults(),
        rate(others=False),
        rate(others=True),
        followed_rate(),
    ):
        for result in results:
            missed += not result.reached
            mark = "" if result.reached else "   MISSED"
            print(f"{result.what:60} {result.measured:>10}   {result.goal}{mark}")  # noqa: T201 (its purpose)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
