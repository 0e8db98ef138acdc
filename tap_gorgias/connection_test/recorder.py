"""An API client that records requests and responses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
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
    from tap_gorgias.replication.pages import Row


@dataclass(frozen=True)
class Exchange:
    """A request and its response."""

    path: str
    params: Mapping[str, Sequence[str]]
    """Parameters of the query string, each with its values."""
    query: Mapping[str, Any]
    """The query in the body of a request for a report; empty for a list."""
    body: Any = None
    """The decoded JSON of the response; None if the request failed."""
    error: ApiError | None = None
    """Why the request failed."""

    @property
    def order(self) -> str | None:
        """The requested order, for example `created_datetime:desc`."""
        of_report = (":".join(order) for order in self.query.get("order", ()))
        orders = [*self.params.get("order_by", ()), *of_report]
        return orders[0] if orders else None

    @property
    def columns(self) -> set[str]:
        """The requested columns of a report; empty for a list."""
        periods = (
            period["dimension"] for period in self.query.get("time_dimensions", ())
        )
        return {
            *periods,
            *self.query.get("dimensions", ()),
            *self.query.get("measures", ()),
        }

    @property
    def rows(self) -> list[Row]:
        """The rows in the response, as far as it has the form of a list."""
        rows = self.body.get("data") if isinstance(self.body, dict) else self.body
        listed = rows if isinstance(rows, list) else []
        return [row for row in listed if isinstance(row, dict)]

    @property
    def meta(self) -> Mapping[str, Any] | None:
        """The object `meta` of the response; None if there is none."""
        meta = self.body.get("meta") if isinstance(self.body, dict) else None
        return meta if isinstance(meta, dict) else None

    @property
    def next_page_key(self) -> str:
        """The key in `meta` that refers to the next page."""
        return "next_items" if self.path.endswith("/items") else "next_cursor"


class RecordingClient(GorgiasClient):
    """Records all exchanges, and requests no page of a list twice.

    Args:
        settings: The validated settings.
        summary: Counts requests.
        clock: Returns the time.
    """

    max_retry_seconds = 30.0
    """Shorter than in a run, because a user is waiting for the report."""

    def __init__(self, settings: Settings, summary: RunSummary, clock: Clock) -> None:
        super().__init__(settings, summary, clock)
        self._exchanges: list[Exchange] = []
        self._responses: dict[str, requests.Response | ApiError] = {}

    def take_exchanges(self) -> Sequence[Exchange]:
        """Return the exchanges since the last call."""
        exchanges, self._exchanges = self._exchanges, []
        return exchanges

    @override
    def request_decorator(  # type: ignore[override]  # only for requests of streams
        self, func: RequestFunc, stream_name: str
    ) -> RequestFunc:
        send = super().request_decorator(func, stream_name)

        def decorated(
            prepared_request: requests.PreparedRequest, context: types.Context | None
        ) -> requests.Response:
            exchange = _exchange_for(prepared_request)
            try:
                response = self._send_once(send, prepared_request, context)
            except ApiError as error:
                self._exchanges.append(replace(exchange, error=error))
                raise
            self._exchanges.append(replace(exchange, body=response.json()))
            return response

        return decorated

    def _send_once(
        self,
        send: RequestFunc,
        prepared_request: requests.PreparedRequest,
        context: types.Context | None,
    ) -> requests.Response:
        if prepared_request.method != "GET":
            return send(prepared_request, context)
        url = str(prepared_request.url)
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


def _exchange_for(request: requests.PreparedRequest) -> Exchange:
    parts = urlsplit(str(request.url))
    query = decode(request.body)["query"] if isinstance(request.body, bytes) else {}
    return Exchange(parts.path, parse_qs(parts.query), query)
