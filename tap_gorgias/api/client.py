"""The API client of all streams: sends authenticated requests."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from tap_gorgias.api.authenticators import ApiKeyAuthenticator
from tap_gorgias.api.http_client import SUBDOMAIN_ADVICE, HttpClient
from tap_gorgias.api.oauth import RefreshTokenAuthenticator
from tap_gorgias.config.credentials import ApiKey

if TYPE_CHECKING:
    import requests
    from singer_sdk.helpers.types import RequestFunc

    from tap_gorgias.api.authenticators import GorgiasAuthenticator
    from tap_gorgias.api.usage import RunSummary
    from tap_gorgias.clock import Clock
    from tap_gorgias.config.settings import Settings


class GorgiasClient(HttpClient):
    """Sends authenticated requests. All streams share one client and its budget.

    Args:
        settings: The validated settings.
        summary: Counts requests, retries and waiting.
        clock: The clock of the budget, retries and access tokens.
    """

    def __init__(self, settings: Settings, summary: RunSummary, clock: Clock) -> None:
        super().__init__(settings, summary, clock)
        credentials = settings.credentials
        self.authenticator: GorgiasAuthenticator = (
            ApiKeyAuthenticator(credentials, self)
            if isinstance(credentials, ApiKey)
            else RefreshTokenAuthenticator(credentials, self)
        )

    def send_signed(
        self, request: requests.PreparedRequest, stream_name: str
    ) -> requests.Response:
        """Sign a request and send it.

        After a 401, it is sent once more if the authenticator has new credentials.

        Args:
            request: The request.
            stream_name: The stream for which it is counted.

        Returns:
            The response, whatever its status.

        Raises:
            ApiError: If no complete response is received.
            SignInError: If no access token can be obtained.
        """
        authenticate = self.authenticator
        response = self.send(authenticate(request), stream_name)
        is_unauthorized = response.status_code == HTTPStatus.UNAUTHORIZED
        if is_unauthorized and authenticate.renew(request):
            response = self.send(authenticate(request), stream_name)
        return response

    def request_decorator(self, func: RequestFunc, stream_name: str) -> RequestFunc:
        """Add retries to a function that sends a request.

        Args:
            func: Sends a prepared request and validates the response.
            stream_name: The stream that sends it.
        """
        return self.with_retries(func, stream_name)

    def validate(
        self, response: requests.Response, stream_name: str, scope: str
    ) -> None:
        """Validate the response to an authenticated request, and decode its body.

        Args:
            response: The response.
            stream_name: The stream that sent the request.
            scope: The required OAuth2 scope, or permission of the API key's owner.

        Raises:
            TransientApiError: If a retry may succeed.
            ApiError: If Gorgias refuses the request, or the response is invalid.
        """
        advice = ""
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            advice = self.authenticator.unauthorized_advice
        elif response.status_code == HTTPStatus.FORBIDDEN:
            advice = self.authenticator.forbidden_advice(scope, stream_name)
        elif response.status_code == HTTPStatus.NOT_FOUND:
            advice = SUBDOMAIN_ADVICE
        self.check_response(response, stream_name, advice)
