"""Responses of Gorgias: limited in size, decoded once, and dated."""

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
    """The body is larger than `MAX_BODY_BYTES`, after it was uncompressed."""


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
        """Return the decoded body, the same object each time.

        Args:
            kwargs: Ignored.

        Raises:
            TooDeepError: If it is nested too deeply to be loaded by a target.
            ValueError: If it is not JSON.
        """
        return self._value

    @cached_property
    def _value(self) -> Any:  # noqa: ANN401
        return decode(self.content)


def is_success(response: requests.Response) -> bool:
    """Tell whether the request was granted; a redirect does not count."""
    return response.status_code in range(200, 300)


def date_of(headers: Mapping[str, str]) -> datetime | None:
    """Return when Gorgias made an answer, by its own clock, cut to the second."""
    return _parse_http_date(headers.get("Date"))


def latest_timestamp_of(response: requests.Response) -> str | None:
    """Return the latest time at which Gorgias can have made an answer.

    Args:
        response: Any response.

    Returns:
        Its `Date` plus the second that the header cuts off, rendered; None if the
        header is absent or unreadable.
    """
    date = date_of(response.headers)
    try:
        return None if date is None else timestamps.render(date + timedelta(seconds=1))
    except OverflowError:
        return None


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Return how long a 429 asks to wait (reference/limitations).

    Args:
        headers: Headers of the response, looked up without regard to case. The header
            holds whole seconds or an HTTP date, which is compared with the response's
            own `Date` because clocks differ.

    Returns:
        Seconds, never negative; None if the header is absent or unreadable.
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
