"""The lifetime of access tokens."""

from __future__ import annotations

import base64
import json

from tap_gorgias.api.auth import MAX_LIFETIME_SECONDS, lifetime_seconds
from tests.support.cases import table


def jwt(claims: object) -> str:
    """Return an unsigned JWT."""
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode()
    return f"head.{body.rstrip('=')}.signature"


LIFETIMES: dict[str, tuple[str, object, float]] = {
    "claims": (jwt({"exp": 7200, "iat": 3600}), 60, 3600),
    "no iat": (jwt({"exp": 7200}), 60, 60),
    "exp before iat": (jwt({"exp": 1, "iat": 2}), 60, 60),
    "exp in ten years": (jwt({"exp": 1e9, "iat": 0}), 0, MAX_LIFETIME_SECONDS),
    "exp not a number": (jwt({"exp": "soon", "iat": 0}), 60, 60),
    "claims are a list": (jwt([1]), 60, 60),
    "not JSON": ("head.bm8.signature", 60, 60),
    "not base64": ("head.!.signature", 60, 60),
    "opaque": ("opaque", 60, 60),
    "0 as documented": ("opaque", 0, MAX_LIFETIME_SECONDS),
    "negative": ("opaque", -1, MAX_LIFETIME_SECONDS),
    "null": ("opaque", None, MAX_LIFETIME_SECONDS),
    "text": ("opaque", "60", MAX_LIFETIME_SECONDS),
    "not a number": ("opaque", float("nan"), MAX_LIFETIME_SECONDS),
    "a week": ("opaque", 604_800, MAX_LIFETIME_SECONDS),
    "too large for a float": ("opaque", 10**400, MAX_LIFETIME_SECONDS),
}


@table(LIFETIMES)
def test_the_lifetime_is_that_of_the_token_and_at_most_a_day(
    case: tuple[str, object, float],
) -> None:
    """Without a valid one, the token is renewed after a day or a 401."""
    token, expires_in, seconds = case
    assert lifetime_seconds(token, expires_in) == seconds
