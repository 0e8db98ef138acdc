"""Reading by period: complete periods, window by window."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_gorgias import timestamps
from tap_gorgias.config.statistics import GRANULARITIES
from tap_gorgias.replication.pages import Page
from tap_gorgias.replication.periods import (
    Calendar,
    RowsMissingError,
    Window,
    by_period,
)
from tests.support.cases import table

UTC = ZoneInfo("UTC")
PARIS = ZoneInfo("Europe/Paris")
KOLKATA = ZoneInfo("Asia/Kolkata")
ZONES = (UTC, PARIS, KOLKATA, ZoneInfo("America/New_York"))
DAYS = Calendar("day", UTC)
NOW = datetime(2026, 11, 2, 8, 0, tzinfo=timezone.utc)
KEY = "period_start"

STARTS = {
    "hour": ("hour", PARIS, "2026-07-14T13:59:59Z", "2026-07-14T13:00:00Z"),
    "hour, half past": ("hour", KOLKATA, "2026-01-01T00:10Z", "2025-12-31T23:30Z"),
    "day": ("day", UTC, "2026-07-14T13:59:59Z", "2026-07-14T00:00:00Z"),
    "day elsewhere": ("day", PARIS, "2026-07-14T22:00:00Z", "2026-07-14T22:00:00Z"),
    "day of 25 hours": ("day", PARIS, "2026-10-25T20:00:00Z", "2026-10-24T22:00:00Z"),
    "week": ("week", UTC, "2026-11-01T23:00:00Z", "2026-10-26T00:00:00Z"),
    "month": ("month", PARIS, "2026-03-31T20:00:00Z", "2026-02-28T23:00:00Z"),
}

PERIODS = {
    "by the clock on the wall": (
        PARIS,
        "2026-07-14T00:00:00.000",
        "2026-07-13T22:00:00",
    ),
    "without fraction": (PARIS, "2026-01-01T00:00:00", "2025-12-31T23:00:00"),
    "with a space": (UTC, "2026-01-01 05:00:00", "2026-01-01T05:00:00"),
    "with an offset": (PARIS, "2026-07-14T00:00:00+02:00", "2026-07-13T22:00:00"),
    "with Z": (PARIS, "2026-07-14T00:00:00Z", "2026-07-14T00:00:00"),
    "a date": (PARIS, "2026-07-14", "2026-07-13T22:00:00"),
    "empty": (UTC, "", None),
    "words": (UTC, "soon", None),
    "now": (UTC, "now", None),
    "number": (UTC, 1767225600, None),
    "null": (UTC, None, None),
    "list": (UTC, ["2026-07-14"], None),
}


class Figures:
    """Answers with a row for each day and records the requested windows."""

    def __init__(self, *, now: datetime | None = NOW) -> None:
        """Set Gorgias' clock, or None if answers have no date."""
        self.now = None if now is None else timestamps.render(now)
        self.windows: list[Window] = []
        self.max_rows = 10_000

    def page_of(self, window: Window) -> Page:
        """Answer with a window's days and one more at both ends."""
        self.windows.append(window)
        first = window.start.astimezone(timezone.utc) - timedelta(days=1)
        days = (window.end - window.start).days + 2
        starts = [first + timedelta(days=n) for n in range(days)]
        rows = [{KEY: timestamps.render(start)} for start in starts if start <= NOW]
        if len(rows) > self.max_rows:
            raise RowsMissingError
        return Page([*rows[::2], *rows[1::2]], now=self.now, key=KEY)


def steps_of(
    figures: Figures,
    since: datetime,
    *,
    bookmark: str | None = None,
    now: datetime = NOW,
    calendar: Calendar = DAYS,
) -> list[tuple[list[str], str | None]]:
    """Return the periods of each step and the bookmark that it saves."""
    steps = by_period(
        figures.page_of,
        calendar=calendar,
        bookmark=bookmark,
        since=since,
        now=now,
    )
    return [
        (
            [row[KEY] for row in step.rows],
            step.position.bookmark if step.position else None,
        )
        for step in steps
    ]


@table(STARTS)
def test_a_period_starts_in_local_time(case: tuple[str, ZoneInfo, str, str]) -> None:
    """The time zone is the requested one, and weeks start on Monday."""
    granularity, zone, timestamp, start = case
    found = Calendar(granularity, zone).start_of(timestamps.parse(timestamp))
    assert found == timestamps.parse(start)


@table(PERIODS)
def test_a_period_is_parsed_in_the_time_zone_of_the_query(
    case: tuple[ZoneInfo, object, str | None],
) -> None:
    """A value without an offset is in local time."""
    zone, value, timestamp = case
    expected = None if timestamp is None else f"{timestamp}.000000Z"
    assert Calendar("day", zone).read(value) == expected


@given(
    st.sampled_from(GRANULARITIES),
    st.sampled_from(ZONES),
    st.datetimes(datetime(2015, 2, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 (UTC below)
    st.integers(0, 2_000),
)
def test_windows_contain_all_periods_once_and_have_a_maximum_length(
    granularity: str, zone: ZoneInfo, naive: datetime, days: int
) -> None:
    """Each starts where the previous one ends, at the border of a period."""
    since = naive.replace(tzinfo=timezone.utc)
    now = since + timedelta(days=days)
    calendar = Calendar(granularity, zone)
    figures = Figures(now=now)

    steps_of(figures, since, now=now, calendar=calendar)

    windows = figures.windows
    assert windows[0].start == calendar.start_of(since)
    assert windows[-1].end > now
    assert calendar.start_of(windows[-1].end - timedelta(hours=1)) <= now
    for window, following in itertools.pairwise(windows):
        assert window.end == following.start
    for window in windows:
        assert calendar.start_of(window.end) == window.end
        first, last = map(datetime.fromisoformat, window.with_margin)
        assert last - first <= timedelta(days=92)
        assert first <= window.start.replace(tzinfo=None) - timedelta(hours=15)


def test_a_window_drops_rows_of_other_windows() -> None:
    """Rows are emitted once although more are requested."""
    since = NOW - timedelta(days=800)
    periods = [period for rows, _ in steps_of(Figures(), since) for period in rows]
    assert len(periods) == 801
    assert len(set(periods)) == 801


def test_the_bookmark_moves_with_each_window() -> None:
    """An interrupted run resumes at the beginning of its window."""
    steps = steps_of(Figures(), NOW - timedelta(days=120))
    assert [bookmark for _, bookmark in steps] == [
        "2026-10-03T00:00:00.000000Z",
        "2026-11-02T00:00:00.000000Z",
    ]


def test_a_truncated_window_is_read_in_shorter_ones() -> None:
    """They stay short, and a bookmark never passes unread periods."""
    figures = Figures()
    figures.max_rows = 13  # days, two of which belong to adjacent windows
    since = NOW - timedelta(days=120)

    steps = steps_of(figures, since)

    periods = {period for rows, _ in steps for period in rows}
    assert len(periods) == 121
    lengths = [(window.end - window.start).days for window in figures.windows]
    assert lengths[:5] == [90, 45, 22, 11, 11]
    assert max(lengths[4:]) == 11
    whole: set[str] = set()
    for rows, bookmark in steps:
        whole |= set(rows)
        assert bookmark
        assert {period for period in periods if period < bookmark} <= whole
    assert steps[-1][1] == "2026-11-02T00:00:00.000000Z"


@pytest.mark.parametrize("granularity", GRANULARITIES)
def test_periods_can_be_read_one_by_one(granularity: str) -> None:
    """Each is requested up to its last second in local time."""
    calendar = Calendar(granularity, PARIS)
    figures = Figures()
    since = NOW - timedelta(days=90)
    _ = [
        *by_period(
            figures.page_of,
            calendar=calendar,
            bookmark=None,
            since=since,
            now=NOW,
            longest=timedelta(0),
        )
    ]
    for window, following in itertools.pairwise(figures.windows):
        assert window.end == calendar.after(window.start) == following.start
        first, last = map(datetime.fromisoformat, window.without_margin)
        assert first == window.start.replace(tzinfo=None)
        assert last == window.end.replace(tzinfo=None) - timedelta(seconds=1)


def test_the_bookmark_ends_at_the_newest_period_that_has_a_row() -> None:
    """An unfinished period is read again, with or without a look-back."""

    def quiet(_: Window) -> Page:
        return Page([{KEY: "2026-10-20T00:00:00.000000Z"}, {KEY: None}], key=KEY)

    (step,) = by_period(
        quiet,
        calendar=DAYS,
        bookmark="2026-10-15T00:00:00.000000Z",
        since=NOW - timedelta(days=18),
        now=NOW,
    )
    assert len(step.rows) == 2
    assert step.position
    assert step.position.bookmark == "2026-10-20T00:00:00.000000Z"


def test_a_bookmark_never_goes_back() -> None:
    """The look-back reads older periods again."""
    bookmark = "2026-11-01T00:00:00.000000Z"
    figures = Figures(now=NOW - timedelta(days=3))
    (*_, (_, last)) = steps_of(figures, NOW - timedelta(days=9), bookmark=bookmark)
    assert last == bookmark


@pytest.mark.parametrize("wrong_by", [timedelta(days=5_000), -timedelta(days=60)])
def test_the_clock_of_gorgias_takes_precedence(wrong_by: timedelta) -> None:
    """A wrong local clock affects neither the end of the read nor the bookmark."""
    since = NOW - timedelta(days=30)
    steps = steps_of(Figures(), since, now=NOW + wrong_by)
    periods = {period for rows, _ in steps for period in rows}
    assert "2026-11-02T00:00:00.000000Z" in periods
    assert steps[-1][1] == "2026-11-02T00:00:00.000000Z"


@pytest.mark.parametrize(
    "since",
    [
        datetime(1, 1, 1, tzinfo=timezone.utc),
        datetime(9999, 12, 31, tzinfo=timezone.utc),
    ],
)
@pytest.mark.parametrize("granularity", GRANULARITIES)
def test_extreme_start_dates_are_handled(since: datetime, granularity: str) -> None:
    """Years 1 and 9999 overflow in some time zones."""
    figures = Figures()
    steps_of(figures, since, calendar=Calendar(granularity, PARIS))
    assert len(figures.windows) == 1 or since.year == 1
    assert len(figures.windows) <= 70
