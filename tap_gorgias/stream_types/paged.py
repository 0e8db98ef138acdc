"""Requests of a stream: the hooks of the SDK's `RESTStream`."""

from __future__ import annotations

from abc import ABC
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from tap_gorgias import timestamps
from tap_gorgias.api.paginators import CursorPaginator
from tap_gorgias.api.responses import latest_timestamp_of
from tap_gorgias.compat import override
from tap_gorgias.errors import IncompleteError
from tap_gorgias.replication.bookmarks import MAX_CLOCK_DIFFERENCE
from tap_gorgias.replication.pages import Page, rows_of
from tap_gorgias.stream_types.catalog import CatalogStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    import requests
    from singer_sdk import Tap
    from singer_sdk.helpers import types
    from singer_sdk.helpers.types import RequestFunc
    from singer_sdk.pagination import BaseAPIPaginator
    from typing_extensions import Self

    from tap_gorgias.api.auth import GorgiasAuthenticator
    from tap_gorgias.run.context import Run


class PagedStream(CatalogStream, ABC):
    """A stream that requests pages of an endpoint.

    Args:
        tap: The tap, which holds the other streams and the output.
        run: What the streams of a run share.
    """

    name: str

    path: str
    """Path of the endpoint, for example `/api/tickets/{ticket_id}`."""

    scope: ClassVar[str]
    """OAuth2 scope that the endpoint needs (docs/oauth2-scopes)."""

    order_by: ClassVar[str | None] = None
    """Order to ask for; None where the endpoint has no orders."""

    page_size: ClassVar[int | None] = 100
    """Rows to ask for in a request, by default the most that a list endpoint returns;
    None where the endpoint has no pages."""

    def __init__(self, tap: Tap, run: Run) -> None:
        super().__init__(tap)
        self.tap = tap
        self.run = run
        self._missing: Counter[str] = Counter()
        self.for_stream: PagedStream = self
        """The stream that the list is read for: requests and failures belong to it."""

    @classmethod
    def reading_for(cls, stream: PagedStream) -> Self:
        """Return another stream of this type, whose list is read for `stream`."""
        own = cls(stream.tap, stream.run)
        own.for_stream = stream.for_stream
        return own

    def report_incomplete(self, reason: str) -> None:
        """Log what is left out, to fail once the stream has been read.

        Args:
            reason: A sentence without customer data.
        """
        if reason not in self._missing:
            self.logger.warning("%s", reason)
        self._missing[reason] += 1

    def check_complete(self) -> None:
        """Fail if rows are missing although the stream was read to its end.

        Raises:
            IncompleteError: If rows are missing.
        """
        if self._missing:
            raise IncompleteError(self._missing)

    @property
    @override
    def url_base(self) -> str:
        return self.run.settings.api_url

    @property
    @override
    def requests_session(self) -> requests.Session:
        return self.run.client.session

    @property
    @override
    def authenticator(self) -> GorgiasAuthenticator:
        return self.run.client.authenticator

    @cached_property
    @override
    def user_agent(self) -> str:
        return self.run.settings.user_agent

    @override
    def get_url_params(
        self, context: types.Context | None, next_page_token: str | None
    ) -> dict[str, Any]:
        """Return the query parameters of a page.

        Args:
            context: The context of the parent; None without a parent.
            next_page_token: The cursor of the page; None for the first one.
        """
        params: dict[str, Any] = {}
        if self.page_size is not None:
            params["limit"] = self.page_size
        if self.order_by:
            params["order_by"] = self.order_by
        if next_page_token is not None:
            params["cursor"] = next_page_token
        return params

    @override
    def get_new_paginator(
        self, start_value: str | None = None
    ) -> BaseAPIPaginator[Any]:
        """Return a paginator.

        Args:
            start_value: The cursor to start from; None for the first page.
        """
        return CursorPaginator(start_value, self.page_size)

    @override
    def request_decorator(self, func: RequestFunc) -> RequestFunc:
        return self.run.client.with_retries(func, self.name)

    @override
    def validate_response(self, response: requests.Response) -> None:
        """Check a response, and decode its body.

        Args:
            response: The response to a request of this stream.

        Raises:
            TransientApiError: If another try may help.
            ApiError: If Gorgias refuses, or its response cannot be used.
            StateError: If by the date of the response a bookmark is in the future.
        """
        self.run.client.validate(response, self.name, self.scope)
        self.run.check_state(self.now(response))

    @override
    def parse_response(self, response: requests.Response) -> Iterable[types.Record]:
        return rows_of(response.json())

    def send_request(
        self,
        prepared_request: requests.PreparedRequest,
        context: types.Context | None,  # noqa: ARG002 (as the SDK's own method)
    ) -> requests.Response:
        """Send a request once.

        The SDK's `_request` is not used: it logs metrics of each request, and cannot
        sign again after a 401.

        Args:
            prepared_request: The request.
            context: The context of the parent.

        Returns:
            The checked response.

        Raises:
            ApiError: As `validate_response`, or if no complete response came.
        """
        response = self.run.client.send_signed(prepared_request, self.name)
        self.validate_response(response)
        return response

    def page_of(
        self, response: requests.Response, paginator: BaseAPIPaginator[Any]
    ) -> Page:
        """Return the page in a response.

        Raises:
            PageError: If it is not a page.
        """
        return Page(
            list(self.parse_response(response)),
            paginator.get_next(response),
            self.now(response),
        )

    def now(self, response: requests.Response) -> str:
        """Return the latest time at which Gorgias can have made a response."""
        # The local clock may be wrong: what is recent by it cannot become a bookmark.
        local = self.run.clock.utc() - MAX_CLOCK_DIFFERENCE
        return latest_timestamp_of(response) or timestamps.render(local)
