"""A long run logs its progress."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

import pytest

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
        if re.match(rf"{stream}: \d+ rows", record.message)
    ]


def rows_in(line: str) -> int:
    """Parse the number of rows in a line."""
    rows = re.search(r"(\d+) rows", line)
    assert rows, line
    return int(rows[1])


@pytest.mark.parametrize("stream", ["tickets", "events"])
def test_progress_is_logged_at_most_every_thirty_seconds(
    sandbox: Sandbox, clock: FakeClock, caplog: pytest.LogCaptureFixture, stream: str
) -> None:
    """Three requests of 7 seconds are too few, and six with the next are enough."""
    run(sandbox.config, stream, clock=clock)

    told_at = [1]  # The time begins after the first page.
    for line in progress_of(caplog, stream):
        requests = rows_in(line) // ROWS_A_REQUEST
        assert requests - told_at[-1] in {4, 5, 6}
        told_at.append(requests)
    assert len(sandbox.requests) - told_at[-1] <= 7
    assert len(told_at) >= 2


def test_progress_of_a_walk_names_the_date_it_has_reached(
    sandbox: Sandbox, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """And how much of the list that is, although recent changes are more frequent."""
    run({**sandbox.config, "start_date": "2026-05-01"}, "tickets", clock=clock)

    changed = [row["updated_datetime"] for row in sandbox.shop.tickets.rows()]
    first, *_ = lines = progress_of(caplog, "tickets")
    assert "100% done" not in first
    for line in (one for one in lines if "100% done" not in one):
        rows = rows_in(line)
        found = re.search(r" back to (2026-.{5}), (\d+)% done, about ", line)
        assert found
        reached = sorted(map(str, changed), reverse=True)[rows - 1]
        assert found[1] == reached[:10]
        assert abs(int(found[2]) / 100 - rows / len(changed)) < 0.1


def test_progress_of_a_log_names_the_date_it_has_reached(
    sandbox: Sandbox, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """From its first row, which may be younger than the account, to now."""
    run({**sandbox.config, "start_date": "2026-01-01"}, "events", clock=clock)

    for line in progress_of(caplog, "events"):
        rows = rows_in(line)
        found = re.search(r" rows up to 2026-.{5}, (\d+)% done, about ", line)
        assert found
        assert abs(int(found[1]) / 100 - rows / len(sandbox.shop.events)) < 0.1


def test_a_list_without_an_order_gives_no_estimate(
    sandbox: Sandbox, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The line says so."""
    run(sandbox.config, "views", "view_items", clock=clock)

    lines = progress_of(caplog, "view_items")
    assert lines
    assert all("no dates tell how much is left" in line for line in lines)


def test_the_account_is_asked_once_for_its_age_if_it_is_not_read(
    sandbox: Sandbox, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Only a first sync that takes long, without a start date, needs it."""
    run(sandbox.config, "tickets", "ticket_messages", clock=clock)

    assert all("% done" in line for line in progress_of(caplog, "tickets"))
    assert sandbox.count("/api/account") == 1
    sandbox.reset_counters()
    run({**sandbox.config, "start_date": "2026-05-01"}, "tickets", clock=clock)
    assert sandbox.count("/api/account") == 0


def test_child_streams_log_progress(
    sandbox: Sandbox, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The requests for each ticket take most of the time."""
    run({**sandbox.config, "start_date": "2026-10-25"}, "ticket_details", clock=clock)

    lines = progress_of(caplog, "ticket_details")
    assert lines
    assert progress_of(caplog, "tickets") == []


def test_a_short_run_logs_no_progress(caplog: pytest.LogCaptureFixture) -> None:
    """The summary is sufficient."""
    with Sandbox(Shop(seed=3)) as sandbox:
        run(sandbox.config)
    assert "Run: " not in caplog.text
    assert not re.search(r": \d+ rows", caplog.text)


def test_the_lines_of_a_first_sync_fit_into_a_terminal(
    sandbox: Sandbox, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """How far each stream and the run are, in a short sentence each."""
    run(sandbox.config, clock=clock)

    lines = [
        record.message
        for record in caplog.records
        if record.levelno == logging.INFO and record.name.startswith("tap-gorgias")
    ]
    assert any(line.startswith("Run: ") for line in lines)
    assert any("% done" in line for line in lines)
    assert any("event_types" in line for line in lines)
    for line in lines:
        assert len(line) <= 80 or line.startswith("Not selected: "), line
