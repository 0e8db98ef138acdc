"""The HTTP session of all streams: rate limit, timeouts, sizes, no redirects."""

from __future__ import annotations

import email.utils
import logging
import math
import re
import ssl
import time
from datetime import datetime, timedelta, timezone
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import requests
from requests import exceptions
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3 import Timeout
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
)

from tap_gorgias import timestamps
from tap_gorgias.compat import override
from tap_gorgias.records.decoding import decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from urllib3 import BaseHTTPResponse

    from tap_gorgias.api.limiter import Pause, RateLimiter
    from tap_gorgias.api.usage import RunSummary

CONNECT_TIMEOUT_SECONDS = 10

MAX_TIMEOUTS_PER_BODY = 10
"""Deadline of a body, in read timeouts."""

MAX_BODY_BYTES = 64 * 1024 * 1024

MAX_CONNECTIONS = 32
"""More than can be in flight: 8 streams, one of which reads 8 children at a time."""

CALL_LIMIT_HEADER = "X-Gorgias-Account-Api-Call-Limit"

MAX_PAUSE_SECONDS = 300.0
"""Limit of the pause after a 429; retries end after this time as well."""


_HOST = re.compile(r"(?:[\w.-]+|\[[\da-fA-F:]+\])(?::\d{1,5})?")


class TransportError(Exception):
    """No complete response was received. The message has no URL and no credentials."""

    def __init__(
        self,
        message: str,
        *,
        is_transient: bool = True,
        is_too_large: bool = False,
        advice: str = "",
    ) -> None:
        super().__init__(message)
        self.is_transient = is_transient
        self.is_too_large = is_too_large
        self.advice = advice


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
            if time.monotonic() > self.deadline:
                self.close()
                message = "the response took too long."
                raise TransportError(message)
            if size > MAX_BODY_BYTES:
                self.close()
                message = f"the response is larger than {MAX_BODY_BYTES // 2**20} MB."
                raise TransportError(message, is_transient=False, is_too_large=True)
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


class RateLimitAdapter(HTTPAdapter):
    """Sends requests when the rate limiter permits, and counts them."""

    def __init__(self, limiter: RateLimiter, summary: RunSummary) -> None:
        super().__init__(pool_maxsize=MAX_CONNECTIONS)
        self._limiter = limiter
        self._summary = summary

    @override
    def send(
        self,
        request: requests.PreparedRequest,
        *args: Any,
        timeout: Any = None,
        stream_name: str = "",
        **options: Any,
    ) -> requests.Response:
        """Wait for the rate limiter, then send the request.

        `timeout` is the limit of each read in seconds, and of the first one together
        with connecting. Proxies are ignored for plain HTTP, which is allowed for
        loopback addresses only.
        """
        if not _is_https(request.url):
            options["proxies"] = None
        permit = self._limiter.acquire(stream_name, request.path_url.partition("?")[0])
        self._summary.count(stream_name, requests=1)
        options["timeout"] = Timeout(timeout, connect=CONNECT_TIMEOUT_SECONDS)
        try:
            response = cast("GorgiasResponse", super().send(request, *args, **options))
        except BaseException:
            self._limiter.release(permit, None, has_passed=False)
            raise
        response.deadline = time.monotonic() + MAX_TIMEOUTS_PER_BODY * timeout
        call_limit = response.headers.get(CALL_LIMIT_HEADER)
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            seconds = retry_after_seconds(response.headers)
            limited = seconds and min(seconds, MAX_PAUSE_SECONDS)
            response.pause = self._limiter.refuse(permit, call_limit, limited)
        else:
            self._limiter.release(permit, call_limit)
        return response

    @override
    def build_response(
        self, req: requests.PreparedRequest, resp: BaseHTTPResponse
    ) -> GorgiasResponse:
        # The tap needs no cookies, and `http.cookiejar` prints a traceback for some.
        if (original := getattr(resp, "_original_response", None)) is not None:
            del original.msg["Set-Cookie"]
        response = GorgiasResponse()
        response.__dict__.update(super().build_response(req, resp).__dict__)
        return response


class GorgiasSession(requests.Session):
    """A session that follows no redirects and describes failures safely.

    A redirect can lead to any host, and credentials must not be sent there.
    """

    def __init__(
        self, limiter: RateLimiter, summary: RunSummary, user_agent: str
    ) -> None:
        super().__init__()
        self.headers.update({"Accept": "application/json", "User-Agent": user_agent})
        adapter = RateLimitAdapter(limiter, summary)
        self.mount("https://", adapter)
        self.mount("http://", adapter)
        # It quotes all headers of a response, such as cookies, if one is malformed.
        logging.getLogger("urllib3.connection").addFilter(_is_without_headers)

    @override
    def get_redirect_target(self, resp: requests.Response) -> None:
        # Otherwise the body of a redirect is read without limit, followed or not.
        return None

    def proxy_of(self, url: str) -> str | None:
        """Return what is shown of the proxy in the environment; None without one."""
        options = self.merge_environment_settings(url, {}, None, None, None)
        proxy = select_proxy(url, options["proxies"]) if _is_https(url) else None
        if not proxy:
            return None
        # A password that is not escaped may contain any character.
        host = proxy.rpartition("@")[2].rpartition("//")[2].rstrip("/")
        return host if _HOST.fullmatch(host) else "in `HTTPS_PROXY`"

    @override
    def send(
        self, request: requests.PreparedRequest, **kwargs: Any
    ) -> requests.Response:
        """Send a request and read its response, whatever its status.

        Raises `TransportError` if no complete response is received.
        """
        url = request.url or ""
        environment = self.merge_environment_settings(url, {}, None, None, None)
        options = {**environment, **kwargs, "allow_redirects": False}
        try:
            return super().send(request, **options)
        except (HTTPError, OSError, ValueError) as error:
            raise _transport_error(error, kwargs["timeout"]) from None


def _is_without_headers(record: logging.LogRecord) -> bool:
    return not record.exc_info


def _is_https(url: str | None) -> bool:
    return (url or "").lower().startswith("https:")


_CONNECTION_LOST = (
    requests.ConnectionError,
    exceptions.ChunkedEncodingError,
    exceptions.ContentDecodingError,
)


def _transport_error(error: Exception, seconds: float) -> TransportError:
    """Describe a failure without the URL, which the original message contains."""
    causes = list(_causes(error))

    def has(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    advice, is_final = "", False
    untrusted = [one for one in causes if isinstance(one, ssl.SSLCertVerificationError)]
    if has(exceptions.SSLError) and untrusted:
        message = f"the TLS connection failed: {untrusted[0].verify_message}."
        advice = "Name the file of trusted certificates in REQUESTS_CA_BUNDLE."
        is_final = True
    elif has(exceptions.SSLError):
        message = "the TLS connection could not be established."
    elif has(exceptions.ProxyError):
        message = "the proxy does not open a connection."
        advice = "Check `HTTPS_PROXY`."
    elif has(NameResolutionError):
        message = "the host name was not found."
    elif has(NewConnectionError, ConnectTimeoutError):
        message = "the connection could not be established."
    elif has(requests.Timeout):
        message = f"no response within {round(seconds, 1):g} s."
    elif isinstance(error, _CONNECTION_LOST) or not isinstance(error, OSError):
        message = "the connection was lost before the response was complete."
    elif isinstance(error, requests.RequestException):
        message = f"the request cannot be sent ({type(error).__name__})."
        is_final = True
    else:  # `requests` raises a plain OSError for an unusable certificate file.
        message = (
            "the CA certificates in REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE cannot be "
            "read."
        )
        is_final = True
    return TransportError(message, is_transient=not is_final, advice=advice)


def _causes(error: object) -> Iterator[BaseException]:
    """Yield an exception and those that it wraps, as `requests` and urllib3 do."""
    if isinstance(error, BaseException):
        yield error
        for wrapped in (*error.args, getattr(error, "reason", None)):
            yield from _causes(wrapped)


def latest_timestamp_of(response: requests.Response) -> str | None:
    """Return the latest time at which Gorgias can have created a response.

    This is its `Date` plus one second, because the header has no fractions.
    """
    date = _parse_http_date(response.headers.get("Date"))
    try:
        return timestamps.render(date + timedelta(seconds=1)) if date else None
    except OverflowError:
        return None


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of `Retry-After`; None if missing or invalid.

    An HTTP date is compared with the `Date` of the response rather than with the local
    clock.
    """
    value = headers.get("Retry-After")
    try:
        seconds = float(value or "")
    except ValueError:
        if (until := _parse_http_date(value)) is None:
            return None
        now = _parse_http_date(headers.get("Date")) or datetime.now(timezone.utc)
        seconds = (until - now).total_seconds()
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _parse_http_date(value: str | None) -> datetime | None:
    try:
        date = email.utils.parsedate_to_datetime(value or "")
        date = date if date.tzinfo else date.replace(tzinfo=timezone.utc)
        return date.astimezone(timezone.utc)
    except (IndexError, OverflowError, TypeError, ValueError):
        return None
