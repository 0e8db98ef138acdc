"""Count the requests of Airbyte's CDK against the sandbox, in about a minute.

    python -m tests.benchmarks.airbyte

It needs its own environment with `pip install airbyte-cdk`. The manifest is not that of
source-gorgias, but it sends the same requests for three streams.
"""

from __future__ import annotations

from typing import Any

from airbyte_cdk.models import SyncMode  # type: ignore[import-not-found]
from airbyte_cdk.sources.declarative.concurrent_declarative_source import (  # type: ignore[import-not-found]
    ConcurrentDeclarativeSource,
)
from airbyte_cdk.test.catalog_builder import (  # type: ignore[import-not-found]
    CatalogBuilder,
)
from airbyte_cdk.test.entrypoint_wrapper import (  # type: ignore[import-not-found]
    read,
)

from tests.benchmarks.others import HOST, count
from tests.sandbox.auth import API_KEY, EMAIL

KEYS = {
    "tickets": "updated_datetime",
    "messages": "created_datetime",
    "customers": "updated_datetime",
}
FORMAT = "%Y-%m-%dT%H:%M:%S.%f%z"
CONFIG = {"start_date": "2015-01-01T00:00:00.000000+0000"}


def stream(name: str, key: str) -> dict[str, Any]:
    """Describe a list that is read from the newest row down to the state."""
    next_cursor = "{{ response['meta']['next_cursor'] }}"
    return {
        "type": "DeclarativeStream",
        "name": name,
        "primary_key": ["id"],
        "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object"}},
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {
                "type": "HttpRequester",
                "url_base": f"{HOST}/api/",
                "path": name,
                "request_parameters": {"order_by": f"{key}:desc"},
                "authenticator": {
                    "type": "BasicHttpAuthenticator",
                    "username": EMAIL,
                    "password": API_KEY,
                },
            },
            "record_selector": {
                "type": "RecordSelector",
                "extractor": {"type": "DpathExtractor", "field_path": ["data"]},
            },
            "paginator": {
                "type": "DefaultPaginator",
                "page_token_option": option("cursor"),
                "page_size_option": option("limit"),
                "pagination_strategy": {
                    "type": "CursorPagination",
                    "page_size": 100,
                    "cursor_value": next_cursor,
                    "stop_condition": "{{ not response['meta']['next_cursor'] }}",
                },
            },
        },
        "incremental_sync": {
            "type": "DatetimeBasedCursor",
            "is_data_feed": True,
            "cursor_field": key,
            "datetime_format": FORMAT,
            "cursor_datetime_formats": [FORMAT, "%Y-%m-%dT%H:%M:%S%z"],
            "start_datetime": "{{ config['start_date'] }}",
        },
    }


def option(name: str) -> dict[str, str]:
    """Describe a query parameter."""
    where = "request_parameter"
    return {"type": "RequestOption", "inject_into": where, "field_name": name}


def manifest() -> dict[str, Any]:
    """Describe the source with the rate limit of source-gorgias."""
    rates = [{"limit": 40, "interval": "PT20S"}]
    policy = {"type": "MovingWindowCallRatePolicy", "rates": rates, "matchers": []}
    return {
        "version": "6.13.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["tickets"]},
        "api_budget": {"type": "HTTPAPIBudget", "policies": [policy]},
        "streams": [stream(name, key) for name, key in KEYS.items()],
        "spec": {"type": "Spec", "connection_specification": {"type": "object"}},
    }


class Sync:
    """Runs of the source, each of which starts from the state of the previous one."""

    def __init__(self) -> None:
        self.state: list[Any] = []

    def __call__(self) -> str:
        """Read all streams and return the row counts."""
        builder = CatalogBuilder()
        for name in KEYS:
            builder = builder.with_stream(name, SyncMode.incremental)
        catalog = builder.build()
        source = ConcurrentDeclarativeSource(
            source_config=manifest(), config=CONFIG, catalog=catalog, state=self.state
        )
        output = read(source, CONFIG, catalog, self.state)
        latest = {
            message.state.stream.stream_descriptor.name: message.state
            for message in output.state_messages
        }
        self.state = list(latest.values())
        names = [message.record.stream for message in output.records]
        return str({name: names.count(name) for name in KEYS})


if __name__ == "__main__":
    count(Sync())
