"""Who may ask: API keys and OAuth tokens, all invented."""

from __future__ import annotations

import base64
import binascii
import json
import time
from typing import TYPE_CHECKING, Final

from tests.sandbox.answers import Answer, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

EMAIL: Final = "agent@example.com"
API_KEY: Final = "sandbox-api-key"
CLIENT_ID: Final = "sandbox-client"
CLIENT_SECRET: Final = "sandbox-client-secret"
REFRESH_TOKEN: Final = "sandbox-refresh-token"
TOKEN_PATH: Final = "/oauth/token"


class Auth:
    """Checks credentials, and gives out access tokens."""

    def __init__(self, token_lifetime: float) -> None:
        """Choose how many seconds an access token is good for."""
        self.token_lifetime = token_lifetime
        self._tokens: dict[str, float] = {}

    def allows(self, authorization: str) -> bool:
        """Check an Authorization header."""
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() == "bearer":
            return self._tokens.get(value, 0.0) > time.time()
        return _is_basic(authorization, EMAIL, API_KEY)

    def revoke_tokens(self) -> None:
        """Let all access tokens given out so far expire."""
        self._tokens.clear()

    def give_token(self, authorization: str, form: Mapping[str, list[str]]) -> Answer:
        """Answer a request for a new access token."""
        if not _is_basic(authorization, CLIENT_ID, CLIENT_SECRET):
            return Answer(401, {"error": "invalid_client"})
        if form.get("grant_type") != ["refresh_token"]:
            return Answer(400, {"error": "unsupported_grant_type"})
        if form.get("refresh_token") != [REFRESH_TOKEN]:
            return Answer(400, {"error": "invalid_grant"})
        return Answer(
            200,
            {
                "access_token": self._new_token(),
                "expires_in": 0,  # so says the API; the truth is in the token
                "id_token": None,
                "scope": "openid email profile offline",
                "token_type": "Bearer",
            },
        )

    def _new_token(self) -> str:
        """Make a token shaped like a JWT, without a real signature."""
        now = time.time()
        end = now + self.token_lifetime
        claims = {"iat": int(now), "exp": int(end), "jti": str(len(self._tokens))}
        parts = [
            base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
            for part in ({"alg": "none", "typ": "JWT"}, claims)
        ]
        token = ".".join([*parts, "unsigned"])
        self._tokens[token] = end
        return token


def _is_basic(authorization: str, name: str, secret: str) -> bool:
    """Compare HTTP Basic credentials."""
    scheme, _, value = authorization.partition(" ")
    try:
        given = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return False
    return scheme.lower() == "basic" and given == f"{name}:{secret}"


def unauthorized() -> Refusal:
    """Refuse a request without good credentials."""
    return Refusal(401, "Unauthorized")


def forbidden() -> Refusal:
    """Refuse what the credentials are not meant for."""
    return Refusal(403, "You do not have enough permissions to perform this action.")
