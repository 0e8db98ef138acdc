"""Reading by period: hours, days, weeks or months of a time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_gorgias import timestamps
from tap_gorgias.replication.bookmarks import Position
from tap_gorgias.replication.pages import PageError
from tap_gorgias.replication.walks import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from zoneinfo import ZoneInfo

    from tap_gorgias.replication.pages import Page

MARGIN = timedelta(days=1)
LONGEST_WINDOW = timedelta(days=90)
"""Gorgias takes queries over 366 days at most (observed by third parties), but the rows
of a window have to fit into one answer."""
EARLIEST = datetime(2015, 1, 1, tzinfo=timezone.utc)
"""Gorgias has no figures of earlier years, so none are requested."""

_STEPS: Mapping[str, timedelta] = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=31),
}
"""From the start of a period into the next one, in local time."""


class RowsMissingError(Exception):
    """A response does not hold all rows of its window."""


class Window(NamedTuple):
    """Complete periods: from the start of the first to the end of the last."""

    start: datetime
    end: datetime

    @property
    def with_margin(self) -> tuple[str, str]:
        """Borders of a query whose rows name their periods, in local time.

        The documentation does not say whether a query includes its borders, or in which
        time zone it reads them. So it covers a day more at both ends, whose rows are
        left out again.
        """
        return _local(self.start - MARGIN), _local(self.end + MARGIN)

    @property
    def without_margin(self) -> tuple[str, str]:
        """Borders of a query whose rows name no period, in local time.

        They end with the last second of the period, as in Gorgias' own web app.
        """
        return _local(self.start), _local(self.end - timedelta(seconds=1))


@dataclass(frozen=True)
class Calendar:
    """Divides time into periods."""

    granularity: str
    zone: ZoneInfo

    def start_of(self, time: datetime) -> datetime:
        """Return the start of a time's period, where weeks begin on Monday."""
        start = time.astimezone(self.zone).replace(minute=0, second=0, microsecond=0)
        if self.granularity != "hour":
            start = start.replace(hour=0)
        if self.granularity == "week":
            start -= timedelta(days=start.weekday())
        return start.replace(day=1) if self.granularity == "month" else start

    def after(self, start: datetime) -> datetime:
        """Return the start of the period after the one that starts at `start`."""
        return self.start_of(start + _STEPS[self.granularity])

    def read(self, value: Any) -> str | None:  # noqa: ANN401
        """Render in UTC a date-time of Gorgias, local by default; None if invalid."""
        try:
            return timestamps.render(timestamps.parse(value, self.zone.key))
        except ValueError:
            return None


def by_period(
    page_of: Callable[[Window], Page],
    *,
    calendar: Calendar,
    bookmark: str | None,
    since: datetime,
    now: datetime,
    longest: timedelta = LONGEST_WINDOW,
) -> Iterator[Step]:
    """Read figures of periods, window by window, oldest first.

    A window holds complete periods only: part of a week would overwrite the figures of
    the complete week. The current period is read too, and again in the next run. If a
    response does not hold all rows of its window (`RowsMissingError`), shorter windows
    follow; `PageError` if that of a single period does not.

    All periods before `bookmark` have been emitted. `now` is the present by the local
    clock, until a response says what it is, and `longest` limits a window that holds
    several periods. The bookmark moves to the end of each window, or in the last one to
    the newest period that has a row.
    """
    start = calendar.start_of(min(max(since, EARLIEST), now))
    while start <= now:
        next_start = calendar.after(start)
        end = max(calendar.start_of(start + longest), next_start)
        if end > now:
            end = calendar.after(calendar.start_of(now))
        try:
            page = page_of(Window(start, end))
        except RowsMissingError:
            if end <= next_start:
                message = (
                    f"the response for a single {calendar.granularity} does not hold "
                    "all of its rows. Ask for fewer dimensions or a finer granularity."
                )
                raise PageError(message) from None
            longest = (end - start) / 2
            continue
        now = now if page.now is None else timestamps.parse(page.now)
        present = timestamps.render(now)
        first, beyond = (timestamps.render(_utc(border)) for border in (start, end))
        dated = [one for one in page.dated_rows if first <= (one[1] or first) < beyond]
        begun = (date for _, date in dated if date and date <= present)
        newest = beyond if end <= now else max(begun, default=None)
        bookmark = timestamps.later(bookmark, newest)
        yield Step([row for row, _ in dated], Position(bookmark))
        start = end


def _local(time: datetime) -> str:
    return time.replace(tzinfo=None).isoformat("T", "seconds")


def _utc(time: datetime) -> datetime:
    return time.astimezone(timezone.utc)
