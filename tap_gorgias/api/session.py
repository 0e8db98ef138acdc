"""The session that all streams share: request budget, timeouts, no redirects."""

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

    from tap_gorgias.api.budget import ApiBudget
    from tap_gorgias.api.usage import RunSummary

CONNECT_TIMEOUT_SECONDS = 10

MAX_CONNECTIONS = 32
"""More than requests can be in flight: 8 streams, one of them with 8 children."""

CALL_LIMIT_HEADER = "X-Gorgias-Account-Api-Call-Limit"

MAX_PAUSE_SECONDS = 300.0
"""The longest pause after a 429, and the time after which retries end, too."""


class TransportError(Exception):
    """No usable response came.

    Args:
        message: What went wrong, without address or credentials: it may be printed.
        is_transient: Whether another try may help.
    """

    def __init__(self, message: str, *, is_transient: bool = True) -> None:
        super().__init__(message)
        self.is_transient = is_transient


class BudgetAdapter(DeadlineAdapter):
    """Sends a request when the budget permits it, and counts it.

    Args:
        budget: The request budget of the account.
        summary: Counts requests and the time that they wait for the budget.
        timeout_seconds: The longest silence before and within an answer.
    """

    def __init__(
        self, budget: ApiBudget, summary: RunSummary, timeout_seconds: float
    ) -> None:
        super().__init__(pool_maxsize=MAX_CONNECTIONS)
        self._budget = budget
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
            timeout: Ignored: all requests have the timeouts of the adapter.
            verify: As in the base class.
            cert: As in the base class.
            proxies: As in the base class. Plain HTTP is for loopback addresses only,
                so it ignores them.
            stream_name: The stream that the request is counted for.
        """
        if not request.url or not request.url.lower().startswith("https:"):
            proxies = None
        permit = self._budget.acquire(stream_name)
        self._summary.count(
            stream_name, requests=1, waited_seconds=permit.waited_seconds
        )
        try:
            response = super().send(
                request, stream, self._timeout, verify, cert, proxies
            )
        except BaseException:
            self._budget.release(permit, None)
            raise
        call_limit = response.headers.get(CALL_LIMIT_HEADER)
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            seconds = retry_after_seconds(response.headers)
            pause = seconds and min(seconds, MAX_PAUSE_SECONDS)
            self._budget.refuse(permit, call_limit, pause)
        else:
            self._budget.release(permit, call_limit)
        return response

    @override
    def build_response(
        self, req: requests.PreparedRequest, resp: BaseHTTPResponse
    ) -> requests.Response:
        response = GorgiasResponse()
        response.__dict__.update(super().build_response(req, resp).__dict__)
        return response


class GorgiasSession(requests.Session):
    """A session that follows no redirects and explains its failures.

    A redirect leads wherever the server wants, and credentials must not follow it.

    Args:
        budget: The request budget of the account.
        summary: Counts requests and the time that they wait for the budget.
        user_agent: Value of the User-Agent header.
        timeout_seconds: The longest silence before and within an answer.
    """

    def __init__(
        self,
        budget: ApiBudget,
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
        # Even a redirect that is not followed would be read, whatever its size.
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
            TransportError: If no complete response came.
        """
        environment = self.merge_environment_settings(
            request.url or "", {}, None, None, None
        )
        options = {**environment, **kwargs, "allow_redirects": False}
        try:
            return super().send(request, **options)
        except DeadlineError:
            message = "the answer trickled in for too long."
            raise TransportError(message) from None
        except ResponseTooLargeError:
            message = f"the answer is larger than {MAX_BODY_BYTES // 2**20} MB."
            raise TransportError(message, is_transient=False) from None
        except (HTTPError, OSError, ValueError) as error:
            raise self._explain(error) from None

    def _explain(self, error: Exception) -> TransportError:
        """Describe a failure; the text of the library shows the address."""
        if isinstance(error, requests.exceptions.SSLError):
            return TransportError("the TLS connection was refused.", is_transient=False)
        if isinstance(error, (requests.ConnectTimeout, requests.exceptions.ProxyError)):
            return TransportError("no connection could be made.")
        cause = getattr(error.args[0] if error.args else None, "reason", None)
        if isinstance(cause, NameResolutionError):
            return TransportError("the host name was not found. Is `subdomain` right?")
        if isinstance(cause, (NewConnectionError, ConnectTimeoutError)):
            return TransportError("no connection could be made.")
        if isinstance(error, requests.Timeout):
            return TransportError(f"no answer within {self._timeout_seconds} s.")
        is_of_requests = isinstance(error, (requests.RequestException, HTTPError))
        if isinstance(error, OSError) and not is_of_requests:
            return TransportError(_NO_CERTIFICATES, is_transient=False)
        broken = (
            requests.ConnectionError,
            requests.exceptions.ChunkedEncodingError,
            requests.exceptions.ContentDecodingError,
        )
        if isinstance(error, broken) or not isinstance(
            error, requests.RequestException
        ):
            return TransportError(
                "the connection broke before the answer was complete."
            )
        name = type(error).__name__
        return TransportError(
            f"the request is not possible ({name}).", is_transient=False
        )


_NO_CERTIFICATES = (
    "the file of trusted certificates that REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names "
    "cannot be read."
)
