"""Measure runs with parallel streams in real time.

    python -m tests.benchmarks.at_once
    python -m tests.benchmarks.at_once REVISION

The second command also measures another revision of the repository.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.benchmarks.process import tap
from tests.benchmarks.result import Result
from tests.benchmarks.revisions import REPOSITORY, compare
from tests.sandbox import Sandbox, Shop, SlidingWindow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LATENCY = 0.6
FIRST_SYNCS = ((40, 2_000), (40, 12_000), (80, 2_000), (80, 12_000), (80, 30_000))
"""The rate limit, and the number of rows of each of three lists."""

SECONDS = 20.0
HOUR = 3600


def at_once(package: Path = REPOSITORY) -> Iterator[Result]:
    """Measure first syncs with both limits, and an hourly run."""
    parts = [first_sync(limit, rows, package) for limit, rows in FIRST_SYNCS]
    parts.append(hourly_run(package))
    with ThreadPoolExecutor() as pool:
        for results in pool.map(_measured, parts):
            yield from results


def _measured(part: Iterator[Result]) -> list[Result]:
    return list(part)


def first_sync(limit: int, rows: int, package: Path) -> Iterator[Result]:
    """Read a shop in which no list takes more than a third of all requests.

    The goal is what a leaky bucket allows: `limit` requests at once, then an even rate.
    A sliding window allows `limit` requests at once, and as many again after each 20 s.
    Evenly spread requests take up to one window longer, however long a run is, so that
    short runs miss the goal.
    """
    shop = Shop(
        tickets=rows,
        messages_per_ticket=1,
        customers=rows,
        events=rows,
        satisfaction_surveys=rows // 3,
        voice_calls=rows // 6,
    )
    limiter = SlidingWindow(limit, SECONDS)
    with Sandbox(shop, limiter=limiter, latency=LATENCY) as sandbox:
        _, seconds = tap(sandbox, package=package)
        count = sandbox.count(status=200)
        refused = sandbox.count(status=429)
        longest = max(
            sandbox.count(path) for path in {r.path for r in sandbox.requests}
        )
    allowed = SECONDS * (count / limit - 1)
    in_window = (count - 1) // limit * SECONDS + LATENCY
    what = f"first sync, {limit} requests in 20 s, lists of {rows} rows"
    yield Result(f"requests, {what}", f"{count}, at most {longest} of a list")
    yield Result(
        f"seconds, {what}",
        f"{seconds:.0f}; a leaky bucket allows {allowed:.0f}, a sliding window "
        f"{in_window:.0f}",
        "at most 1.15 times what a leaky bucket allows",
        seconds <= 1.15 * allowed,
    )
    yield Result(f"429, {what}", f"{refused}", "0", refused == 0)


def hourly_run(package: Path) -> Iterator[Result]:
    """Read an hour of changes in about 30 requests."""
    shop = Shop(tickets=900)
    with Sandbox(shop) as sandbox:
        first, _ = tap(sandbox, package=package)
        for ticket in shop.tickets.ids()[:130]:
            shop.advance(HOUR / 130)
            shop.messages.create(ticket)
        sandbox.reset_counters()
        sandbox.limiter, sandbox.latency = SlidingWindow(40, SECONDS), LATENCY
        _, seconds = tap(sandbox, state=first.state, package=package)
        count = sandbox.count(status=200)
    what = f"hourly run, {LATENCY} s an answer"
    yield Result(f"requests, {what}", f"{count}")
    yield Result(
        f"seconds from the first request, {what}",
        f"{seconds:.1f}",
        "at most 6",
        seconds <= 6,
    )


if __name__ == "__main__":
    compare("python -m tests.benchmarks.at_once", at_once)
