"""Responses of Gorgias: size limit, decoding and dates."""

from __future__ import annotations

import email.utils
import math
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any

import requests

from tap_gorgias import timestamps
from tap_gorgias.compat import override
from tap_gorgias.records.decoding import decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_BODY_BYTES = 64 * 1024 * 1024


class ResponseTooLargeError(Exception):
    """The decompressed body is larger than `MAX_BODY_BYTES`."""


class GorgiasResponse(requests.Response):
    """A response whose body is read once and decoded once."""

    @override
    def iter_content(
        self, chunk_size: int | None = 1, decode_unicode: bool = False
    ) -> Iterator[Any]:
        size = 0
        for chunk in super().iter_content(chunk_size, decode_unicode):
            size += len(chunk)
            if size > MAX_BODY_BYTES:
                self.close()
                raise ResponseTooLargeError
            yield chunk

    @override
    def json(self, **kwargs: Any) -> Any:
        """Return the decoded body; the same object on each call.

        Args:
            kwargs: Ignored.

        Raises:
            TooDeepError: If the value is nested too deeply for targets to load.
            ValueError: If the body is not valid JSON.
        """
        return self._value

    @cached_property
    def _value(self) -> Any:  # noqa: ANN401
        return decode(self.content)


def date_of(headers: Mapping[str, str]) -> datetime | None:
    """Return the `Date` of a response: whole seconds of the clock of Gorgias."""
    return _parse_http_date(headers.get("Date"))


def latest_timestamp_of(response: requests.Response) -> str | None:
    """Return the latest time at which Gorgias can have created a response.

    Args:
        response: Any response.

    Returns:
        The timestamp of its `Date` plus one second, because the header has no
        fractions; None if the header is missing or invalid.
    """
    date = date_of(response.headers)
    try:
        return None if date is None else timestamps.render(date + timedelta(seconds=1))
    except OverflowError:
        return None


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Return the seconds in the header `Retry-After` (reference/limitations).

    Args:
        headers: Case-insensitive headers of the response. `Retry-After` is a number of
            seconds or an HTTP date. A date is compared with the `Date` of the response
            rather than with the local clock.

    Returns:
        Seconds, not negative; None if the header is missing or invalid.
    """
    value = headers.get("Retry-After")
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        until = _parse_http_date(value)
        if until is None:
            return None
        now = date_of(headers) or datetime.now(timezone.utc)
        seconds = (until - now).total_seconds()
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _parse_http_date(value: str | None) -> datetime | None:
    try:
        date = email.utils.parsedate_to_datetime(value or "")
        date = date if date.tzinfo else date.replace(tzinfo=timezone.utc)
        return date.astimezone(timezone.utc)
    except (IndexError, OverflowError, TypeError, ValueError):
        return None
