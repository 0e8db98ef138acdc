"""The two ways to sign in, as the settings give them."""

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
    """An OAuth2 app that a merchant has let in (docs/authentication-types)."""

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)


Credentials: TypeAlias = ApiKey | OAuthApp

_API_KEY = ("email", "api_key")
_OAUTH = ("client_id", "client_secret", "refresh_token")


def credentials_from(config: Mapping[str, Any]) -> Credentials:
    """Choose the way to sign in that the settings give.

    Args:
        config: Settings that fit `CONFIG_SCHEMA`.

    Returns:
        What to sign in with.

    Raises:
        ValueError: With a sentence that tells what is missing, doubled or unusable.
    """
    given = {name for name in (*_API_KEY, *_OAUTH) if config.get(name)}
    if "api_key" in given and given & set(_OAUTH):
        message = (
            "Two ways to sign in are given: keep either `email` and `api_key`, or "
            "`client_id`, `client_secret` and `refresh_token`."
        )
        raise ValueError(message)
    way = _OAUTH if given & set(_OAUTH) else _API_KEY
    if missing := [f"`{name}`" for name in way if name not in given]:
        wanted = " and ".join(f"`{name}`" for name in way)
        message = f"Signing in with {wanted} lacks {' and '.join(missing)}."
        raise ValueError(message)
    for name in way:
        _check(name, config[name])
    if way is _OAUTH:
        return OAuthApp(**{name: config[name] for name in _OAUTH})
    return ApiKey(**{name: config[name] for name in _API_KEY})


def _check(name: str, value: str) -> None:
    printable = _PRINTABLE.fullmatch(value)
    # HTTP Basic cannot tell a colon in a name from the one behind it.
    if name == "email" and (":" in value or not printable):
        message = "Setting `email` must be a plain e-mail address."
        raise ValueError(message)
    if not printable:
        message = f"Setting `{name}` must be printable ASCII without outer spaces."
        raise ValueError(message)
    if name == "client_id" and ":" in value:
        message = "Setting `client_id` must not hold a colon."
        raise ValueError(message)
