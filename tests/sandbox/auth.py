"""Authentication by API keys and OAuth tokens, all of them invented."""

from __future__ import annotations

import base64
import binascii
import json
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlencode

from tests.sandbox.answers import Answer, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

EMAIL: Final = "agent@example.com"
API_KEY: Final = "sandbox-api-key"
CLIENT_ID: Final = "sandbox-client"
CLIENT_SECRET: Final = "sandbox-client-secret"
REFRESH_TOKEN: Final = "sandbox-refresh-token"
TOKEN_PATH: Final = "/oauth/token"
AUTHORIZE_PATH: Final = "/oauth/authorize"
REVOKE_PATH: Final = "/oauth/revoke"


class Auth:
    """Checks credentials and issues access tokens.

    Attributes:
        expires_in: The `expires_in` of token responses; the API sends 0.
        opaque: Whether access tokens are opaque instead of JWTs.
        rotates: Whether each use of a refresh token replaces it.
        api_key: The API key that is valid.
        client_secret: The secret of the OAuth2 app.
        refresh_token: The refresh token that is currently valid.
        given: The access tokens issued so far.
    """

    def __init__(
        self, token_lifetime: float, clock: Callable[[], float] | None = None
    ) -> None:
        """Set the lifetime of access tokens in seconds, and their clock."""
        self.token_lifetime = token_lifetime
        self.expires_in: Any = 0
        self.opaque = False
        self.rotates = False
        self.api_key = API_KEY
        self.client_secret = CLIENT_SECRET
        self.refresh_token = REFRESH_TOKEN
        self.given: list[str] = []
        self._clock = clock or time.monotonic
        self._ends: dict[str, float] = {}
        self._codes: dict[str, tuple[str, str]] = {}
        self._code_count = 0

    def allows(self, authorization: str) -> bool:
        """Check an Authorization header."""
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() == "bearer":
            return self._ends.get(value, 0.0) > self._clock()
        return _is_basic(authorization, EMAIL, self.api_key)

    def revoke_tokens(self) -> None:
        """Expire all access tokens issued so far."""
        self._ends.clear()

    def answer(
        self,
        target: tuple[str, str],
        query: Mapping[str, list[str]],
        authorization: str,
        body: str,
        now: int,
    ) -> Answer | None:
        """Answer a request for authorization or for tokens; None for other requests.

        `target` is its method and path, `now` the shop's time in seconds.
        """
        if target == ("GET", AUTHORIZE_PATH):
            return self._authorize({name: texts[0] for name, texts in query.items()})
        form = {name: texts[0] for name, texts in parse_qs(body).items()}
        if target == ("POST", TOKEN_PATH):
            return self._issue_token(authorization, form, now)
        if target == ("POST", REVOKE_PATH):
            if form.get("token") == self.refresh_token:
                self.refresh_token = ""
            return Answer(200, {})
        return None

    def _authorize(self, query: Mapping[str, str]) -> Answer:
        """Redirect with a code, as after the confirmation of a merchant."""
        if query.get("client_id") != CLIENT_ID:
            return Answer(400, {"error": "invalid_client"})
        redirect_uri, scope = query.get("redirect_uri", ""), query.get("scope", "")
        if query.get("response_type") != "code" or not redirect_uri or not scope:
            return Answer(400, {"error": "invalid_request"})
        self._code_count += 1
        code = f"sandbox-code-{self._code_count}"
        self._codes[code] = (redirect_uri, scope)
        returned = {"code": code, "state": query.get("state", "")}
        location = f"{redirect_uri}?{urlencode(returned)}"
        return Answer(302, headers={"Location": location})

    def _issue_token(
        self, authorization: str, form: Mapping[str, str], now: int
    ) -> Answer:
        """Exchange a code or a refresh token for an access token."""
        if not _is_basic(authorization, CLIENT_ID, self.client_secret):
            return Answer(401, {"error": "invalid_client"})
        tokens: dict[str, str] = {}
        scope = "openid email profile offline"
        if form.get("grant_type") == "authorization_code":
            redirect_uri, scope = self._codes.pop(form.get("code", ""), ("", ""))
            if not redirect_uri or form.get("redirect_uri") != redirect_uri:
                return Answer(400, {"error": "invalid_grant"})
            if "offline" in scope.split():
                self.refresh_token = self.refresh_token or REFRESH_TOKEN
                tokens = {"refresh_token": self.refresh_token}
        elif form.get("grant_type") != "refresh_token":
            return Answer(400, {"error": "unsupported_grant_type"})
        elif not self.refresh_token or form.get("refresh_token") != self.refresh_token:
            return Answer(400, {"error": "invalid_grant"})
        answer = {
            "access_token": self._new_token(now),
            "expires_in": self.expires_in,  # 0 in the API, unlike the token
            "id_token": None,
            "scope": scope,
            "token_type": "Bearer",
        }
        if self.rotates:
            self.refresh_token = f"{REFRESH_TOKEN}-{len(self.given)}"
            tokens = {"refresh_token": self.refresh_token}
        return Answer(200, answer | tokens)

    def _new_token(self, now: int) -> str:
        """Create a token shaped like a JWT, without a real signature."""
        number = len(self.given) + 1
        claims = {
            "iat": now,
            "exp": int(now + self.token_lifetime),
            "jti": str(number),
        }
        parts = [
            base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
            for part in ({"alg": "none", "typ": "JWT"}, claims)
        ]
        token = f"opaque-token-{number}" if self.opaque else ".".join([*parts, "none"])
        self._ends[token] = self._clock() + self.token_lifetime
        self.given.append(token)
        return token


def _is_basic(authorization: str, name: str, secret: str) -> bool:
    """Check HTTP Basic credentials."""
    scheme, _, value = authorization.partition(" ")
    try:
        given = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return False
    return scheme.lower() == "basic" and given == f"{name}:{secret}"


def unauthorized() -> Refusal:
    """Return the refusal of a request without valid credentials."""
    return Refusal(401, "Unauthorized")


def forbidden() -> Refusal:
    """Return the refusal of a request beyond the credentials' permissions."""
    return Refusal(403, "You do not have enough permissions to perform this action.")
