"""Timestamps in whole microseconds since 1970 (UTC)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)

SECOND = 1_000_000
DAY = 86_400 * SECOND


def iso(timestamp: int) -> str:
    """Format a timestamp as the API does, without a fraction on whole seconds."""
    return (_EPOCH + timedelta(microseconds=timestamp)).isoformat()


def iso_or_none(timestamp: int | None) -> str | None:
    """Format an optional timestamp."""
    return None if timestamp is None else iso(timestamp)


def micros(text: str) -> int:
    """Parse an ISO 8601 date-time; without an offset it is in UTC."""
    timestamp = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if timestamp.tzinfo is None:
        timestamp = timestamp.replace(tzinfo=timezone.utc)
    return (timestamp - _EPOCH) // _MICROSECOND
