"""How fully the allowed rate is used, in real time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from tests.benchmarks.process import measure_tap, tap
from tests.benchmarks.result import Result
from tests.sandbox import Bucket, Request, Sandbox, Shop

if TYPE_CHECKING:
    from collections.abc import Iterator

    Arrivals = list[tuple[float, str]]

LATENCIES = (0.05, 0.3, 0.8)
PAGES = 110
SHARED_PAGES = 100


def rate() -> Iterator[Result]:
    """Measure the share of the allowed rate that one tap uses."""
    for latency in LATENCIES:
        for others in (False, True):
            yield from _rate(latency, others=others)
    yield from followed_rate()


def _rate(latency: float, *, others: bool) -> Iterator[Result]:
    bucket = Bucket(40, 20.0)
    # A quarter of the burst is left to others, which counts less in a longer run.
    pages = 3 * PAGES if others else PAGES
    shop = Shop(tickets=10, events=pages * 100)
    with Sandbox(shop, bucket=bucket, latency=latency) as sandbox:
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
        used = sandbox.count(status=200)
        refused = sandbox.count(status=429)
    # A walk by cursor has one request in flight, so latency is a limit, too.
    share = used / min(40 + 2 * seconds - taken, seconds / latency)
    label = f"{latency} s latency, {'another client' if others else 'alone'}"
    yield Result(
        f"share of the allowed rate, {label}", f"{share:.1%}", *at_least_95(share)
    )
    yield Result(
        f"429 of {used} answers, {label}",
        f"{refused}",
        "at most 1" if others else "0",
        refused <= others,
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


def shared() -> Iterator[Result]:
    """Let three taps of one account run at once, each for a part of the selection."""
    selections = ("events",), ("tickets",), ("messages",)
    rows = SHARED_PAGES * 100
    for latency in LATENCIES:
        shop = Shop(tickets=rows, messages_per_ticket=1, events=rows)
        with Sandbox(shop, bucket=Bucket(40, 20.0), latency=latency) as sandbox:
            arrivals: Arrivals = []

            def note(_: Shop, request: Request, to: Arrivals = arrivals) -> None:
                to.append((time.perf_counter(), request.path))

            sandbox.before_request(note)
            taps = [
                threading.Thread(target=measure_tap, args=(sandbox.config, *streams))
                for streams in selections
            ]
            for one in taps:
                one.start()
            for one in taps:
                one.join()
            refused = sandbox.count(status=429)
        # Until the first of them has all its rows.
        paths = {path for _, path in arrivals}
        end = min(max(t for t, path in arrivals if path == own) for own in paths)
        began = arrivals[0][0] - latency
        together = [path for moment, path in arrivals if moment <= end]
        fewest = min(together.count(path) for path in paths)
        share = len(together) / (40 + 2 * (end - began))
        label = f"three taps, {latency} s latency"
        yield Result(
            f"share of the allowed rate, {label}", f"{share:.1%}", *at_least_95(share)
        )
        yield Result(
            f"429 of {len(arrivals)} answers, {label}",
            f"{refused}",
            "at most 1 %",
            refused <= 0.01 * len(arrivals),
        )
        fair = fewest / (len(together) / 3)
        yield Result(
            f"least of the three, to a third, {label}",
            f"{fair:.0%}",
            "at least 80 %",
            fair >= 0.8,
        )


def at_least_95(share: float) -> tuple[str, bool]:
    """Say that a share should be 95 %, and whether it is."""
    return "at least 95 %", share >= 0.95
