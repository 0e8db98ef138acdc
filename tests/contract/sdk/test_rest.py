"""Streams have the SDK's face: whoever knows `RESTStream` can read and change them."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, cast

import pytest
from singer_sdk import RESTStream
from singer_sdk.authenticators import APIAuthenticatorBase
from singer_sdk.pagination import BaseAPIPaginator
from singer_sdk.streams.rest import PageContext

from tap_gorgias.compat import override
from tap_gorgias.streams import STREAMS
from tap_gorgias.streams.tickets import TagsStream
from tap_gorgias.tap import TapGorgias
from tests.sandbox import Sandbox, Shop
from tests.support.fake_clock import FakeClock
from tests.support.memory import CONFIG

if TYPE_CHECKING:
    from collections.abc import Sequence

    import requests
    from singer_sdk.helpers import types

    from tap_gorgias.stream_types.stream import GorgiasStream

CONTEXTS: dict[str, dict[str, Any]] = {
    "customer_details": {"customer_id": 17},
    "ticket_details": {"ticket_id": 17},
    "view_items": {"view_id": 17, "item_type": "ticket"},
}
TAGS = 3


@pytest.fixture
def streams() -> dict[str, GorgiasStream]:
    """Return the streams of a tap that sends nothing."""
    return cast("dict[str, GorgiasStream]", dict(TapGorgias(config=CONFIG).streams))


def test_streams_use_the_bases_of_the_sdk(streams: dict[str, GorgiasStream]) -> None:
    """Streams, paginators and authenticators are those that SDK users look for."""
    assert len(streams) == len(STREAMS)
    for stream in streams.values():
        assert isinstance(stream, RESTStream)
        assert isinstance(stream.get_new_paginator(), BaseAPIPaginator)
        assert isinstance(stream.authenticator, APIAuthenticatorBase)


def test_requests_follow_from_the_public_hooks(
    streams: dict[str, GorgiasStream],
) -> None:
    """The path of a stream is a template for the context of its parent."""
    for stream in streams.values():
        context = CONTEXTS.get(stream.name)
        request = stream.get_http_request(page=PageContext(context, None))
        assert request.method == "GET"
        assert request.url == stream.url_base + stream.path.format(**context or {})
        assert request.params == stream.get_url_params(context, None)


def test_the_stock_records_are_those_that_are_requested() -> None:
    """Only `request_records` is replaced, and the SDK calls it for the records."""
    assert "self.request_records(context)" in inspect.getsource(RESTStream.get_records)
    replaced = {
        base
        for stream in STREAMS
        for base in stream.__mro__
        if "request_records" in vars(base) and not base.__module__.startswith("singer")
    }
    assert [base.__name__ for base in replaced] == ["GorgiasStream"]


class ChangedTags(TagsStream):
    """Tags, with each hook of a request changed."""

    sent: list[requests.PreparedRequest]
    received: list[requests.Response]

    @override
    def get_url_params(
        self, context: types.Context | None, next_page_token: str | None
    ) -> dict[str, Any]:
        params = super().get_url_params(context, next_page_token)
        return {**params, "limit": 2}

    @override
    def build_prepared_request(
        self, *args: Any, **kwargs: Any
    ) -> requests.PreparedRequest:
        request = super().build_prepared_request(*args, **kwargs)
        self.sent.append(request)
        return request

    @override
    def validate_response(self, response: requests.Response) -> None:
        self.received.append(response)
        super().validate_response(response)

    @override
    def parse_response(self, response: requests.Response) -> Sequence[types.Record]:
        rows = super().parse_response(response)
        return [{**row, "name": "changed"} for row in rows]


def test_a_stream_can_change_each_hook() -> None:
    """Nothing goes around them."""
    with Sandbox(Shop(seed=1, tickets=1, tags=TAGS)) as sandbox:

        class Tap(TapGorgias):
            """The tap with changed tags."""

            clock = FakeClock()

            @override
            def discover_streams(self) -> Sequence[GorgiasStream]:
                return [ChangedTags(self, self.run)]

        tap = Tap(config=sandbox.config)
        stream = cast("ChangedTags", tap.streams["tags"])
        stream.sent, stream.received = [], []
        rows = list(stream.request_records(None))
        tap.run.close()

    assert [row["name"] for row in rows] == ["changed"] * len(rows)
    assert len(rows) == len(sandbox.shop.tags.ids())
    pages = -(-len(rows) // 2)
    assert len(stream.sent) == len(stream.received) == pages
    assert {request.query["limit"][0] for request in sandbox.requests} == {"2"}
