"""Credentials for the two ways to sign in: API key and OAuth2."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

_PRINTABLE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


@dataclass(frozen=True)
class ApiKey:
    """An API key and the user who owns it (docs/access-tokens-api-keys)."""

    email: str
    api_key: str = field(repr=False)


@dataclass(frozen=True)
class OAuthApp:
    """An OAuth2 app that a merchant has authorized (docs/authentication-types)."""

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)


Credentials: TypeAlias = ApiKey | OAuthApp

_API_KEY = ("email", "api_key")
_OAUTH = ("client_id", "client_secret", "refresh_token")


def credentials_from(config: Mapping[str, Any]) -> Credentials:
    """Return the API key or the OAuth2 app, whichever is set.

    Raises:
        ValueError: If credentials are missing, invalid, or set for both ways to sign
            in. The message is a complete sentence.
    """
    present = {name for name in (*_API_KEY, *_OAUTH) if config.get(name)}
    if "api_key" in present and present & set(_OAUTH):
        message = (
            "Both an API key and OAuth2 credentials are set: keep either `email` and "
            "`api_key`, or `client_id`, `client_secret` and `refresh_token`."
        )
        raise ValueError(message)
    required = _OAUTH if present & set(_OAUTH) else _API_KEY
    if missing := [f"`{name}`" for name in required if name not in present]:
        message = f"Credentials are incomplete: set {' and '.join(missing)}."
        raise ValueError(message)
    for name in required:
        _check(name, config[name])
    if required is _OAUTH:
        return OAuthApp(**{name: config[name] for name in _OAUTH})
    return ApiKey(**{name: config[name] for name in _API_KEY})


def _check(name: str, value: str) -> None:
    printable = _PRINTABLE.fullmatch(value)
    # HTTP Basic authentication separates user name and password by the first colon.
    if name == "email" and (":" in value or not printable):
        message = "Setting `email` must be a plain e-mail address."
        raise ValueError(message)
    if not printable:
        message = (
            f"Setting `{name}` must be printable ASCII without leading or trailing "
            "spaces."
        )
        raise ValueError(message)
    if name == "client_id" and ":" in value:
        message = "Setting `client_id` must not contain a colon."
        raise ValueError(message)
