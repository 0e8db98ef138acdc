"""A long run logs its progress."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

import pytest

from tap_gorgias import timestamps
from tests.sandbox import Request, Sandbox, Shop, SlidingWindow
from tests.support.fake_clock import FakeClock
from tests.support.runs import run

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS_A_REQUEST = 7
ROWS_A_REQUEST = 100


@pytest.fixture(autouse=True)
def _informed(caplog: pytest.LogCaptureFixture) -> None:
    """Progress is logged at level INFO."""
    caplog.set_level(logging.INFO)


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still between requests."""
    return FakeClock()


@pytest.fixture
def sandbox(clock: FakeClock) -> Iterator[Sandbox]:
    """A shop whose requests take 7 seconds each."""

    def wait(_: Shop, __: Request) -> None:
        clock.sleep(SECONDS_A_REQUEST)

    shop = Shop(seed=3, tickets=1_000, messages_per_ticket=1, events=1_200)
    limiter = SlidingWindow(40, 20)
    with Sandbox(shop, limiter=limiter, clock=clock.monotonic) as sandbox:
        sandbox.before_request(wait)
        yield sandbox


def progress_of(caplog: pytest.LogCaptureFixture, stream: str) -> list[str]:
    """Return the progress lines of a stream."""
    return [
        record.message
        for record in caplog.records
        if record.name.endswith(stream) and record.message.startswith("Progress: ")
    ]


def counted(line: str) -> tuple[int, int]:
    """Parse the numbers of rows and requests in a line."""
    rows = re.search(r"(\d+) rows", line)
    requests = re.search(
        r"(\d+) requests, 0\.[12] a second, budget used [0-3]/40 in the last 20 s", line
    )
    assert rows, line
    assert requests, line
    return int(rows[1]), int(requests[1])


@pytest.mark.parametrize("stream", ["tickets", "events"])
def test_progress_is_logged_at_most_every_thirty_seconds(
    sandbox: Sandbox, clock: FakeClock, caplog: pytest.LogCaptureFixture, stream: str
) -> None:
    """Four requests of 7 seconds are too few, and six are more than enough."""
    run(sandbox.config, stream, clock=clock)

    told_at = [0]
    for line in progress_of(caplog, stream):
        rows, requests = counted(line)
        # One page may be in flight while another is emitted.
        assert rows // ROWS_A_REQUEST in {requests - 1, requests}
        assert requests - told_at[-1] in {4, 5, 6}
        told_at.append(requests)
    assert len(sandbox.requests) - told_at[-1] <= 6
    assert len(told_at) >= 2


def test_progress_of_a_walk_names_the_date_it_has_reached(
    sandbox: Sandbox, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """With a start date, it also says how much is left."""
    run({**sandbox.config, "start_date": "2026-05-01"}, "tickets", clock=clock)

    first, *_ = progress_of(caplog, "tickets")
    found = re.search(
        r", back to (2026-.{14}Z), (\d\d)% of the time since 2026-05-01 left, ", first
    )
    assert found
    rows, _ = counted(first)
    changed = [row["updated_datetime"] for row in sandbox.shop.tickets.rows()]
    reached = sorted(map(str, changed), reverse=True)[rows - 1]
    assert found[1] == f"{reached[:19]}Z"
    half_a_year = timestamps.parse("2026-11-02") - timestamps.parse("2026-05-01")
    left = (timestamps.parse(reached) - timestamps.parse("2026-05-01")) / half_a_year
    assert abs(int(found[2]) / 100 - left) < 0.02


def test_progress_of_a_log_names_the_date_it_has_reached(
    sandbox: Sandbox, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """How much is left is not known."""
    run({**sandbox.config, "start_date": "2026-05-01"}, "events", clock=clock)

    line, *_ = progress_of(caplog, "events")
    assert " rows, up to 2026-" in line
    assert "left" not in line


def test_child_streams_log_progress(
    sandbox: Sandbox, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The requests for each ticket take most of the time."""
    run({**sandbox.config, "start_date": "2026-10-25"}, "ticket_details", clock=clock)

    lines = progress_of(caplog, "ticket_details")
    assert lines
    assert all(re.match(r"Progress: \d+ rows, \d+ requests, ", one) for one in lines)
    assert progress_of(caplog, "tickets") == []


def test_a_short_run_logs_no_progress(caplog: pytest.LogCaptureFixture) -> None:
    """The summary is sufficient."""
    with Sandbox(Shop(seed=3)) as sandbox:
        run(sandbox.config)
    assert "Progress" not in caplog.text
