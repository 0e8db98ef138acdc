"""OAuth2: access tokens from a refresh token (docs/oauth2-bearer-token).

The grant is one form and one JSON object, so it is written out here. The libraries
around `requests` cannot take its place: `requests-oauthlib` logs tokens at level DEBUG,
follows redirects with them and refuses `http://localhost`; `authlib` brings a compiled
cryptography library. Both replace the session that holds the budget, go by the wall
clock, trust `expires_in`, and renew in each thread that comes along.
"""

from __future__ import annotations

import base64
import logging
import re
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import requests
from requests.auth import HTTPBasicAuth

from tap_gorgias.api.authenticators import GorgiasAuthenticator
from tap_gorgias.api.http_client import SUBDOMAIN_ADVICE
from tap_gorgias.api.responses import date_of
from tap_gorgias.compat import override
from tap_gorgias.errors import ApiError, SignInError
from tap_gorgias.records.decoding import decode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tap_gorgias.api.http_client import HttpClient
    from tap_gorgias.config.credentials import OAuthApp

PATH = "/oauth/token"
SIGN_IN = "sign-in"
"""Token requests are counted under this name."""
DAY_SECONDS = 86_400.0
"""How long an access token lives, by the documentation; no claim of more is trusted."""
EARLY_SECONDS = 300.0
"""How long before its end a token is renewed; a tenth of its life if that is less."""

_SIGN_IN_AGAIN = "see docs/oauth2.md."
ADVICE = {
    "invalid_grant": "The refresh token does not work any more, or belongs to another "
    "app: get a new one and set `refresh_token`, " + _SIGN_IN_AGAIN,
    "invalid_client": "Check `client_id` and `client_secret`.",
}
"""What to do, by the error code of the token request (RFC 6749, section 5.2)."""

_ADVICE_BY_STATUS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: ADVICE["invalid_client"],
    HTTPStatus.NOT_FOUND: SUBDOMAIN_ADVICE,
}
_TOKEN = re.compile(r"[\x21-\x7e]+")
_LATEST_MOMENT = 1e12


class RefreshTokenAuthenticator(GorgiasAuthenticator):
    """Signs with an access token, and renews it in time.

    One thread renews it while the others wait. Tokens are held in memory only. The
    SDK's `OAuthAuthenticator` sends its requests past the session that holds the
    budget, trusts the wall clock and `expires_in`, and renews in several threads.

    Args:
        app: The app and its refresh token.
        client: Sends the token requests, and hides credentials from errors.
    """

    unauthorized_advice = (
        "A new access token was refused, too: let the app in again, " + _SIGN_IN_AGAIN
    )

    def __init__(self, app: OAuthApp, client: HttpClient) -> None:
        super().__init__()
        self._client = client
        self._app_credentials = HTTPBasicAuth(app.client_id, app.client_secret)
        self._refresh_token = app.refresh_token
        self._has_warned_of_rotation = False
        self._authorization: str | None = None
        self._renew_at = 0.0
        self._failure: str | None = None
        self._lock = threading.Lock()
        pair = f"{app.client_id}:{app.client_secret}"
        client.hide(pair, app.client_secret, app.refresh_token)
        self._request_token = client.retrying(self._try_to_request_token, SIGN_IN)

    @override
    def authenticate_request(
        self, request: requests.PreparedRequest
    ) -> requests.PreparedRequest:
        """Sign a request.

        Args:
            request: The request.

        Returns:
            The same request.

        Raises:
            SignInError: If Gorgias issues no access token.
        """
        with self._lock:
            is_due = self._client.clock.monotonic() >= self._renew_at
            if self._authorization is None or is_due:
                self._renew()
            request.headers["Authorization"] = str(self._authorization)
        return request

    @override
    def renew(self, refused: requests.PreparedRequest) -> bool:
        with self._lock:
            # Another thread may have renewed the token meanwhile.
            if refused.headers["Authorization"] == self._authorization:
                self._renew()
        return True

    @override
    def forbidden_advice(self, scope: str, stream_name: str) -> str:
        return (
            f"The stream needs the scope `{scope}`: let the app in again with it, "
            f"{_SIGN_IN_AGAIN[:-1]}, or deselect the stream `{stream_name}`."
        )

    def _renew(self) -> None:
        if self._failure is None:
            try:
                self._request_token()
            except ApiError as error:
                self._failure = str(error)
            else:
                return
        # Threads that waited need not try for five minutes each.
        raise SignInError(self._failure)

    def _try_to_request_token(self) -> None:
        form = {"grant_type": "refresh_token", "refresh_token": self._refresh_token}
        request = requests.Request(
            "POST",
            f"{self._client.url_base}{PATH}",
            data=form,
            auth=self._app_credentials,
        )
        start = self._client.clock.monotonic()
        prepared = self._client.session.prepare_request(request)
        response = self._client.send(prepared, SIGN_IN)
        self._client.check(response, SIGN_IN, _advice(response))
        value = response.json()
        token = value.get("access_token") if isinstance(value, dict) else None
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            reason = "the answer holds no access token."
            raise ApiError(
                reason, stream=SIGN_IN, path=PATH, status=response.status_code
            )
        self._client.hide(token)
        self._rotate(value.get("refresh_token"))
        date = date_of(response.headers)
        seconds = lifetime_seconds(token, value.get("expires_in"), date)
        self._renew_at = start + seconds - min(EARLY_SECONDS, seconds / 10)
        self._authorization = f"Bearer {token}"

    def _rotate(self, refresh_token: Any) -> None:  # noqa: ANN401
        if not isinstance(refresh_token, str) or not _TOKEN.fullmatch(refresh_token):
            return
        if refresh_token == self._refresh_token:
            return
        self._refresh_token = refresh_token
        self._client.hide(refresh_token)
        if not self._has_warned_of_rotation:
            self._has_warned_of_rotation = True
            logging.getLogger(f"tap-gorgias.{SIGN_IN}").warning(
                "Gorgias replaced the refresh token. This run goes on with the new "
                "one, which is not shown or stored, and the one in the config may not "
                "work any more: get another one and update the setting "
                "`refresh_token`, %s",
                _SIGN_IN_AGAIN,
            )


def lifetime_seconds(token: str, expires_in: object, now: datetime | None) -> float:
    """Find out how long an access token is good for.

    Args:
        token: The access token. If it is a JWT, its `exp` tells; nobody verifies it.
        expires_in: What the answer says, which is 0 in the documentation's example.
        now: When it was answered, by Gorgias' clock.

    Returns:
        Seconds, more than 0 and at most a day, which is also what is assumed.
    """
    claims = _claims(token)
    issued = now.timestamp() if now else _positive(claims.get("iat"))
    expires = _positive(claims.get("exp"))
    if expires and issued and expires > issued:
        return min(expires - issued, DAY_SECONDS)
    return min(_positive(expires_in) or DAY_SECONDS, DAY_SECONDS)


def _claims(token: str) -> Mapping[str, Any]:
    _, _, rest = token.partition(".")
    payload, _, _ = rest.partition(".")
    try:
        value = decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _positive(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 < value < _LATEST_MOMENT else None


def _advice(response: requests.Response) -> str:
    try:
        value = response.json()
    except ValueError:
        value = None
    code = value.get("error") if isinstance(value, dict) else None
    by_status = _ADVICE_BY_STATUS.get(response.status_code, "")
    return ADVICE.get(code, by_status) if isinstance(code, str) else by_status
