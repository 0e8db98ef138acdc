"""Estimates from the dates of rows and the counts of requests."""

from __future__ import annotations

import logging
import random
import sys
import threading
from datetime import timedelta

import pytest

from tap_gorgias import timestamps
from tap_gorgias.api.usage import RunSummary
from tap_gorgias.replication.bookmarks import Position, Walk
from tap_gorgias.run.progress import RunProgress, StreamProgress
from tests.support.fake_clock import STARTED, FakeClock

DAYS = 500
BEGIN = STARTED - timedelta(days=DAYS)
UPWARDS = Position()


def day(number: float) -> str:
    """Return the timestamp of a day of the history, of which the last is today."""
    return timestamps.render(BEGIN + timedelta(days=number))


def down_to(number: float) -> Position:
    """Return the position of a walk that ends at a day."""
    return Position(walk=Walk(day(DAYS), "cursor", floor=day(number)))


def row(changed: str, created: str | None = None) -> dict[str, str]:
    """Return a row with its dates."""
    return {"updated_datetime": changed, "created_datetime": created or changed}


@pytest.fixture
def run() -> RunProgress:
    """The progress of a run."""
    return RunProgress(FakeClock(), RunSummary())


def stream_of(run: RunProgress, name: str = "tickets") -> StreamProgress:
    """Return the progress of a stream."""
    return StreamProgress(run, name, "updated_datetime", logging.getLogger("tests"))


def share_of(run: RunProgress, position: Position, *dates: float) -> float | None:
    """Return how much has been read after a page with rows of these days."""
    progress = stream_of(run)
    progress.add([row(day(number)) for number in dates], position)
    return progress.share()


@pytest.mark.parametrize("read", [0.1, 0.3, 0.5, 0.9])
def test_a_list_by_date_of_change_is_judged_by_what_was_created(
    run: RunProgress, read: float
) -> None:
    """Half of the rows changed long after they were created."""
    dice = random.Random(5)  # noqa: S311 (not cryptography)
    dates = []
    for number in range(20_000):
        created = number * DAYS / 20_000
        changed = dice.choice([created, dice.uniform(created, DAYS)])
        dates.append((changed, created))
    dates.sort(reverse=True)
    rows = [row(day(changed), day(created)) for changed, created in dates]
    progress = stream_of(run)
    for start in range(0, int(len(rows) * read), 100):
        progress.add(rows[start : start + 100], down_to(0))

    assert progress.share() == pytest.approx(read, rel=0.1)


def test_a_list_by_date_of_creation_is_judged_by_its_dates(run: RunProgress) -> None:
    """From its first row to now."""
    assert share_of(run, UPWARDS, *range(100, 201)) == pytest.approx(100 / 400)


@pytest.mark.parametrize(
    ("position", "dates"),
    [
        (UPWARDS, []),
        (UPWARDS, [100, 60]),  # a list in the wrong order
        (down_to(0), [499.9, 499.7]),  # less than a day
        (down_to(600), [500, 400]),  # all rows are older than the account
    ],
)
def test_dates_can_give_no_hint(
    run: RunProgress, position: Position, dates: list[float]
) -> None:
    """A share below zero would make the time that is left negative."""
    assert share_of(run, position, *dates) is None


def test_a_second_walk_is_judged_by_its_own_rows(run: RunProgress) -> None:
    """A run first finishes the walk of the run before, then reads what is new."""
    progress = stream_of(run)
    progress.add([row(day(300)), row(day(100))], down_to(50))
    progress.add([row(day(100)), row(day(50))], Position())
    assert progress.share() == 1
    progress.add([row(day(500 - number)) for number in range(101)], down_to(300))
    assert progress.share() == pytest.approx(0.5, abs=0.01)


def test_a_list_is_judged_while_it_is_read(run: RunProgress) -> None:
    """The line of one stream says how far the others are, in their own threads."""
    progress = stream_of(run)

    def read() -> None:
        for number in range(20_000, 0, -1):
            progress.add([row(day(number / 40))], down_to(0))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    reader = threading.Thread(target=read)
    reader.start()
    try:
        while reader.is_alive():
            progress.share()
    finally:
        sys.setswitchinterval(interval)
        reader.join()


def seconds_left(run: RunProgress, seconds: float, **read: int) -> dict[str, float]:
    """Return the estimates of streams, of whose 100 pages some have been read."""
    for name, pages in read.items():
        progress = stream_of(run, name)
        progress.add([row(day(0)), row(day(DAYS * pages / 100))], UPWARDS)
        run.summary.count(name, requests=pages)
    run.clock.sleep(seconds)
    return dict(run.seconds_left())


def test_streams_share_the_rate_of_requests(run: RunProgress) -> None:
    """The shortest ends first, the longest with the run."""
    left = seconds_left(run, 100, short=90, long=10)

    # Of 100 requests in 100 seconds, both have 10 left, then one has 80.
    assert left == pytest.approx({"short": 20.0, "long": 100.0}, rel=0.01)


def test_the_burst_at_the_start_is_no_rate(run: RunProgress) -> None:
    """Fifty requests in a second do not become fifty a second."""
    assert seconds_left(run, 1, alone=50) == {"alone": pytest.approx(20, rel=0.01)}
