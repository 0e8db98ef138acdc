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

from requests.auth import AuthBase, HTTPBasicAuth

from tap_gorgias.api.exchange import SUBDOMAIN_ADVICE
from tap_gorgias.compat import override
from tap_gorgias.errors import ApiError, SignInError
from tap_gorgias.records.decoding import decode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import requests

    from tap_gorgias.api.exchange import Exchange
    from tap_gorgias.api.transport import Answer
    from tap_gorgias.config.credentials import OAuthApp

PATH = "/oauth/token"
ASKER = "sign-in"
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


class Bearer(AuthBase):
    """Signs a request with an access token."""

    def __init__(self, token: str) -> None:
        """Keep the token.

        Args:
            token: Printable ASCII without spaces.
        """
        self._token = token

    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["Authorization"] = f"Bearer {self._token}"
        return r


class OAuthSignIn:
    """Signs with an access token, and renews it in time.

    One thread renews while the others wait. Tokens are held in memory only.
    """

    unauthorized_advice = (
        "A new access token was refused, too: let the app in again, " + _SIGN_IN_AGAIN
    )

    def __init__(self, app: OAuthApp, exchange: Exchange) -> None:
        """Ask for nothing yet.

        Args:
            app: The app and its refresh token.
            exchange: The way to Gorgias.
        """
        self._exchange = exchange
        self._client = HTTPBasicAuth(app.client_id, app.client_secret)
        self._refresh_token = app.refresh_token
        self._told_of_rotation = False
        self._bearer: Bearer | None = None
        self._renew_at = 0.0
        self._failure: str | None = None
        self._lock = threading.Lock()
        pair = f"{app.client_id}:{app.client_secret}"
        exchange.secrets.add(pair, app.client_secret, app.refresh_token)

    def signature(self) -> AuthBase:
        """Return what signs a request now.

        Raises:
            SignInError: If Gorgias gives no access token.
        """
        with self._lock:
            if self._bearer and self._exchange.clock.monotonic() < self._renew_at:
                return self._bearer
            return self._renew()

    def renewed(self, refused: AuthBase) -> AuthBase | None:
        """Return what to sign with after a 401.

        Args:
            refused: What signed the refused request.

        Returns:
            A new access token, which another thread may have got meanwhile.

        Raises:
            SignInError: If Gorgias gives no access token.
        """
        with self._lock:
            return self._renew() if refused is self._bearer else self._bearer

    def forbidden_advice(self, scope: str, stream: str) -> str:
        """Name the scope that the app lacks.

        Args:
            scope: The scope.
            stream: The stream that needs it.
        """
        return (
            f"The stream needs the scope `{scope}`: let the app in again with it, "
            f"{_SIGN_IN_AGAIN[:-1]}, or deselect the stream `{stream}`."
        )

    def _renew(self) -> Bearer:
        if self._failure is None:
            try:
                return self._exchange.retried(self._attempt, ASKER)
            except ApiError as error:
                self._failure = str(error)
        # Those who waited need not try for five minutes each.
        raise SignInError(self._failure)

    def _attempt(self) -> Bearer:
        form = {"grant_type": "refresh_token", "refresh_token": self._refresh_token}
        began = self._exchange.clock.monotonic()
        answer = self._exchange.post(PATH, self._client, ASKER, data=form)
        if not answer.is_success:
            raise self._exchange.refusal(answer, PATH, ASKER, _advice(answer))
        value = self._exchange.value(answer, PATH, ASKER)
        token = value.get("access_token") if isinstance(value, dict) else None
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            reason = "the answer holds no access token."
            raise ApiError(reason, stream=ASKER, path=PATH, status=answer.status)
        self._exchange.secrets.add(token)
        self._rotate(value.get("refresh_token"))
        seconds = lifetime_seconds(token, value.get("expires_in"), answer.date)
        self._renew_at = began + seconds - min(EARLY_SECONDS, seconds / 10)
        self._bearer = Bearer(token)
        return self._bearer

    def _rotate(self, given: Any) -> None:  # noqa: ANN401
        if not isinstance(given, str) or not _TOKEN.fullmatch(given):
            return
        if given == self._refresh_token:
            return
        self._refresh_token = given
        self._exchange.secrets.add(given)
        if not self._told_of_rotation:
            self._told_of_rotation = True
            logging.getLogger(f"tap-gorgias.{ASKER}").warning(
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


def _advice(answer: Answer) -> str:
    try:
        value = decode(answer.body)
    except ValueError:
        value = None
    code = value.get("error") if isinstance(value, dict) else None
    by_status = _ADVICE_BY_STATUS.get(answer.status, "")
    return ADVICE.get(code, by_status) if isinstance(code, str) else by_status
