"""The client of all streams: sends signed requests and says what a refusal lacks."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from tap_gorgias.api.authenticators import ApiKeyAuthenticator
from tap_gorgias.api.http_client import SUBDOMAIN_ADVICE, HttpClient
from tap_gorgias.api.oauth import RefreshTokenAuthenticator
from tap_gorgias.api.retry import GIVE_UP_AFTER_SECONDS
from tap_gorgias.config.credentials import ApiKey

if TYPE_CHECKING:
    import requests
    from singer_sdk.helpers.types import RequestFunc

    from tap_gorgias.api.authenticators import GorgiasAuthenticator
    from tap_gorgias.api.usage import RunSummary
    from tap_gorgias.clock import Clock
    from tap_gorgias.config.settings import Settings


class GorgiasClient(HttpClient):
    """One client for all streams, because they share the account's budget.

    Args:
        settings: The checked settings.
        summary: Counts requests, retries and waiting.
        clock: Returns the time to the budget, to retries and to access tokens.
        patience_seconds: How long a failing request is tried again.
    """

    def __init__(
        self,
        settings: Settings,
        summary: RunSummary,
        clock: Clock,
        patience_seconds: float = GIVE_UP_AFTER_SECONDS,
    ) -> None:
        super().__init__(settings, summary, clock, patience_seconds)
        credentials = settings.credentials
        self.authenticator: GorgiasAuthenticator = (
            ApiKeyAuthenticator(credentials, self)
            if isinstance(credentials, ApiKey)
            else RefreshTokenAuthenticator(credentials, self)
        )

    def send_signed(
        self, request: requests.PreparedRequest, stream_name: str
    ) -> requests.Response:
        """Send a request with the credentials of the tap.

        After a 401 it is sent once more if the authenticator has other credentials.

        Args:
            request: The request.
            stream_name: The stream that it is counted for.

        Returns:
            The response, whatever its status.

        Raises:
            ApiError: If no complete response came.
            SignInError: If Gorgias issues no access token.
        """
        sign = self.authenticator
        response = self.send(sign(request), stream_name)
        if response.status_code == HTTPStatus.UNAUTHORIZED and sign.renew(request):
            response = self.send(sign(request), stream_name)
        return response

    def request_decorator(self, func: RequestFunc, stream_name: str) -> RequestFunc:
        """Decorate a function that sends a request once with retries.

        Args:
            func: Sends a prepared request and validates the response.
            stream_name: The stream that sends it.
        """
        return self.retrying(func, stream_name)

    def validate(
        self, response: requests.Response, stream_name: str, scope: str
    ) -> None:
        """Check the response to a signed request, and decode its body.

        Args:
            response: The response.
            stream_name: The stream that sent the request.
            scope: OAuth2 scope, or permission of the API key's owner, that it needs.

        Raises:
            TransientApiError: If another try may help.
            ApiError: If Gorgias refuses, or its response cannot be used.
        """
        advice = ""
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            advice = self.authenticator.unauthorized_advice
        elif response.status_code == HTTPStatus.FORBIDDEN:
            advice = self.authenticator.forbidden_advice(scope, stream_name)
        elif response.status_code == HTTPStatus.NOT_FOUND:
            advice = SUBDOMAIN_ADVICE
        self.check(response, stream_name, advice)
