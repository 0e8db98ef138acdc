"""Parsing and rendering of date-times.

All date-times in the output have one form: RFC 3339 in UTC with microseconds.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

_COMMON_FORM = re.compile(
    r"(\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d)(\.\d{6})?(?:Z|\+00:00)", re.ASCII
)
"""The form of almost all values of the API and of the output."""

_NOT_A_DATE = "not a date-time"


def normalized(text: Any) -> str:  # noqa: ANN401
    """Convert a date-time in any form that `parse` accepts to that of `render`."""
    if not isinstance(text, str) or not (match := _COMMON_FORM.fullmatch(text)):
        return render(parse(text))
    seconds, fraction = match.groups(".000000")
    datetime.fromisoformat(seconds)  # raises ValueError, for example for February 30
    return f"{seconds}{fraction}Z"


def parse(text: Any, zone: str = "UTC") -> datetime:  # noqa: ANN401
    """Parse a date-time in any form that Gorgias, STATE or a setting may contain.

    For example `2026-08-26T12:46:06.231080+00:00`, with or without fraction, time zone
    or time, and with `T` or a space before the time. `zone` is the IANA name of the
    zone of a text that has none. Returns UTC, truncated to microseconds; raises
    `ValueError` for anything else.
    """
    try:
        if not isinstance(text, str) or not (match := _COMMON_FORM.fullmatch(text)):
            return _parse_other_form(text, zone).astimezone(timezone.utc)
        return datetime.fromisoformat(f"{match[1]}{match[2] or ''}+00:00")
    except (OverflowError, ValueError) as error:
        raise ValueError(_NOT_A_DATE) from error


def _parse_other_form(text: Any, zone: str) -> datetime:  # noqa: ANN401
    if isinstance(text, str) and text[:1].isdigit():
        # This import takes a tenth of the startup time of the tap.
        import pendulum  # noqa: PLC0415 (rarely needed)

        value = pendulum.parse(text, exact=True, tz=zone)
        if isinstance(value, pendulum.DateTime):
            # Arithmetic of pendulum ignores time zones of other libraries.
            return datetime.fromisoformat(value.isoformat())
        if isinstance(value, pendulum.Date):
            return pendulum.datetime(value.year, value.month, value.day, tz=zone)
    raise ValueError(_NOT_A_DATE)


def render(timestamp: datetime) -> str:
    """Format a date-time in UTC such as `2026-08-26T12:46:06.231080Z`.

    All have 27 characters and sort chronologically.
    """
    return timestamp.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def earlier(text: str, by: timedelta) -> str:
    """Subtract a duration from a rendered date-time, down to the year 1."""
    try:
        return render(parse(text) - by)
    except OverflowError:
        return render(datetime.min.replace(tzinfo=timezone.utc))


def normalized_or_none(value: Any) -> str | None:  # noqa: ANN401
    """Convert a value of a row, which may be null or no date-time."""
    try:
        return normalized(value)
    except ValueError:
        return None


def is_before(value: Any, timestamp: str | None) -> bool:  # noqa: ANN401
    """Return whether a value of a row is earlier; false if either is no date-time."""
    own = normalized_or_none(value)
    return own is not None and timestamp is not None and own < timestamp


def lower(first: str | None, second: str | None) -> str | None:
    """Return the lower of two floors; None is the lowest."""
    return None if first is None or second is None else min(first, second)


def later(first: str | None, second: str | None) -> str | None:
    """Return the later of two timestamps; None if both are None."""
    return max(filter(None, (first, second)), default=None)


def sooner(first: str | None, second: str | None) -> str | None:
    """Return the earlier of two timestamps; None if both are None."""
    return min(filter(None, (first, second)), default=None)
