"""Moments, kept as whole microseconds since 1970 (UTC)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)

SECOND = 1_000_000
DAY = 86_400 * SECOND


def iso(moment: int) -> str:
    """Write a moment as the API does: no fraction on a whole second."""
    return (_EPOCH + timedelta(microseconds=moment)).isoformat()


def iso_or_none(moment: int | None) -> str | None:
    """Write a moment that may be missing."""
    return None if moment is None else iso(moment)


def micros(text: str) -> int:
    """Read an ISO 8601 date-time; one without an offset is UTC."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return (moment - _EPOCH) // _MICROSECOND
