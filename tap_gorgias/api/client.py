"""The API client of all streams: sign-in, rate limit, retries and validation."""

from __future__ import annotations

import functools
import logging
import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import requests

from tap_gorgias.api.auth import (
    SIGN_IN,
    SIGN_IN_PATH,
    ApiKeyAuthenticator,
    GorgiasAuthenticator,
    RefreshTokenAuthenticator,
    sign_in_advice,
)
from tap_gorgias.api.error_messages import Redactor, error_message
from tap_gorgias.api.limiter import RateLimiter
from tap_gorgias.api.retry import FirstContact, Retries
from tap_gorgias.api.session import GorgiasSession, TransportError
from tap_gorgias.config.settings import ApiKey
from tap_gorgias.errors import (
    AccessError,
    ApiError,
    RateLimitError,
    TransientApiError,
)
from tap_gorgias.records.decoding import MAX_LEVELS

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests.auth import HTTPBasicAuth

    from tap_gorgias.api.limiter import Pause
    from tap_gorgias.api.usage import RunSummary
    from tap_gorgias.clock import Clock
    from tap_gorgias.config.settings import Settings

SUBDOMAIN_ADVICE = "Check `subdomain`."

TRANSIENT_STATUSES = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
}
"""The refusals that may succeed when retried; 5xx may as well."""

_PROBES = ("/api/account", "/api/tags?limit=1")
"""Small requests that show whether the credentials are accepted."""

T = TypeVar("T")


class GorgiasClient:
    """Sends requests within the rate limit, and validates responses.

    All streams share one client. Until Gorgias has answered a request in JSON, requests
    go one at a time, and a failure ends the run: it would be the same for all streams.
    """

    def __init__(self, settings: Settings, summary: RunSummary, clock: Clock) -> None:
        self.limiter = RateLimiter(clock, settings.rate_limit_percent)
        self.session = GorgiasSession(self.limiter, summary, settings.user_agent)
        self._timeout_seconds = settings.request_timeout_seconds
        self.url_base = settings.api_url
        self.is_shared = True
        """Whether several streams are read. A refusal may concern only one of them."""
        self.redactor = Redactor()
        self.retries = Retries(clock)
        self._summary = summary
        self._contact = FirstContact(clock, self._no_access, self._ask)
        self._warned_of: set[tuple[str, str]] = set()
        host = f"{settings.subdomain}.gorgias.com"
        is_own_host = urlsplit(self.url_base).hostname == host
        self._address_advice = SUBDOMAIN_ADVICE if is_own_host else "Check `api_url`."
        credentials = settings.credentials
        self.authenticator: GorgiasAuthenticator = (
            ApiKeyAuthenticator(credentials, self.redactor)
            if isinstance(credentials, ApiKey)
            else RefreshTokenAuthenticator(
                credentials,
                self.with_retries(self._send_token_request, SIGN_IN),
                self.redactor,
                clock,
            )
        )

    def send(
        self, request: requests.PreparedRequest, stream_name: str
    ) -> requests.Response:
        """Send a request once, without authentication, and return any response.

        Raises `ApiError` if no complete response is received.
        """
        seconds = min(self._timeout_seconds, self._contact.max_seconds)
        try:
            return self.session.send(request, stream_name=stream_name, timeout=seconds)
        except TransportError as error:
            if error.is_too_large:  # No error page is.
                self._contact.has_answered = self._contact.is_accepted = True
            kind = TransientApiError if error.is_transient else ApiError
            raise kind(
                str(error),
                advice=error.advice,
                is_too_large=error.is_too_large,
                **self._place_of(request, stream_name),
            ) from None

    def send_signed(
        self, request: requests.PreparedRequest, stream_name: str
    ) -> requests.Response:
        """Sign and send a request, again after a 401 if there are new credentials."""
        authenticate = self.authenticator
        response = self.send(authenticate(request), stream_name)
        is_unauthorized = response.status_code == HTTPStatus.UNAUTHORIZED
        if is_unauthorized and authenticate.renew(request):
            response = self.send(authenticate(request), stream_name)
        return response

    def with_retries(
        self,
        function: Callable[..., T],
        stream_name: str,
        max_retry_seconds: float | None = None,
    ) -> Callable[..., T]:
        """Add retries, and the rules of the first contact, to a function.

        It is called again after a `TransientApiError`, by default for as long as in a
        run. `AccessError` means that there is no first contact.
        """
        logger = logging.getLogger(f"tap-gorgias.{stream_name}")

        def on_retry(error: TransientApiError, seconds: float) -> None:
            self._summary.count(stream_name, retries=1)
            line = "%s Retrying in %.1f s."
            if isinstance(error, RateLimitError) and error.is_for_all:
                line = "%s All requests pause for %.0f s."
            logger.warning(line, error, seconds)

        def decorated(*args: Any) -> T:
            call = functools.partial(function, *args)
            return self.retries.call(
                lambda: self._contact.send(call), on_retry, max_retry_seconds
            )

        return decorated

    def validate(
        self, response: requests.Response, stream_name: str, scope: str
    ) -> None:
        """Check the response to a signed request, and decode its body.

        `scope` is the required OAuth2 scope, or permission of the API key's owner.
        Raises `AccessError` if Gorgias rejects the credentials. Other refusals are an
        `ApiError`, and a `TransientApiError` if a retry may succeed.
        """
        is_unauthorized = response.status_code == HTTPStatus.UNAUTHORIZED
        advice = ""
        if is_unauthorized:
            advice = self.authenticator.unauthorized_advice
        elif response.status_code == HTTPStatus.FORBIDDEN:
            advice = self.authenticator.forbidden_advice(scope, stream_name)
        error = self._error_of(response, stream_name, advice)
        if error and is_unauthorized and self._rejects_credentials(error):
            raise self._no_access(error)
        if error is None or (not is_unauthorized and _is_json(response)):
            self._contact.is_accepted = True
        if error:
            raise error

    def close(self) -> None:
        """Close the connections."""
        self.session.close()

    def _error_of(
        self, response: requests.Response, stream_name: str, advice: str
    ) -> ApiError | None:
        """Decode the body of a response, or return why it cannot be used.

        `advice` is for a refusal. A 2xx whose body is not JSON, such as the error page
        of a proxy, can be retried.
        """
        contact, status = self._contact, response.status_code
        place = self._place_of(response.request, stream_name)
        if status in range(200, 300):
            try:
                response.json()
            except ValueError:
                if _is_web_page(response) and not contact.has_answered:
                    reason = "the response is a web page."
                    return ApiError(
                        reason, status=status, advice=SUBDOMAIN_ADVICE, **place
                    )
                reason = "the body is not JSON."
                return TransientApiError(reason, status=status, **place)
            contact.has_answered = True
            self._warn_of_deep_fields(response, stream_name)
            return None
        # A web server between the tap and Gorgias would return a web page.
        if _is_json(response):
            contact.has_answered = True
        reason = error_message(response.content, self.redactor.redact)
        pause: Pause | None = getattr(response, "pause", None)
        if pause:
            seconds, for_all = pause
            return RateLimitError(
                reason, seconds, is_for_all=for_all, status=status, **place
            )
        is_refusal = status < HTTPStatus.INTERNAL_SERVER_ERROR
        if is_refusal and not contact.has_answered:
            advice = advice or SUBDOMAIN_ADVICE
        is_transient = status in TRANSIENT_STATUSES or not is_refusal
        kind = TransientApiError if is_transient else ApiError
        return kind(reason, status=status, advice=advice, **place)

    def _send_token_request(
        self, form: dict[str, str], app_credentials: HTTPBasicAuth
    ) -> Any:  # noqa: ANN401
        if self._contact.max_seconds < math.inf:
            # A token request that is cut can lose a refresh token that rotates.
            self._ask(SIGN_IN)
        url = f"{self.url_base}{SIGN_IN_PATH}"
        request = requests.Request("POST", url, data=form, auth=app_credentials)
        response = self.send(self.session.prepare_request(request), SIGN_IN)
        if error := self._error_of(response, SIGN_IN, sign_in_advice(response)):
            raise error
        return response.json()

    def _ask(self, stream_name: str) -> None:
        """Find out if the host answers at all, without credentials."""
        url = f"{self.url_base}{_PROBES[0]}"
        request = requests.Request("GET", url, headers=self.session.headers).prepare()
        response = self.send(request, stream_name)
        self._contact.is_host_there = True
        self._contact.has_answered |= _is_json(response)

    def _no_access(self, error: ApiError) -> AccessError:
        """Return an error that names the host and the proxy instead of a stream."""
        place = urlsplit(self.url_base).netloc
        if proxy := self.session.proxy_of(self.url_base):
            place += f" through the proxy {proxy}"
        text = str(error).removeprefix(f"{error.stream}: ")
        if error.status is None and "Check" not in text:
            text = f"{text} {self._address_advice}"
        return AccessError(f"{place}: {text}")

    def _rejects_credentials(self, refusal: ApiError) -> bool:
        """Return whether a 401 concerns all streams, by asking for something else."""
        if not self.is_shared or not self._contact.has_answered:
            return True
        probe = next(one for one in _PROBES if not one.startswith(refusal.path))
        request = requests.Request("GET", f"{self.url_base}{probe}")
        prepared = self.authenticator(self.session.prepare_request(request))
        try:
            response = self.send(prepared, refusal.stream)
        except ApiError:
            return not self._contact.is_accepted
        is_unauthorized = response.status_code == HTTPStatus.UNAUTHORIZED
        if not is_unauthorized and _is_json(response):
            self._contact.is_accepted = True
        return is_unauthorized

    def _warn_of_deep_fields(self, response: requests.Response, stream: str) -> None:
        for name in getattr(response, "too_deep", ()):
            if (stream, name) not in self._warned_of:
                self._warned_of.add((stream, name))
                logging.getLogger(f"tap-gorgias.{stream}").warning(
                    "%s: some values of `%s` are nested more than %d levels deep; they "
                    "become null.",
                    stream,
                    name[:80],
                    MAX_LEVELS,
                )

    def _place_of(
        self, request: requests.PreparedRequest, stream_name: str
    ) -> dict[str, Any]:
        path = urlsplit((request.url or "").removeprefix(self.url_base)).path
        return {"stream": stream_name, "path": path}


def _is_json(response: requests.Response) -> bool:
    return response.content.lstrip()[:1] in {b"{", b"["}


def _is_web_page(response: requests.Response) -> bool:
    return response.content.lstrip().startswith(b"<")
