"""Authenticators for API keys and for OAuth2 access tokens."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from singer_sdk.authenticators import APIAuthenticatorBase, BasicAuthenticator

from tap_gorgias.compat import override

if TYPE_CHECKING:
    import requests

    from tap_gorgias.api.http_client import HttpClient
    from tap_gorgias.config.credentials import ApiKey


class GorgiasAuthenticator(APIAuthenticatorBase, ABC):
    """Signs requests, and advises the user when Gorgias refuses them."""

    unauthorized_advice: str
    """What the user can do about a 401."""

    def renew(self, refused: requests.PreparedRequest) -> bool:  # noqa: ARG002 (subclasses use it)
        """Renew the credentials after a 401.

        Args:
            refused: The signed request that Gorgias refused.

        Returns:
            Whether there are new credentials to send the request with.

        Raises:
            SignInError: If no access token can be obtained.
        """
        return False

    @abstractmethod
    def forbidden_advice(self, scope: str, stream_name: str) -> str:
        """Return what the user can do about a 403.

        Args:
            scope: The scope or permission that the stream needs.
            stream_name: Name of the stream.
        """


class ApiKeyAuthenticator(BasicAuthenticator, GorgiasAuthenticator):
    """Signs requests with an API key (docs/access-tokens-api-keys).

    Args:
        key: The key and its owner.
        client: The client, which redacts the key in error messages.
    """

    unauthorized_advice = "Check `email` and `api_key`."

    def __init__(self, key: ApiKey, client: HttpClient) -> None:
        super().__init__(username=key.email, password=key.api_key)
        client.redactor.add(f"{key.email}:{key.api_key}", key.api_key, key.email)

    @override
    def forbidden_advice(self, scope: str, stream_name: str) -> str:
        return (
            f"The stream needs the permission `{scope}`: grant it to the owner of the "
            f"API key, or deselect the stream `{stream_name}`."
        )
