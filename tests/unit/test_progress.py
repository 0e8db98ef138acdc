"""Estimates from the dates of rows and the counts of requests."""

from __future__ import annotations

import random
import sys
import threading
from datetime import datetime, timedelta, timezone

import pytest

from tap_gorgias import timestamps
from tap_gorgias.run.progress import History, seconds_left

BEGIN = datetime(2025, 1, 1, tzinfo=timezone.utc)
DAYS = 500


def day(number: float) -> str:
    """Return the timestamp of a day of the history."""
    return timestamps.render(BEGIN + timedelta(days=number))


@pytest.mark.parametrize("read", [0.1, 0.3, 0.5, 0.9])
def test_a_list_by_date_of_change_is_judged_by_what_was_created(read: float) -> None:
    """Half of the rows changed long after they were created."""
    dice = random.Random(5)  # noqa: S311 (not cryptography)
    rows = []
    for number in range(20_000):
        created = number * DAYS / 20_000
        changed = dice.choice([created, dice.uniform(created, DAYS)])
        rows.append((day(changed), day(created)))
    rows.sort(reverse=True)
    history = History()
    for start in range(0, int(len(rows) * read), 100):
        page = rows[start : start + 100]
        if start == 0:
            history.add(page[0][0], [])
        history.add(page[-1][0], [created for _, created in page])

    share = history.share_downwards(day(0))
    assert share == pytest.approx(read, rel=0.1)


def test_a_list_by_date_of_creation_is_judged_by_its_dates() -> None:
    """From its first row to now."""
    history = History()
    for number in range(100, 201):
        history.add(day(number), [day(number)])

    assert history.share_upwards(day(500)) == pytest.approx(100 / 400)


def test_a_list_in_the_wrong_order_gives_no_hint() -> None:
    """A share below zero would make the time that is left negative."""
    history = History()
    history.add(day(100), [])
    history.add(day(60), [])

    assert history.share_upwards(day(500)) is None


def test_dates_of_less_than_a_day_give_no_hint() -> None:
    """Nor does a list whose rows are all older than the account."""
    history = History()
    assert history.share_downwards(day(0)) is None
    assert history.share_upwards(day(1)) is None
    history.add(day(499.9), [day(499.9)])
    history.add(day(499.7), [day(499.7)])
    assert history.share_downwards(day(0)) is None
    assert History().share_downwards(day(600)) is None


def test_a_list_is_judged_while_it_is_read() -> None:
    """The line of one stream says how far the others are, in their own threads."""
    history = History()
    history.add(day(20_000), [])

    def read() -> None:
        for number in range(20_000, 0, -1):
            history.add(day(number), [day(number)])

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    reader = threading.Thread(target=read)
    reader.start()
    try:
        while reader.is_alive():
            history.share_downwards(day(0))
    finally:
        sys.setswitchinterval(interval)
        reader.join()


def test_streams_share_the_rate_of_requests() -> None:
    """The shortest ends first, the longest with the run."""
    requests_left = {"short": 10.0, "long": 90.0, "done": 0.0}
    left = seconds_left(requests_left, requests=200, seconds=100)

    assert left == pytest.approx({"short": 10.0, "long": 50.0, "done": 0.0})


def test_the_burst_at_the_start_is_no_rate() -> None:
    """Thirty requests in a second do not become thirty a second."""
    left = seconds_left({"a": 30.0}, requests=30, seconds=1)

    assert left == {"a": pytest.approx(20)}
