"""Authentication by API keys and OAuth tokens, all of them invented."""

from __future__ import annotations

import base64
import binascii
import json
import time
from typing import TYPE_CHECKING, Any, Final

from tests.sandbox.answers import Answer, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

EMAIL: Final = "agent@example.com"
API_KEY: Final = "sandbox-api-key"
CLIENT_ID: Final = "sandbox-client"
CLIENT_SECRET: Final = "sandbox-client-secret"
REFRESH_TOKEN: Final = "sandbox-refresh-token"
TOKEN_PATH: Final = "/oauth/token"


class Auth:
    """Checks credentials and issues access tokens.

    Attributes:
        expires_in: The `expires_in` of token responses; the API sends 0.
        opaque: Whether access tokens are opaque instead of JWTs.
        rotates: Whether each use of a refresh token replaces it.
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
        self.refresh_token = REFRESH_TOKEN
        self.given: list[str] = []
        self._clock = clock or time.monotonic
        self._ends: dict[str, float] = {}

    def allows(self, authorization: str) -> bool:
        """Check an Authorization header."""
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() == "bearer":
            return self._ends.get(value, 0.0) > self._clock()
        return _is_basic(authorization, EMAIL, API_KEY)

    def revoke_tokens(self) -> None:
        """Expire all access tokens issued so far."""
        self._ends.clear()

    def issue_token(
        self, authorization: str, form: Mapping[str, list[str]], now: int
    ) -> Answer:
        """Answer a token request; `now` is the shop's time in seconds."""
        if not _is_basic(authorization, CLIENT_ID, CLIENT_SECRET):
            return Answer(401, {"error": "invalid_client"})
        if form.get("grant_type") != ["refresh_token"]:
            return Answer(400, {"error": "unsupported_grant_type"})
        if form.get("refresh_token") != [self.refresh_token]:
            return Answer(400, {"error": "invalid_grant"})
        answer = {
            "access_token": self._new_token(now),
            "expires_in": self.expires_in,  # 0 in the API, unlike the token
            "id_token": None,
            "scope": "openid email profile offline",
            "token_type": "Bearer",
        }
        if self.rotates:
            self.refresh_token = f"{REFRESH_TOKEN}-{len(self.given)}"
            answer["refresh_token"] = self.refresh_token
        return Answer(200, answer)

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
