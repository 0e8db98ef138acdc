"""Responses of Gorgias: limits of size and time, decoding and dates."""

from __future__ import annotations

import email.utils
import math
import time
from dataclasses import KW_ONLY, dataclass
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any

import requests

from tap_gorgias import timestamps
from tap_gorgias.compat import override
from tap_gorgias.records.decoding import decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_gorgias.api.limiter import Pause

MAX_BODY_BYTES = 64 * 1024 * 1024


@dataclass(eq=False)
class TransportError(Exception):
    """No complete response was received. The message has no URL and no credentials."""

    message: str
    _: KW_ONLY
    is_transient: bool = True
    """Whether a retry may succeed."""
    is_too_large: bool = False
    """Whether the body exceeds the limit of the tap."""
    advice: str = ""
    """What the user can do about it."""


class GorgiasResponse(requests.Response):
    """A response whose body is read once and decoded once."""

    deadline = math.inf
    """When the body must be complete, by `time.monotonic`."""

    pause: Pause | None = None
    """How long to wait after a 429."""

    @override
    def iter_content(
        self, chunk_size: int | None = 1, decode_unicode: bool = False
    ) -> Iterator[Any]:
        # A read timeout only limits the time between two reads, and `read` waits until
        # a chunk is full. So a body that drips in needs `read1` and a deadline.
        size = 0
        while chunk := self.raw.read1(chunk_size, decode_content=True):
            size += len(chunk)
            if size > MAX_BODY_BYTES:
                self.close()
                reason = f"the response is larger than {MAX_BODY_BYTES // 2**20} MB."
                raise TransportError(reason, is_transient=False, is_too_large=True)
            if time.monotonic() > self.deadline:
                self.close()
                reason = "the response took too long."
                raise TransportError(reason)
            yield chunk
        self._content_consumed = True

    @override
    def json(self, **kwargs: Any) -> Any:
        return self._decoded[0]

    @property
    def too_deep(self) -> list[str]:
        """Names of fields that were nested too deeply, and are None."""
        return self._decoded[1]

    @cached_property
    def _decoded(self) -> tuple[Any, list[str]]:
        too_deep: list[str] = []
        return decode(self.content, too_deep.append), too_deep


def date_of(headers: Mapping[str, str]) -> datetime | None:
    """Return the `Date` of a response: whole seconds of the clock of Gorgias."""
    return _parse_http_date(headers.get("Date"))


def latest_timestamp_of(response: requests.Response) -> str | None:
    """Return the latest time at which Gorgias can have created a response.

    This is its `Date` plus one second, because the header has no fractions.
    """
    date = date_of(response.headers)
    try:
        return None if date is None else timestamps.render(date + timedelta(seconds=1))
    except OverflowError:
        return None


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of `Retry-After`; None if missing or invalid.

    An HTTP date is compared with the `Date` of the response rather than with the local
    clock.
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
