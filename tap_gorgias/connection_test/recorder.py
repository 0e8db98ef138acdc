"""A client that remembers its requests and what Gorgias answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from tap_gorgias.api.client import GorgiasClient
from tap_gorgias.compat import override
from tap_gorgias.errors import ApiError, TransientApiError
from tap_gorgias.records.decoding import decode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import requests
    from singer_sdk.helpers import types
    from singer_sdk.helpers.types import RequestFunc

    from tap_gorgias.api.usage import RunSummary
    from tap_gorgias.clock import Clock
    from tap_gorgias.config.settings import Settings

PATIENCE_SECONDS = 30.0
"""How long a failing request is tried again: somebody is waiting for the table."""


class Observation(NamedTuple):
    """A request and its response."""

    path: str
    params: Mapping[str, Sequence[str]]
    """Query parameters, each with its values."""
    query: Mapping[str, Any]
    """The query of a report; empty for a list."""
    value: Any = None
    """The decoded JSON; None after a refusal."""
    refusal: ApiError | None = None


class ObservingClient(GorgiasClient):
    """Remembers all observations, and requests no page of a list for a second time.

    Args:
        settings: The checked settings.
        summary: Counts requests.
        clock: Returns the time.
    """

    def __init__(self, settings: Settings, summary: RunSummary, clock: Clock) -> None:
        super().__init__(settings, summary, clock, PATIENCE_SECONDS)
        self._observations: list[Observation] = []
        self._responses: dict[str, requests.Response | ApiError] = {}

    def take(self) -> Sequence[Observation]:
        """Return the observations since the last call."""
        observations, self._observations = self._observations, []
        return observations

    @override
    def request_decorator(self, func: RequestFunc, stream_name: str) -> RequestFunc:
        send = super().request_decorator(func, stream_name)

        def decorated(
            prepared_request: requests.PreparedRequest, context: types.Context | None
        ) -> requests.Response:
            observation = _observation_of(prepared_request)
            try:
                response = self._send_once(send, prepared_request, context)
            except ApiError as error:
                self._observations.append(observation._replace(refusal=error))
                raise
            self._observations.append(observation._replace(value=response.json()))
            return response

        return decorated

    def _send_once(
        self,
        send: RequestFunc,
        prepared_request: requests.PreparedRequest,
        context: types.Context | None,
    ) -> requests.Response:
        url = str(prepared_request.url)
        if prepared_request.method != "GET":
            return send(prepared_request, context)
        if url not in self._responses:
            try:
                self._responses[url] = send(prepared_request, context)
            except TransientApiError:
                raise
            except ApiError as error:
                self._responses[url] = error
        response = self._responses[url]
        if isinstance(response, ApiError):
            raise response
        return response


def _observation_of(request: requests.PreparedRequest) -> Observation:
    parts = urlsplit(str(request.url))
    body = request.body
    query = decode(body)["query"] if isinstance(body, bytes) else {}
    return Observation(parts.path, parse_qs(parts.query), query)
