"""A first sync says how long it is going to take."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tap_gorgias.compat import override
from tests.sandbox import Sandbox, Shop, SlidingWindow
from tests.support.fake_clock import SharedClock
from tests.support.runs import DEFAULT_STREAMS, run

if TYPE_CHECKING:
    from collections.abc import Iterator

HINT = "`events` is the largest list"
SECONDS = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}


class Estimate(NamedTuple):
    """A line of progress, and when it was logged."""

    at: float
    text: str

    @property
    def seconds_left(self) -> float | None:
        """The estimate in the line; None if it has none."""
        found = re.search(r"about ((?:\d+ (?:s|min|h|d) ?)+)left", self.text)
        parts = re.findall(r"(\d+) (s|min|h|d)", found[1]) if found else []
        return sum(int(count) * SECONDS[unit] for count, unit in parts) or None


class Recorder(logging.Handler):
    """Keeps the lines of progress, with the time of the clock."""

    def __init__(self, clock: SharedClock) -> None:
        super().__init__()
        self.clock = clock
        self.lines: list[Estimate] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        text = record.getMessage()
        if re.search(r"\d rows |^Run: ", text) or HINT in text:
            self.lines.append(Estimate(self.clock.monotonic(), text))

    def of(self, subject: str) -> list[Estimate]:
        """Return the lines about a stream, or about the run."""
        return [line for line in self.lines if line.text.startswith(subject)]


@pytest.fixture
def clock() -> SharedClock:
    """The clock of the tap and the sandbox."""
    return SharedClock()


@pytest.fixture
def recorder(clock: SharedClock) -> Iterator[Recorder]:
    """The progress of a run."""
    recorder, logger = Recorder(clock), logging.getLogger("tap-gorgias")
    level = logger.level
    logger.addHandler(recorder)
    logger.setLevel(logging.INFO)
    yield recorder
    logger.removeHandler(recorder)
    logger.setLevel(level)


def sync(clock: SharedClock, events: int, *streams: str, **settings: object) -> None:
    """Read a shop with an even history at the rate limit of an API key."""
    shop = Shop(
        seed=3,
        tickets=events // 5,
        customers=events // 8,
        events=events,
        messages_per_ticket=1,
    )
    limiter = SlidingWindow(40, 20)
    with Sandbox(shop, limiter=limiter, clock=clock.monotonic) as sandbox:
        run({**sandbox.config, **settings}, *streams, clock=clock)


def test_estimates_are_within_a_factor_of_two(
    clock: SharedClock, recorder: Recorder
) -> None:
    """From a tenth of a first sync on, for the run and the stream that ends last."""
    sync(clock, 40_000)
    began, ended = clock.started, clock.monotonic()

    assert ended - began > 300
    for subject in ("Run: ", "events"):
        lines = [
            line
            for line in recorder.of(subject)
            if line.at - began > (ended - began) / 10 and ended - line.at > 10
        ]
        assert len(lines) >= 8
        for line in lines:
            actual = ended - line.at
            assert line.seconds_left, line
            assert actual / 2 < line.seconds_left < actual * 2, line


@pytest.mark.parametrize(
    ("settings", "is_hinted"),
    [
        ({}, True),
        ({"event_types": ["ticket-created"]}, False),
    ],
)
def test_the_first_estimate_comes_once_after_the_first_pages(
    clock: SharedClock,
    recorder: Recorder,
    settings: dict[str, object],
    *,
    is_hinted: bool,
) -> None:
    """It counts streams and requests, and names the largest list if it is unlimited."""
    sync(clock, 9_000, **settings)

    first, *others = recorder.of("Run: ")
    assert 10 <= first.at - clock.started < 20
    assert re.search(rf"\d+/{len(DEFAULT_STREAMS)} streams, \d+ requests, ", first.text)
    assert len(recorder.of(HINT)) == is_hinted
    assert all(other.at >= first.at + 30 for other in others)


def test_a_run_without_the_largest_list_does_not_mention_it(
    clock: SharedClock, recorder: Recorder
) -> None:
    """Nor does a run that reads only what is new."""
    sync(clock, 20_000, "tickets", "customers", parallel_streams=2)

    assert recorder.of("Run: ")
    assert not any(HINT in line.text for line in recorder.lines)
