"""Requests pages of a list, in smaller pieces where one keeps failing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from singer_sdk.streams.rest import PageContext

from tap_gorgias import timestamps
from tap_gorgias.api.paginators import CursorPaginator
from tap_gorgias.errors import ApiError, TransientApiError
from tap_gorgias.replication.pages import (
    CutListError,
    MissingRow,
    NullListError,
    Page,
    PageError,
)
from tap_gorgias.replication.unreadable import cursor_at, cursor_beyond

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import requests
    from singer_sdk.helpers import types
    from singer_sdk.helpers.types import RequestFunc
    from singer_sdk.pagination import BaseAPIPaginator

    from tap_gorgias.stream_types.paged import PagedStream

NO_RETRIES = 0.0
FAR = timedelta(days=200)
"""A distance at which another page is readable, unless all are not."""
BEFORE_FIRST_ROW = timedelta(days=1)
"""How far ahead of the clock the newest row is looked for, if it is unreadable."""
SECONDS_FOR_PIECES = 30.0
"""How long a saved cursor, or a single row, is tried: what stands above can be read."""


@dataclass
class PageReader:
    """Reads a list, or the part of it that belongs to a parent."""

    stream: PagedStream
    params: Mapping[str, Any] | None
    context: types.Context | None
    patience: float | None
    """Seconds for retries of a request; None for those of a run."""

    def pages(self, cursor: str | None) -> Iterator[Page]:
        """Request the pages from a cursor on, as `PagedStream.pages`."""
        stream, patience = self.stream, self.patience
        if cursor is not None:
            patience = SECONDS_FOR_PIECES
        paginator = stream.get_new_paginator(cursor)
        whole = size = stream.page_size
        while not paginator.finished:
            try:
                response = self._fetch(paginator, size, patience)
            except ApiError as error:
                if not size or not self._is_divisible(error):
                    raise
                if size == whole and not self._list_works(paginator, error):
                    raise
                if size == 1:
                    missing = self._missing(error, paginator.current_value)
                    yield missing
                    paginator = stream.get_new_paginator(missing.next_cursor)
                size = max(size // 2, 1)
                patience = SECONDS_FOR_PIECES if size == 1 else NO_RETRIES
                continue
            yield stream.page_of(response, paginator)
            paginator.advance(response)
            is_piece = size != whole
            size = min(2 * size, whole) if size and whole else size
            patience = NO_RETRIES if is_piece else self.patience

    def _fetch(
        self, paginator: BaseAPIPaginator[Any], size: int | None, patience: float | None
    ) -> requests.Response:
        stream, context = self.stream, self.context
        sender = stream.for_stream
        page = PageContext(context, paginator.current_value)
        request = stream.get_http_request(page=page)
        request.params.update(self.params or {})
        if size != stream.page_size:
            request.params["limit"] = size
        if isinstance(paginator, CursorPaginator) and paginator.page_size:
            paginator.page_size = size
        prepared_request = stream.build_prepared_request(
            method=request.method,
            url=request.url,
            params=request.encode_params(),
            headers=request.headers,
            json=request.data,
        )

        def send_once(
            prepared_request: requests.PreparedRequest, context: types.Context | None
        ) -> requests.Response:
            response = sender.send_request(prepared_request, context)
            self._check(response, paginator)
            return response

        send: RequestFunc = send_once
        if patience is None:
            send = sender.request_decorator(send_once)
        elif patience > NO_RETRIES:
            client = stream.run.client
            send = client.with_retries(send_once, sender.name, patience)
        return send(prepared_request, context)

    def _check(
        self, response: requests.Response, paginator: BaseAPIPaginator[Any]
    ) -> None:
        """Make a cut list a fault that is retried, and explain one that is null.

        Raises:
            TransientApiError: If the response to a cursor is cut.
            ApiError: If the first page is null.
        """
        stream = self.stream.for_stream
        path, status = self.stream.path, response.status_code
        try:
            paginator.get_next(response)
        except CutListError as error:
            raise TransientApiError(
                str(error), stream=stream.name, path=path, status=status
            ) from None
        except NullListError as error:
            signed = stream.run.client.authenticator
            advice = signed.forbidden_advice(self.stream.scope, stream.name)
            raise ApiError(
                str(error), stream=stream.name, path=path, status=status, advice=advice
            ) from None
        except PageError:
            return  # Another try would not mend it.

    def _is_divisible(self, error: ApiError) -> bool:
        """Return whether a smaller page may succeed, as if one of its rows fails."""
        is_list = self.context is None and self.stream.http_method == "GET"
        return is_list and error.may_be_due_to_page_size

    def _list_works(self, paginator: BaseAPIPaginator[Any], error: ApiError) -> bool:
        """Return whether a page fails while others can be read."""
        is_first = paginator.current_value is None
        if is_first and not self.stream.run.client.has_outage:
            return True
        far = self._start(FAR) if is_first else None
        return self._is_readable(None, error) or (
            far is not None and self._is_readable(far, error)
        )

    def _start(self, distance: timedelta = timedelta(0)) -> str | None:
        """Return a cursor near the start of the list; None if nothing says where it is.

        Args:
            distance: How far behind the start.
        """
        order, key = self.stream.order_by, self.stream.replication_key
        if order is None:
            return None
        if order.endswith(":desc"):
            now = self.stream.run.clock.utc()
            return cursor_at(timestamps.render(now + BEFORE_FIRST_ROW - distance))
        since = (self.params or {}).get(f"{key}[gte]")
        return since and cursor_at(timestamps.earlier(since, -distance))

    def _is_readable(self, cursor: str | None, error: ApiError) -> bool:
        """Request a single row, to find which one fails.

        Raises:
            ApiError: `error`, if the row fails for another reason.
        """
        try:
            self._fetch(self.stream.get_new_paginator(cursor), 1, NO_RETRIES)
        except ApiError as failure:
            if self._is_divisible(failure):
                return False
            raise error from None
        return True

    def _missing(self, error: ApiError, cursor: str | None) -> Page:
        """Return a page in place of a row that cannot be read.

        Raises:
            ApiError: If the row cannot be passed over.
        """
        order = self.stream.order_by
        cursor = cursor or self._start()
        if cursor is None or order is None:
            raise error
        beyond = cursor_beyond(
            cursor,
            lambda cursor: self._is_readable(cursor, error),
            is_ascending=order.endswith(":asc"),
        )
        if beyond is None:
            raise error
        following, row = beyond
        self.stream.for_stream.report_incomplete(
            f"{error} The row of {row[:19]}Z is missing."
        )
        key = self.stream.replication_key
        return Page([MissingRow({key: row} if key else {})], following)
