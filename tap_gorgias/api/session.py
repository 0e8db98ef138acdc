"""The HTTP session of all streams: request budget, timeouts, no redirects."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
)

from tap_gorgias.api.deadline import DeadlineAdapter, DeadlineError
from tap_gorgias.api.responses import (
    MAX_BODY_BYTES,
    GorgiasResponse,
    ResponseTooLargeError,
    retry_after_seconds,
)
from tap_gorgias.compat import override

if TYPE_CHECKING:
    from collections.abc import Mapping

    from urllib3 import BaseHTTPResponse

    from tap_gorgias.api.limiter import RateLimiter
    from tap_gorgias.api.usage import RunSummary

CONNECT_TIMEOUT_SECONDS = 10

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


class TransportError(Exception):
    """No complete response was received.

    Args:
        message: What went wrong. It contains no URL and no credentials.
        is_transient: Whether a retry may succeed.
    """

    def __init__(self, message: str, *, is_transient: bool = True) -> None:
        super().__init__(message)
        self.is_transient = is_transient


class BudgetAdapter(DeadlineAdapter):
    """Sends requests when the budget permits, and counts them.

    Args:
        budget: The request budget of the account.
        summary: Counts requests and the time that they wait for the budget.
        timeout_seconds: Read timeout: the longest wait for the next bytes.
    """

    def __init__(
        self, budget: RateLimiter, summary: RunSummary, timeout_seconds: float
    ) -> None:
        super().__init__(pool_maxsize=MAX_CONNECTIONS)
        self._limiter = budget
        self._summary = summary
        self._timeout = (CONNECT_TIMEOUT_SECONDS, timeout_seconds)

    @override
    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
        *,
        stream_name: str = "",
    ) -> requests.Response:
        """Wait for the budget, then send the request.

        Args:
            request: The request.
            stream: As in the base class.
            timeout: Ignored; all requests use the timeouts of the adapter.
            verify: As in the base class.
            cert: As in the base class.
            proxies: As in the base class. Ignored for plain HTTP, which is allowed for
                loopback addresses only.
            stream_name: The stream for which the request is counted.
        """
        if not request.url or not request.url.lower().startswith("https:"):
            proxies = None
        permit = self._limiter.acquire(stream_name)
        self._summary.count(
            stream_name, requests=1, waited_seconds=permit.waited_seconds
        )
        try:
            response = super().send(
                request, stream, self._timeout, verify, cert, proxies
            )
        except BaseException:
            self._limiter.release(permit, None)
            raise
        call_limit = response.headers.get(CALL_LIMIT_HEADER)
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            seconds = retry_after_seconds(response.headers)
            pause = seconds and min(seconds, MAX_PAUSE_SECONDS)
            self._limiter.refuse(permit, call_limit, pause)
        else:
            self._limiter.release(permit, call_limit)
        return response

    @override
    def build_response(
        self, req: requests.PreparedRequest, resp: BaseHTTPResponse
    ) -> requests.Response:
        response = GorgiasResponse()
        response.__dict__.update(super().build_response(req, resp).__dict__)
        return response


class GorgiasSession(requests.Session):
    """A session that follows no redirects and describes failures safely.

    A redirect can lead to any host, and credentials must not be sent there.

    Args:
        budget: The request budget of the account.
        summary: Counts requests and the time that they wait for the budget.
        user_agent: Value of the User-Agent header.
        timeout_seconds: Read timeout: the longest wait for the next bytes.
    """

    def __init__(
        self,
        budget: RateLimiter,
        summary: RunSummary,
        *,
        user_agent: str,
        timeout_seconds: float,
    ) -> None:
        super().__init__()
        self.headers.update({"Accept": "application/json", "User-Agent": user_agent})
        adapter = BudgetAdapter(budget, summary, timeout_seconds)
        self.mount("https://", adapter)
        self.mount("http://", adapter)
        self._timeout_seconds = timeout_seconds

    @override
    def get_redirect_target(self, resp: requests.Response) -> None:
        # Otherwise the body of a redirect is read without limit, followed or not.
        return None

    @override
    def send(
        self, request: requests.PreparedRequest, **kwargs: Any
    ) -> requests.Response:
        """Send a request and read its response.

        Args:
            request: The request.
            kwargs: Options of the base class, and `stream_name` for the adapter.

        Returns:
            The response, whatever its status.

        Raises:
            TransportError: If no complete response is received.
        """
        environment = self.merge_environment_settings(
            request.url or "", {}, None, None, None
        )
        options = {**environment, **kwargs, "allow_redirects": False}
        try:
            return super().send(request, **options)
        except DeadlineError:
            message = "the response took too long."
            raise TransportError(message) from None
        except ResponseTooLargeError:
            message = f"the response is larger than {MAX_BODY_BYTES // 2**20} MB."
            raise TransportError(message, is_transient=False) from None
        except (HTTPError, OSError, ValueError) as error:
            raise self._transport_error(error) from None

    def _transport_error(self, error: Exception) -> TransportError:
        """Describe a failure without the URL, which the original message contains."""
        if isinstance(error, requests.exceptions.SSLError):
            return TransportError("the TLS connection failed.", is_transient=False)
        if isinstance(error, (requests.ConnectTimeout, requests.exceptions.ProxyError)):
            return TransportError("the connection could not be established.")
        cause = getattr(error.args[0] if error.args else None, "reason", None)
        if isinstance(cause, NameResolutionError):
            return TransportError("the host name was not found. Check `subdomain`.")
        if isinstance(cause, (NewConnectionError, ConnectTimeoutError)):
            return TransportError("the connection could not be established.")
        if isinstance(error, requests.Timeout):
            return TransportError(f"no response within {self._timeout_seconds} s.")
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
        return TransportError(
            "the connection was lost before the response was complete."
        )
