"""Sends requests, retries them and explains refusals, whoever signed them."""

from __future__ import annotations

import functools
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, ParamSpec, TypeVar
from urllib.parse import urlsplit

from tap_gorgias.api.budget import ApiBudget
from tap_gorgias.api.redaction import OwnSecrets
from tap_gorgias.api.responses import is_success
from tap_gorgias.api.retry import GIVE_UP_AFTER_SECONDS, Outage, retry
from tap_gorgias.api.session import GorgiasSession, TransportError
from tap_gorgias.errors import ApiError, TransientApiError
from tap_gorgias.records.decoding import TooDeepError, error_message

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from tap_gorgias.api.usage import RunSummary
    from tap_gorgias.clock import Clock
    from tap_gorgias.config.settings import Settings

SUBDOMAIN_ADVICE = "Is `subdomain` right?"

P = ParamSpec("P")
T = TypeVar("T")


class HttpClient:
    """Sends requests within the budget of the account.

    Args:
        settings: The checked settings.
        summary: Counts requests, retries and waiting.
        clock: Returns the time to the budget, to retries and to access tokens.
        patience_seconds: How long a failing request is tried again.
    """

    def __init__(
        self,
        settings: Settings,
        summary: RunSummary,
        clock: Clock,
        patience_seconds: float = GIVE_UP_AFTER_SECONDS,
    ) -> None:
        self.clock = clock
        self.patience_seconds = patience_seconds
        self.has_answered = False
        """Whether a response of this run came from Gorgias without doubt."""
        self.budget = ApiBudget(clock, settings.rate_limit_percent)
        self.session = GorgiasSession(
            self.budget,
            summary,
            user_agent=settings.user_agent,
            timeout_seconds=settings.request_timeout_seconds,
        )
        self.url_base = settings.api_url
        self._secrets = OwnSecrets()
        self._summary = summary
        self._outage = Outage()

    def send(
        self, request: requests.PreparedRequest, stream_name: str
    ) -> requests.Response:
        """Send a request as it is.

        Args:
            request: The request.
            stream_name: The stream that it is counted for.

        Returns:
            The response, whatever its status.

        Raises:
            ApiError: If no complete response came.
        """
        try:
            return self.session.send(request, stream_name=stream_name)
        except TransportError as error:
            kind = TransientApiError if error.is_transient else ApiError
            path = self._path_of(request)
            raise kind(str(error), stream=stream_name, path=path) from None

    def retrying(self, function: Callable[P, T], stream_name: str) -> Callable[P, T]:
        """Decorate a function with retries, which are logged and counted.

        Args:
            function: Raises `TransientApiError` to be called again.
            stream_name: The stream that retries are counted for.

        Returns:
            The function; it raises the last `TransientApiError` when time is up.
        """
        logger = logging.getLogger(f"tap-gorgias.{stream_name}")

        def on_retry(error: TransientApiError, seconds: float) -> None:
            self._summary.count(stream_name, retries=1)
            logger.warning("%s Trying again in %.1f s.", error, seconds)

        @functools.wraps(function)
        def decorated(*args: P.args, **kwargs: P.kwargs) -> T:
            return retry(
                functools.partial(function, *args, **kwargs),
                clock=self.clock,
                outage=self._outage,
                on_retry=on_retry,
                patience_seconds=self.patience_seconds,
            )

        return decorated

    def check(self, response: requests.Response, stream_name: str, advice: str) -> None:
        """Check a response, and decode its body.

        Args:
            response: The response.
            stream_name: The stream that sent the request.
            advice: What the user can do about a refusal.

        Raises:
            TransientApiError: If another try may help: 429, 5xx, or a success without
                JSON, such as a proxy's page or half of an answer.
            ApiError: If Gorgias refuses, or its response cannot be used.
        """
        if is_success(response):
            self._decode(response, stream_name)
            return
        status = response.status_code
        is_transient = (
            status == HTTPStatus.TOO_MANY_REQUESTS
            or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        )
        if response.content.lstrip().startswith(b"{"):
            # A web server on the way refuses with web pages.
            self.has_answered = True
        if status in range(300, 400) and not self.has_answered:
            advice = SUBDOMAIN_ADVICE
        kind = TransientApiError if is_transient else ApiError
        raise kind(
            error_message(response.content, self._secrets.masked),
            stream=stream_name,
            path=self._path_of(response.request),
            status=status,
            advice=advice,
        )

    def hide(self, *secrets: str) -> None:
        """Hide credentials from errors.

        Args:
            secrets: The credentials as they are used.
        """
        self._secrets.add(*secrets)

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
                reason = "the answer is a web page."
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
