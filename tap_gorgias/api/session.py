"""The HTTP session of all streams: rate limit, timeouts, no redirects."""

from __future__ import annotations

import math
import ssl
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3 import Timeout
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
)

from tap_gorgias.api.responses import (
    GorgiasResponse,
    TransportError,
    retry_after_seconds,
)
from tap_gorgias.compat import override

if TYPE_CHECKING:
    from collections.abc import Iterator

    from urllib3 import BaseHTTPResponse

    from tap_gorgias.api.limiter import RateLimiter
    from tap_gorgias.api.usage import RunSummary

CONNECT_TIMEOUT_SECONDS = 10

MAX_TIMEOUTS_PER_BODY = 10
"""Deadline of a body, in read timeouts."""

MAX_CONNECTIONS = 32
"""More than can be in flight: 8 streams, one of which reads 8 children at a time."""

CALL_LIMIT_HEADER = "X-Gorgias-Account-Api-Call-Limit"

MAX_PAUSE_SECONDS = 300.0
"""Limit of the pause after a 429; retries end after this time as well."""

_CONNECTION_LOST = (
    requests.ConnectionError,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)


class RateLimitAdapter(HTTPAdapter):
    """Sends requests when the rate limiter permits, and counts them.

    The read timeout is the longest wait for the next bytes.
    """

    def __init__(
        self, limiter: RateLimiter, summary: RunSummary, timeout_seconds: float
    ) -> None:
        super().__init__(pool_maxsize=MAX_CONNECTIONS)
        self._limiter = limiter
        self._summary = summary
        self._timeout_seconds = timeout_seconds

    @override
    def send(
        self,
        request: requests.PreparedRequest,
        *args: Any,
        stream_name: str = "",
        **options: Any,
    ) -> requests.Response:
        """Wait for the rate limiter, then send the request.

        `timeout` limits the seconds for connecting and each read together. Proxies are
        ignored for plain HTTP, which is allowed for loopback addresses only.
        """
        if not _is_https(request.url):
            options["proxies"] = None
        permit = self._limiter.acquire(stream_name, request.path_url.partition("?")[0])
        self._summary.count(stream_name, requests=1)
        options["timeout"] = Timeout(
            options.get("timeout"),
            connect=CONNECT_TIMEOUT_SECONDS,
            read=self._timeout_seconds,
        )
        try:
            response = cast("GorgiasResponse", super().send(request, *args, **options))
        except BaseException:
            self._limiter.release(permit, None, has_passed=False)
            raise
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
        response.deadline = (
            time.monotonic() + MAX_TIMEOUTS_PER_BODY * self._timeout_seconds
        )
        return response


class GorgiasSession(requests.Session):
    """A session that follows no redirects and describes failures safely.

    A redirect can lead to any host, and credentials must not be sent there.
    """

    def __init__(
        self,
        limiter: RateLimiter,
        summary: RunSummary,
        *,
        user_agent: str,
        timeout_seconds: float,
    ) -> None:
        super().__init__()
        self.headers.update({"Accept": "application/json", "User-Agent": user_agent})
        adapter = RateLimitAdapter(limiter, summary, timeout_seconds)
        self.mount("https://", adapter)
        self.mount("http://", adapter)
        self._timeout_seconds = timeout_seconds

    @override
    def get_redirect_target(self, resp: requests.Response) -> None:
        # Otherwise the body of a redirect is read without limit, followed or not.
        return None

    def proxy_of(self, url: str) -> str | None:
        """Return host and port of the proxy in the environment; None without one."""
        options = self.merge_environment_settings(url, {}, None, None, None)
        proxy = select_proxy(url, options["proxies"]) if _is_https(url) else None
        return proxy and urlsplit(proxy).netloc.rpartition("@")[2]

    @override
    def send(
        self, request: requests.PreparedRequest, **kwargs: Any
    ) -> requests.Response:
        """Send a request and read its response, whatever its status.

        Raises `TransportError` if no complete response is received.
        """
        environment = self.merge_environment_settings(
            request.url or "", {}, None, None, None
        )
        options = {**environment, **kwargs, "allow_redirects": False}
        seconds = min(self._timeout_seconds, kwargs.get("timeout") or math.inf)
        try:
            return super().send(request, **options)
        except (HTTPError, OSError, ValueError) as error:
            raise _transport_error(error, seconds) from None


def _transport_error(error: Exception, seconds: float) -> TransportError:
    """Describe a failure without the URL, which the original message contains."""
    if isinstance(error, requests.exceptions.SSLError):
        return _tls_error(error)
    cause = getattr(error.args[0] if error.args else None, "reason", None)
    if isinstance(error, requests.exceptions.ProxyError):
        message = "the proxy does not open a connection."
        return TransportError(message, advice="Check `HTTPS_PROXY`.")
    if isinstance(cause, NameResolutionError):
        return TransportError("the host name was not found.")
    could_connect = not isinstance(cause, (NewConnectionError, ConnectTimeoutError))
    if isinstance(error, requests.ConnectTimeout) or not could_connect:
        return TransportError("the connection could not be established.")
    if isinstance(error, requests.Timeout):
        return TransportError(f"no response within {round(seconds, 1):g} s.")
    is_http_error = isinstance(error, (requests.RequestException, HTTPError))
    if isinstance(error, OSError) and not is_http_error:
        # `requests` raises a plain OSError for an unusable certificate file.
        message = (
            "the CA certificates in REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE cannot be "
            "read."
        )
        return TransportError(message, is_transient=False)
    is_invalid_request = isinstance(error, requests.RequestException)
    if is_invalid_request and not isinstance(error, _CONNECTION_LOST):
        message = f"the request cannot be sent ({type(error).__name__})."
        return TransportError(message, is_transient=False)
    return TransportError("the connection was lost before the response was complete.")


def _is_https(url: str | None) -> bool:
    return (url or "").lower().startswith("https:")


def _tls_error(error: Exception) -> TransportError:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            message = f"the TLS connection failed: {cause.verify_message}."
            advice = "Name the file of trusted certificates in REQUESTS_CA_BUNDLE."
            return TransportError(message, is_transient=False, advice=advice)
    return TransportError("the TLS connection could not be established.")


def _causes(error: object) -> Iterator[BaseException]:
    """Yield an exception and those that it wraps, as `requests` and urllib3 do."""
    if isinstance(error, BaseException):
        yield error
        for wrapped in (*error.args, getattr(error, "reason", None)):
            yield from _causes(wrapped)
