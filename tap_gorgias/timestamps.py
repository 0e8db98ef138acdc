"""Date-times in the one form that leaves the tap: RFC 3339, UTC, six digits."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

_USUAL = re.compile(
    r"(\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d)(\.\d{6})?(?:Z|\+00:00)", re.ASCII
)
"""The form of nearly every live value, and that in which values leave."""


def normalized(text: Any) -> str:  # noqa: ANN401
    """Bring a date-time into the one form.

    Args:
        text: A date-time in any form that `parse` reads.

    Returns:
        The same moment as `render` writes it.

    Raises:
        ValueError: If it is no date-time.
    """
    if not isinstance(text, str) or not (usual := _USUAL.fullmatch(text)):
        return render(parse(text))
    _moment_of(usual)
    return f"{usual[1]}{usual[2] or '.000000'}Z"


def parse(text: Any, zone: str = "UTC") -> datetime:  # noqa: ANN401
    """Read a date-time in any form that Gorgias, STATE or a setting may hold.

    Args:
        text: For example `2026-08-26T12:46:06.231080+00:00`, the same without
            fraction or with a space, a naive one, or a bare date.
        zone: IANA name of the time zone of a text that has none.

    Returns:
        The moment in UTC. Digits beyond microseconds are cut.

    Raises:
        ValueError: If it is none of these, or no text at all.
    """
    if not isinstance(text, str) or not text[:1].isdigit():
        raise ValueError(_NOT_A_DATE)
    if usual := _USUAL.fullmatch(text):
        return _moment_of(usual)
    # Its import takes a tenth of the time in which the tap starts.
    import pendulum  # noqa: PLC0415 (rarely needed)
    from pendulum.exceptions import ParserError  # noqa: PLC0415

    try:
        value = pendulum.parse(text, exact=True, tz=zone)
    except (ParserError, ValueError, OverflowError) as error:
        raise ValueError(_NOT_A_DATE) from error
    if isinstance(value, pendulum.DateTime):
        # Pendulum's arithmetic forgets time zones that are not its own.
        moment = datetime.fromisoformat(value.isoformat())
    elif isinstance(value, pendulum.Date):
        moment = pendulum.datetime(value.year, value.month, value.day, tz=zone)
    else:
        raise ValueError(_NOT_A_DATE)  # noqa: TRY004 (one verdict for all bad input)
    try:
        return moment.astimezone(timezone.utc)
    except OverflowError as error:
        raise ValueError(_NOT_A_DATE) from error


def render(moment: datetime) -> str:
    """Write a moment as `2026-08-26T12:46:06.231080Z`.

    Args:
        moment: An aware date-time in UTC.

    Returns:
        27 characters; such texts sort as the moments do.
    """
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def earlier(text: str, by: timedelta) -> str:
    """Go back from a rendered moment.

    Args:
        text: A moment as `render` writes it.
        by: How far back.

    Returns:
        The earlier moment, rendered; year 1 at the earliest.
    """
    try:
        return render(parse(text) - by)
    except OverflowError:
        return render(datetime.min.replace(tzinfo=timezone.utc))


def _moment_of(usual: re.Match[str]) -> datetime:
    try:
        return datetime.fromisoformat(f"{usual[1]}{usual[2] or ''}+00:00")
    except ValueError:
        raise ValueError(_NOT_A_DATE) from None


_NOT_A_DATE = "not a date-time"
