"""How requests are signed: with an API key, or with the access token of OAuth2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from requests.auth import HTTPBasicAuth

from tap_gorgias.api.oauth import OAuthSignIn
from tap_gorgias.config.credentials import ApiKey

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from tap_gorgias.api.exchange import Exchange
    from tap_gorgias.config.credentials import Credentials


class SignIn(Protocol):
    """A way to sign in."""

    unauthorized_advice: str
    """What to do when Gorgias does not take the signature (401)."""

    def signature(self) -> AuthBase:
        """Return what signs a request now."""

    def renewed(self, refused: AuthBase) -> AuthBase | None:
        """Return what to sign with after a 401.

        Args:
            refused: What signed the refused request.

        Returns:
            Another signature, None if there is none.
        """

    def forbidden_advice(self, scope: str, stream: str) -> str:
        """Say what to do when Gorgias does not let a stream be read (403).

        Args:
            scope: What the stream needs.
            stream: Its name.
        """


class ApiKeySignIn:
    """Signs with an API key (docs/access-tokens-api-keys)."""

    unauthorized_advice = "Check `email` and `api_key`."

    def __init__(self, key: ApiKey, exchange: Exchange) -> None:
        """Hide the key from all errors.

        Args:
            key: The key and its owner.
            exchange: The way to Gorgias.
        """
        pair = f"{key.email}:{key.api_key}"
        exchange.secrets.add(pair, key.api_key, key.email)
        self._signature = HTTPBasicAuth(key.email, key.api_key)

    def signature(self) -> AuthBase:
        """Return what signs every request."""
        return self._signature

    def renewed(self, refused: AuthBase) -> AuthBase | None:  # noqa: ARG002 (a key has no other)
        """Return None: a key cannot be renewed."""
        return None

    def forbidden_advice(self, scope: str, stream: str) -> str:
        """Name the permission that the key's owner lacks.

        Args:
            scope: The permission.
            stream: The stream that needs it.
        """
        return (
            f"The stream needs the permission `{scope}`: grant it to the owner of the "
            f"API key, or deselect the stream `{stream}`."
        )


def sign_in_with(credentials: Credentials, exchange: Exchange) -> SignIn:
    """Sign in as the settings say.

    Args:
        credentials: The way that the settings give.
        exchange: The way to Gorgias.

    Returns:
        What signs requests.
    """
    if isinstance(credentials, ApiKey):
        return ApiKeySignIn(credentials, exchange)
    return OAuthSignIn(credentials, exchange)
