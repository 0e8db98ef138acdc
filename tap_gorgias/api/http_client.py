"""The HTTP client below authentication: budget, retries and validation."""

from __future__ import annotations

import functools
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar, ParamSpec, TypeVar
from urllib.parse import urlsplit

from tap_gorgias.api.limiter import RateLimiter
from tap_gorgias.api.redaction import Redactor
from tap_gorgias.api.retry import MAX_RETRY_SECONDS, Outage, retry
from tap_gorgias.api.session import GorgiasSession, TransportError
from tap_gorgias.errors import ApiError, TransientApiError
from tap_gorgias.records.decoding import TooDeepError, error_message

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from tap_gorgias.api.usage import RunSummary
    from tap_gorgias.clock import Clock
    from tap_gorgias.config.settings import Settings

SUBDOMAIN_ADVICE = "Check `subdomain`."

P = ParamSpec("P")
T = TypeVar("T")


class HttpClient:
    """Sends requests within the budget of the account, and validates responses.

    Args:
        settings: The validated settings.
        summary: Counts requests, retries and waiting.
        clock: The clock of the budget, retries and access tokens.
    """

    max_retry_seconds: ClassVar[float] = MAX_RETRY_SECONDS
    """How long a failing request is retried."""

    def __init__(self, settings: Settings, summary: RunSummary, clock: Clock) -> None:
        self.clock = clock
        self.has_answered = False
        """Whether a response has certainly come from Gorgias."""
        self.limiter = RateLimiter(clock, settings.rate_limit_percent)
        self.session = GorgiasSession(
            self.limiter,
            summary,
            user_agent=settings.user_agent,
            timeout_seconds=settings.request_timeout_seconds,
        )
        self.url_base = settings.api_url
        self.redactor = Redactor()
        self._summary = summary
        self._outage = Outage()

    def send(
        self, request: requests.PreparedRequest, stream_name: str
    ) -> requests.Response:
        """Send a prepared request once, without authentication.

        Args:
            request: The request.
            stream_name: The stream for which it is counted.

        Returns:
            The response, whatever its status.

        Raises:
            ApiError: If no complete response is received.
        """
        try:
            return self.session.send(request, stream_name=stream_name)
        except TransportError as error:
            kind = TransientApiError if error.is_transient else ApiError
            path = self._path_of(request)
            raise kind(str(error), stream=stream_name, path=path) from None

    def with_retries(
        self, function: Callable[P, T], stream_name: str
    ) -> Callable[P, T]:
        """Add retries, which are logged and counted, to a function.

        Args:
            function: Raises `TransientApiError` to be called again.
            stream_name: The stream for which retries are counted.

        Returns:
            The decorated function. It raises the last `TransientApiError` when the time
            for retries is over.
        """
        logger = logging.getLogger(f"tap-gorgias.{stream_name}")

        def on_retry(error: TransientApiError, seconds: float) -> None:
            self._summary.count(stream_name, retries=1)
            logger.warning("%s Retrying in %.1f s.", error, seconds)

        @functools.wraps(function)
        def decorated(*args: P.args, **kwargs: P.kwargs) -> T:
            return retry(
                functools.partial(function, *args, **kwargs),
                clock=self.clock,
                outage=self._outage,
                on_retry=on_retry,
                max_retry_seconds=self.max_retry_seconds,
            )

        return decorated

    def check_response(
        self, response: requests.Response, stream_name: str, advice: str
    ) -> None:
        """Validate a response, and decode its body.

        Args:
            response: The response.
            stream_name: The stream that sent the request.
            advice: What the user can do about a refusal.

        Raises:
            TransientApiError: If a retry may succeed: 429, 5xx, or 2xx with a body that
                is not JSON, such as the error page of a proxy.
            ApiError: If Gorgias refuses the request, or the response is invalid.
        """
        status = response.status_code
        if status in range(200, 300):
            self._decode(response, stream_name)
            return
        is_transient = (
            status == HTTPStatus.TOO_MANY_REQUESTS
            or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        )
        if response.content.lstrip().startswith(b"{"):
            # A web server between the tap and Gorgias would return a web page.
            self.has_answered = True
        if status in range(300, 400) and not self.has_answered:
            advice = SUBDOMAIN_ADVICE
        kind = TransientApiError if is_transient else ApiError
        raise kind(
            error_message(response.content, self.redactor.redact),
            stream=stream_name,
            path=self._path_of(response.request),
            status=status,
            advice=advice,
        )

    def close(self) -> None:
        """Close the connections."""
        self.session.close()

    def _decode(self, response: requests.Response, stream_name: str) -> None:
        path = self._path_of(response.request)
        status = response.status_code
        try:
            response.json()
        except TooDeepError as error:
            raise ApiError(str(error), stream=stream_name, path=path) from None
        except ValueError:
            if not self.has_answered and response.content.lstrip().startswith(b"<"):
                reason = "the response is a web page."
                raise ApiError(
                    reason,
                    stream=stream_name,
                    path=path,
                    status=status,
                    advice=SUBDOMAIN_ADVICE,
                ) from None
            reason = "the body is not JSON."
            raise TransientApiError(
                reason, stream=stream_name, path=path, status=status
            ) from None
        self.has_answered = True

    def _path_of(self, request: requests.PreparedRequest) -> str:
        return urlsplit((request.url or "").removeprefix(self.url_base)).path
