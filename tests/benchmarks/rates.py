"""Measure how fully the allowed rate is used, in real time.

    python -m tests.benchmarks.rates
    python -m tests.benchmarks.rates REVISION

The second command also measures the budget of another revision of the repository.
Each figure is measured over a minute or two, several at the same time, so a version
takes about five minutes. Tickets and messages are read in parallel, by the tap's own
client and budget, from a sandbox with the named limiter.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tap_gorgias.compat import override
from tests.benchmarks.process import tap
from tests.benchmarks.result import Result
from tests.benchmarks.revisions import REPOSITORY, compare
from tests.sandbox import LIMITERS, Request, Sandbox, Shop, SlidingWindow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

READER = Path(__file__).with_name("reader.py")
AT_THE_SAME_TIME = 5
LATENCIES = (0.05, 0.2, 0.6)
USUAL_LATENCY = 0.2
OTHER_EVERY_SECONDS = 2.0
START_SECONDS = 60.0


class Answered(NamedTuple):
    """A request that was not refused."""

    seconds: float
    """Seconds since the first request."""
    reader: str


@dataclass(frozen=True)
class Measured:
    """The requests of readers and of another app."""

    answered: Sequence[Answered]
    refused: int
    others: int = 0
    others_refused: int = 0

    def count(self, begin: float, end: float) -> int:
        """Count the readers' requests within a period."""
        return sum(begin <= one.seconds < end for one in self.answered)


@dataclass(frozen=True)
class Case:
    """An account and the programs that use it."""

    limiter: str = "sliding"
    window_seconds: float = 20.0
    latency: float = USUAL_LATENCY
    readers: int = 1
    other: bool = False
    percent: int = 100
    minutes: int = 1
    limit: int = 40

    @override
    def __str__(self) -> str:
        """Describe the case in a line of the table."""
        parts = [f"{self.limiter}, {self.latency} s an answer"]
        if self.window_seconds != SlidingWindow().seconds:
            parts.append(f"{self.limit} in {self.window_seconds:.0f} s, not told")
        if self.readers > 1:
            parts.append(f"{self.readers} taps")
        if self.other:
            parts.append("another app asks for a quarter")
        if self.percent < 100:
            parts.append(f"rate_limit_percent {self.percent}")
        return ", ".join(parts)

    @property
    def allowed(self) -> float:
        """The number of requests that the limit allows per minute."""
        return self.limit * 60 / self.window_seconds

    def results(self, measured: Measured) -> Iterator[Result]:
        """Compare the measured figures with the goals."""
        yield from self._shares(measured)
        allowed = 6 if self.readers > 1 else int(self.other)
        yield Result(
            f"429, {self}",
            f"{measured.refused}",
            f"at most {allowed}" if allowed else "0",
            measured.refused <= allowed,
        )

    def _shares(self, measured: Measured) -> Iterator[Result]:
        used = measured.count(0, 60)
        share = f"share of the allowed rate, {self}"
        if self.readers > 1:
            names = {one.reader for one in measured.answered}
            own = [
                sum(
                    one.reader == name and one.seconds < 60 for one in measured.answered
                )
                for name in names
            ]
            yield at_least(90, used / self.allowed, share)
            yield at_least(20, min(own) / used, f"least of them, {self}")
        elif self.other:
            left = self.allowed - measured.others
            passed = measured.others / (measured.others + measured.others_refused)
            yield at_least(88, used / left, f"share of the rest, {self}")
            yield at_least(80, passed, f"what the other app gets, {self}")
        elif self.percent < 100:
            part = self.allowed * self.percent / 100
            yield at_least(95, used / part, f"share of its part, {self}")
            most = max_in_window(measured.answered, self.window_seconds)
            goal = self.limit * self.percent // 100
            yield Result(
                f"most in a window, {self}", f"{most}", f"at most {goal}", most <= goal
            )
        elif self.minutes > 1:
            later = measured.count(60, 120)
            yield at_least(85, used / self.allowed, f"{share}, first minute")
            yield at_least(95, later / self.allowed, f"{share}, second minute")
        else:
            yield at_least(95, used / self.allowed, share)


CASES = (
    *(Case(kind, latency=latency) for kind in LIMITERS for latency in LATENCIES),
    Case(other=True),
    Case(window_seconds=10.0, minutes=2),
    Case(readers=3),
    Case("leaky", readers=3),
    Case(percent=50),
)


def measure(case: Case, package: Path = REPOSITORY) -> Measured:
    """Read for a minute or two.

    Args:
        case: The account and the programs that use it.
        package: Folder that holds the version of `tap_gorgias` to measure.
    """
    limiter = LIMITERS[case.limiter](case.limit, case.window_seconds)
    sandbox = Sandbox(Shop(tickets=5_000), limiter=limiter, latency=case.latency)
    answered: list[tuple[float, str]] = []
    others = [0, 0]
    began, done = threading.Event(), threading.Event()

    def record(_: Shop, request: Request) -> None:
        answered.append((time.perf_counter(), request.headers["user-agent"]))
        began.set()

    def send_for_other() -> None:
        while not done.wait(OTHER_EVERY_SECONDS):
            others[limiter.take().wait_seconds is not None] += 1

    sandbox.before_request(record)
    with sandbox, ExitStack() as readers:
        for number in range(case.readers):
            config = {
                **sandbox.config,
                "rate_limit_percent": case.percent,
                "user_agent": f"reader-{number}",
            }
            readers.enter_context(running(config, package))
        began.wait(START_SECONDS)
        if case.other:
            threading.Thread(target=send_for_other, daemon=True).start()
        time.sleep(60 * case.minutes)
        done.set()
        refused = sandbox.count(status=429)
    first = answered[0][0]
    return Measured(
        [Answered(timestamp - first, reader) for timestamp, reader in answered],
        refused,
        *others,
    )


@contextmanager
def running(config: dict[str, object], package: Path) -> Iterator[None]:
    """Run a reader in its own process until the context ends."""
    environment = {**os.environ, "PYTHONPATH": str(package)}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "config.json")
        file.write_text(json.dumps(config), encoding="utf-8")
        command = [sys.executable, str(READER), str(file)]
        with subprocess.Popen(command, env=environment) as process:  # noqa: S603
            yield
            process.kill()


def at_least(percent: int, share: float, what: str) -> Result:
    """Compare a share with its minimum."""
    return Result(what, f"{share:.1%}", f"at least {percent} %", share >= percent / 100)


def max_in_window(answered: Sequence[Answered], seconds: float) -> int:
    """Return the maximum number of requests in any window."""
    timestamps = [one.seconds for one in answered]
    return max(
        sum(begin <= timestamp < begin + seconds for timestamp in timestamps)
        for begin in timestamps
    )


def limits(package: Path = REPOSITORY) -> Iterator[Result]:
    """Measure how fully each limiter is used, and by which program."""
    with ThreadPoolExecutor(AT_THE_SAME_TIME) as pool:
        all_measured = pool.map(lambda case: measure(case, package), CASES)
        for case, measured in zip(CASES, all_measured, strict=True):
            yield from case.results(measured)


def followed() -> Iterator[Result]:
    """Measure the rate of 1,000 requests for children with an OAuth budget."""
    latency = 0.8
    shop = Shop(tickets=1_000, messages_per_ticket=1)
    with Sandbox(shop) as sandbox:
        sandbox.limiter, sandbox.latency = SlidingWindow(80), latency
        _, seconds = tap(sandbox, "ticket_details")
        share = sandbox.count(status=200) / (4 * seconds)
        refused = sandbox.count(status=429)
        what = f"share of the allowed rate, 1000 tickets in {seconds:.0f} s"
        yield at_least(95, share, what)
        yield Result("429 in that time", f"{refused}", "0", refused == 0)


if __name__ == "__main__":
    compare("python -m tests.benchmarks.rates", limits)
