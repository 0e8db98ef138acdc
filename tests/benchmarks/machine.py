"""The tap's use of processor time and memory, its start-up time and its output."""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.process import Figures, measure, measure_tap
from tests.benchmarks.replay import Replay
from tests.benchmarks.result import Result
from tests.sandbox import Sandbox, Shop
from tests.support.runs import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FLOOR = str(Path(__file__).with_name("floor.py"))
LISTS = (
    "/api/tickets?limit=100&order_by=updated_datetime%3Adesc",
    "/api/messages?limit=100&order_by=created_datetime%3Adesc",
)
REPEATS = 5
SDK = "import singer_sdk.tap_base, singer_sdk.streams.rest"


def cpu() -> Iterator[Result]:
    """Compare the tap with a bare loop over the same pages from memory."""
    shop = Shop(tickets=8_000, customers=1_000)
    with (
        Sandbox(shop) as sandbox,
        Replay(sandbox) as replay,
        tempfile.TemporaryDirectory() as folder,
    ):
        config = Path(folder, "config.json")
        config.write_text(json.dumps(replay.config), encoding="utf-8")
        floors, taps = alternately(
            lambda: measure(FLOOR, str(config), *LISTS),
            lambda: measure_tap(replay.config, "tickets", "messages"),
        )
    rows = taps[0].rows
    ours, least = fastest(taps), fastest(floors)
    yield Result(f"rows per CPU second, of {rows}", f"{rows / ours:.0f}")
    yield Result("the same, of a bare loop", f"{rows / least:.0f}")
    yield Result(
        "CPU time, to that of the bare loop",
        f"{ours / least:.2f}",
        "at most 4",
        ours <= 4 * least,
    )
    walls = [min(one.wall_seconds for one in ran) for ran in (taps, floors)]
    yield Result(
        "wall time of the tap alone, to that of the bare loop",
        f"{walls[0]:.1f} s, {walls[1]:.1f} s",
    )
    yield from _bytes(taps[0])


def _bytes(figures: Figures) -> Iterator[Result]:
    records = figures.bytes["RECORD"]
    for kind in ("STATE", "log"):
        share = figures.bytes[kind] / records
        yield Result(
            f"bytes of {kind}, to those of {records / 1e6:.0f} MB of records",
            f"{share:.2%}",
            "below 1 %",
            share < 0.01,
        )


def memory() -> Iterator[Result]:
    """Read tickets from shops of three sizes, which the sandbox generates lazily."""
    least = 0.0
    for tickets in (10_000, 100_000, 1_000_000):
        with Sandbox(Shop(tickets=tickets, customers=1_000)) as sandbox:
            figures = measure_tap(sandbox.config, "tickets")
        least = least or figures.megabytes
        yield Result(
            f"peak memory, {figures.rows} tickets",
            f"{figures.megabytes:.1f} MB",
            f"at most {least + 15:.1f} MB",
            figures.megabytes <= least + 15,
        )
    yield from _memory_of_parallel_streams()


def _memory_of_parallel_streams() -> Iterator[Result]:
    """Read a shop with one stream at a time, then with six."""
    shop = Shop(tickets=15_000, customers=20_000, events=50_000)
    least = 0.0
    for parallel_streams in (1, 6):
        with Sandbox(shop) as sandbox:
            config = {**sandbox.config, "parallel_streams": parallel_streams}
            figures = measure_tap(config)
        least = least or figures.megabytes
        yield Result(
            f"peak memory, {figures.rows} rows, parallel_streams {parallel_streams}",
            f"{figures.megabytes:.1f} MB",
            f"at most {least + 20:.1f} MB",
            figures.megabytes <= least + 20,
        )


def start_up() -> Iterator[Result]:
    """Compare the start and an idle run of one request with the SDK's import."""
    with Sandbox() as sandbox:
        state = run(sandbox.config, "tickets").state
        sdk, version, discover, idle = (
            statistics.median(one.cpu_seconds for one in figures)
            for figures in alternately(
                lambda: measure("-c", SDK),
                lambda: measure("-m", "tap_gorgias", "--version"),
                lambda: measure("-m", "tap_gorgias", "--discover"),
                lambda: measure_tap(sandbox.config, "tickets", state=state),
                repeats=2 * REPEATS,
            )
        )
    yield Result("CPU time of the SDK's import", f"{sdk:.3f} s")
    for name, seconds in (
        ("--version", version),
        ("--discover", discover),
        ("an idle run with one request", idle),
    ):
        yield Result(
            f"CPU time of {name}, to that of the SDK's import",
            f"{seconds / sdk:.2f}",
            "at most 1.3",
            seconds <= 1.3 * sdk,
        )


def alternately(
    *measures: Callable[[], Figures], repeats: int = REPEATS
) -> list[list[Figures]]:
    """Alternate measurements, so that load on the machine affects all of them.

    Args:
        measures: The measurements; a first round fills caches and is discarded.
        repeats: The number of rounds.

    Returns:
        The figures of each measurement.
    """
    rounds = [[one() for one in measures] for _ in range(repeats + 1)]
    return [list(figures) for figures in zip(*rounds[1:], strict=True)]


def fastest(figures: list[Figures]) -> float:
    """Return the least CPU time, which other programs influence least."""
    return min(one.cpu_seconds for one in figures)
