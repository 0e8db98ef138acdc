"""Date-times arrive in many formats and are rendered in one, in any local time zone."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_gorgias import timestamps
from tests.support.cases import table

if TYPE_CHECKING:
    from collections.abc import Iterator

DATE_TIMES = st.datetimes(timezones=st.just(timezone.utc))

FORMS = {
    "as Gorgias writes it": (
        "2026-08-26T12:46:06.231080+00:00",
        "2026-08-26T12:46:06.231080Z",
    ),
    "without fraction": ("2026-08-26T12:46:06+00:00", "2026-08-26T12:46:06.000000Z"),
    "short fraction": ("2026-08-26T12:46:06.5+00:00", "2026-08-26T12:46:06.500000Z"),
    "milliseconds": ("2026-08-26T12:46:06.231Z", "2026-08-26T12:46:06.231000Z"),
    "nanoseconds are cut": (
        "2026-08-26T12:46:06.231080999Z",
        "2026-08-26T12:46:06.231080Z",
    ),
    "nanoseconds with offset are cut": (
        "2026-08-26T12:46:06.231080999+00:00",
        "2026-08-26T12:46:06.231080Z",
    ),
    "Z": ("2026-08-26T12:46:06Z", "2026-08-26T12:46:06.000000Z"),
    "offset east": ("2026-08-26T01:00:00+02:30", "2026-08-25T22:30:00.000000Z"),
    "offset west": ("2026-08-26T23:00:00-05:00", "2026-08-27T04:00:00.000000Z"),
    "naive is UTC": ("2026-08-26T12:46:06.231080", "2026-08-26T12:46:06.231080Z"),
    "space": ("2026-08-26 12:46:06", "2026-08-26T12:46:06.000000Z"),
    "space and offset": (
        "2026-08-26 12:46:06.5+00:00",
        "2026-08-26T12:46:06.500000Z",
    ),
    "date": ("2026-08-26", "2026-08-26T00:00:00.000000Z"),
    "first year": ("0001-01-01T00:00:00+00:00", "0001-01-01T00:00:00.000000Z"),
    "last year": ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000000Z"),
}

UNUSABLE: dict[str, object] = {
    "empty": "",
    "space": " ",
    "words": "yesterday",
    "the local clock": "now",
    "only an offset": "+00:00",
    "time": "12:46:06",
    "time with offset": "12:46:06+00:00",
    "duration": "P1D",
    "interval": "2026-08-26/2026-08-27",
    "no such day": "2026-02-30",
    "no such day with offset": "2026-02-30T00:00:00+00:00",
    "no such month": "2026-13-01",
    "zeros": "0000-00-00 00:00:00",
    "offset too large": "2026-08-26T00:00:00+25:00",
    "before the first year in UTC": "0001-01-01T00:00:00+05:00",
    "after the last year in UTC": "9999-12-31T23:59:59-05:00",
    "epoch seconds as text": "1735689600",
    "foreign digits": "\u0662\u0660\u0662\u0666-08-26",
    "number": 1735689600,
    "boolean": True,
    "null": None,
    "list": ["2026-08-26"],
    "object": {"date": "2026-08-26"},
}


@pytest.fixture(scope="module", autouse=True)
def new_york() -> Iterator[None]:
    """Set the local time zone of this machine, which must not matter."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


@table(FORMS)
def test_any_format_becomes_utc_with_six_digits(case: tuple[str, str]) -> None:
    """Targets compare strings, so the format must be uniform."""
    text, rendered = case
    assert timestamps.render(timestamps.parse(text)) == rendered


@table(UNUSABLE)
def test_anything_but_a_date_time_is_refused(case: object) -> None:
    """The error is the same for all invalid input."""
    with pytest.raises(ValueError, match="not a date-time"):
        timestamps.parse(case)


@given(DATE_TIMES)
def test_parsing_inverts_rendering(timestamp: datetime) -> None:
    """STATE has the same meaning in the next run."""
    assert timestamps.parse(timestamps.render(timestamp)) == timestamp


@given(DATE_TIMES, DATE_TIMES)
def test_rendered_texts_sort_chronologically(one: datetime, other: datetime) -> None:
    """Bookmarks are compared as strings."""
    as_texts = timestamps.render(one) < timestamps.render(other)
    assert as_texts == (one < other)


@given(st.text())
def test_any_text_is_parsed_as_utc_or_refused(text: str) -> None:
    """No string raises another error."""
    try:
        timestamp = timestamps.parse(text)
    except ValueError:
        return
    assert timestamp.utcoffset() == timedelta(0)


@given(
    DATE_TIMES.filter(lambda timestamp: 1 < timestamp.year < 9999),
    st.integers(-23 * 60 - 59, 23 * 60 + 59),
)
def test_an_offset_is_applied(timestamp: datetime, minutes: int) -> None:
    """Equal times in different time zones are rendered equally."""
    there = timestamp.astimezone(timezone(timedelta(minutes=minutes)))
    assert timestamps.parse(there.isoformat()) == timestamp


@pytest.mark.parametrize(
    ("by", "earlier"),
    [
        (timedelta(minutes=2), "2026-08-26T12:44:06.231080Z"),
        (timedelta(0), "2026-08-26T12:46:06.231080Z"),
        (timedelta(days=30), "2026-07-27T12:46:06.231080Z"),
        (timedelta(days=36_500 * 100), "0001-01-01T00:00:00.000000Z"),
    ],
    ids=["minutes", "nothing", "days", "beyond the calendar"],
)
def test_going_back_ends_at_the_first_year(by: timedelta, earlier: str) -> None:
    """A huge look-back reads everything instead of raising an error."""
    assert timestamps.earlier("2026-08-26T12:46:06.231080Z", by) == earlier
