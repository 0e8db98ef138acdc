"""Signing in with an API key, or with OAuth2 (docs/oauth2-bearer-token).

No OAuth2 library fits: `requests-oauthlib`, `authlib` and the SDK's
`OAuthAuthenticator` bypass the session that holds the rate limiter, use the wall clock,
trust `expires_in`, and renew the token in several threads at once.
"""

from __future__ import annotations

import logging
import math
import re
import threading
from abc import ABC, abstractmethod
from base64 import urlsafe_b64decode
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from requests.auth import HTTPBasicAuth
from singer_sdk.authenticators import APIAuthenticatorBase, BasicAuthenticator

from tap_gorgias.compat import override
from tap_gorgias.errors import AccessError, ApiError, GorgiasError
from tap_gorgias.records.decoding import decode

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from tap_gorgias.api.error_messages import Redactor
    from tap_gorgias.clock import Clock
    from tap_gorgias.config.settings import ApiKey, OAuthApp

SIGN_IN_PATH = "/oauth/token"
SIGN_IN = "sign-in"
"""Stream name of token requests in counts and messages."""
MAX_LIFETIME_SECONDS = 86_400.0
"""Documented lifetime of an access token. Longer lifetimes in responses are ignored."""
RENEWAL_MARGIN_SECONDS = 300.0
"""Time before expiry at which a token is renewed; at most a tenth of its lifetime."""

_SEE_GUIDE = "see docs/oauth2.md."
ADVICE = {
    "invalid_grant": "The refresh token is no longer valid or belongs to another app: "
    "get a new one and set `refresh_token`, " + _SEE_GUIDE,
    "invalid_client": "Check `client_id` and `client_secret`.",
}
"""Advice by error code of the token response (RFC 6749, section 5.2)."""

_TOKEN = re.compile(r"[\x21-\x7e]+")


class GorgiasAuthenticator(APIAuthenticatorBase, ABC):
    """Signs requests, and advises the user when Gorgias refuses them."""

    unauthorized_advice: str
    """What the user can do about a 401."""

    def renew(self, refused: requests.PreparedRequest) -> bool:  # noqa: ARG002 (subclasses use it)
        """Renew the credentials after a 401, and return whether there are new ones."""
        return False

    @abstractmethod
    def forbidden_advice(self, scope: str, stream_name: str) -> str:
        """Return what the user can do about a 403."""


class ApiKeyAuthenticator(BasicAuthenticator, GorgiasAuthenticator):
    """Signs requests with an API key (docs/access-tokens-api-keys)."""

    unauthorized_advice = "Check `email` and `api_key`."

    def __init__(self, key: ApiKey, redactor: Redactor) -> None:
        super().__init__(username=key.email, password=key.api_key)
        redactor.add(f"{key.email}:{key.api_key}", key.api_key, key.email)

    @override
    def forbidden_advice(self, scope: str, stream_name: str) -> str:
        return (
            f"Grant the permission `{scope}` to the owner of the API key, or deselect "
            f"`{stream_name}`."
        )


class RefreshTokenAuthenticator(GorgiasAuthenticator):
    """Signs requests with an access token, and renews it before it expires.

    One thread renews the token while the others wait. Tokens are kept in memory only.
    `send_token_request` sends a form with the credentials of the app, and returns the
    decoded response.
    """

    unauthorized_advice = (
        "The new access token was rejected as well: authorize the app again, "
        + _SEE_GUIDE
    )

    def __init__(
        self,
        app: OAuthApp,
        send_token_request: Callable[[dict[str, str], HTTPBasicAuth], Any],
        redactor: Redactor,
        clock: Clock,
    ) -> None:
        super().__init__()
        self._app = app
        self._send_token_request = send_token_request
        self._redactor = redactor
        self._clock = clock
        self._refresh_token = app.refresh_token
        self._authorization = ""
        self._renew_at = -math.inf
        self._failure: str | None = None
        self._lock = threading.Lock()
        pair = f"{app.client_id}:{app.client_secret}"
        redactor.add(pair, app.client_secret, app.refresh_token)

    @override
    def authenticate_request(
        self, request: requests.PreparedRequest
    ) -> requests.PreparedRequest:
        with self._lock:
            if self._clock.monotonic() >= self._renew_at:
                self._renew()
            request.headers["Authorization"] = self._authorization
        return request

    @override
    def renew(self, refused: requests.PreparedRequest) -> bool:
        with self._lock:
            # Another thread may have renewed the token in the meantime.
            if refused.headers["Authorization"] == self._authorization:
                self._renew()
        return True

    @override
    def forbidden_advice(self, scope: str, stream_name: str) -> str:
        return (
            f"Authorize the app again with the scope `{scope}`, or deselect "
            f"`{stream_name}`; {_SEE_GUIDE}"
        )

    def _renew(self) -> None:
        if self._failure is None:
            try:
                return self._sign_in()
            except GorgiasError as error:
                self._failure = str(error)
        # Other threads that waited for the token fail without further requests.
        raise AccessError(self._failure)

    def _sign_in(self) -> None:
        form = {"grant_type": "refresh_token", "refresh_token": self._refresh_token}
        credentials = HTTPBasicAuth(self._app.client_id, self._app.client_secret)
        start = self._clock.monotonic()
        value = self._send_token_request(form, credentials)
        token = _token(value, "access_token")
        if token is None:
            reason = "the response contains no access token."
            raise ApiError(
                reason, stream=SIGN_IN, path=SIGN_IN_PATH, status=HTTPStatus.OK
            )
        self._redactor.add(token)
        self._rotate(_token(value, "refresh_token") or self._refresh_token)
        seconds = lifetime_seconds(token, value.get("expires_in"))
        self._renew_at = start + seconds - min(RENEWAL_MARGIN_SECONDS, seconds / 10)
        self._authorization = f"Bearer {token}"

    def _rotate(self, refresh_token: str) -> None:
        self._redactor.add(refresh_token)
        if self._refresh_token == self._app.refresh_token != refresh_token:
            logging.getLogger(f"tap-gorgias.{SIGN_IN}").warning(
                "Gorgias replaced the refresh token. This run uses the new one, which "
                "is neither shown nor stored. The configured one may no longer work: "
                "get a new one and set `refresh_token`, %s",
                _SEE_GUIDE,
            )
        self._refresh_token = refresh_token


def _token(value: Any, name: str) -> str | None:  # noqa: ANN401
    token = value.get(name) if isinstance(value, dict) else None
    return token if isinstance(token, str) and _TOKEN.fullmatch(token) else None


def lifetime_seconds(token: str, expires_in: Any) -> float:  # noqa: ANN401
    """Return the lifetime of an access token, at most the documented day.

    If the token is a JWT, its claims take precedence over `expires_in`, which is 0 in
    the documented example. The signature is not verified.
    """
    payload = f"{token}..".split(".")[1]
    try:
        claims = decode(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        stated = claims["exp"] - claims["iat"]
    except (KeyError, TypeError, ValueError):
        stated = None
    for seconds in (stated, expires_in):
        if isinstance(seconds, (int, float)) and 0 < seconds < MAX_LIFETIME_SECONDS:
            return float(seconds)
    return MAX_LIFETIME_SECONDS


def sign_in_advice(response: requests.Response) -> str:
    """Return what the user can do about a refused token request."""
    try:
        code = response.json()["error"]
    except (KeyError, TypeError, ValueError):
        code = None
    is_unauthorized = response.status_code == HTTPStatus.UNAUTHORIZED
    return ADVICE.get(str(code), ADVICE["invalid_client"] if is_unauthorized else "")
