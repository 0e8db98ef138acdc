"""Streams whose endpoint returns a single record, without a list around it."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, Any

from singer_sdk.pagination import SinglePagePaginator

from tap_gorgias.compat import override
from tap_gorgias.replication.pages import PageError
from tap_gorgias.replication.walks import Step
from tap_gorgias.stream_types.stream import GorgiasStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import requests
    from singer_sdk.helpers import types
    from singer_sdk.pagination import BaseAPIPaginator


class SingleRecordStream(GorgiasStream, ABC):
    """One record for each request."""

    page_size = None

    @override
    def steps(self) -> Iterator[Step]:
        for page in self.pages():
            yield Step(page.rows)

    @override
    def get_url_params(
        self, context: types.Context | None, next_page_token: str | None
    ) -> dict[str, Any]:
        return {}

    @override
    def get_new_paginator(
        self, start_value: str | None = None
    ) -> BaseAPIPaginator[Any]:
        return SinglePagePaginator()

    @override
    def parse_response(self, response: requests.Response) -> Iterable[types.Record]:
        record = response.json()
        if not isinstance(record, dict):
            message = "the response holds no record."
            raise PageError(message)
        return [record]
