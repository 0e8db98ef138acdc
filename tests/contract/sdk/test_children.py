"""Children declare their parents to the SDK, and walk their lists by themselves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_gorgias.compat import override
from tap_gorgias.replication.pages import Page
from tap_gorgias.stream_types.children import ChildStream
from tap_gorgias.streams import STREAMS
from tap_gorgias.streams.messages import TicketMessagesStream
from tap_gorgias.streams.tickets import TicketDetailsStream, TicketsStream
from tap_gorgias.tap import TapGorgias
from tests.support.memory import (
    CONFIG,
    UPDATED,
    MemoryStream,
    MemoryTickets,
    messages,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk.helpers import types

    from tap_gorgias.replication.pages import Row
    from tap_gorgias.stream_types.stream import GorgiasStream

TICKETS = 10
DONE = {"replication_key_value": "2000-01-01T00:00:00.000000Z"}


class ManyTickets(MemoryTickets):
    """Ten tickets in pages of three."""

    @override
    def page_at(self, cursor: str | None, context: types.Context | None) -> Page:
        newest = int(cursor) if cursor else TICKETS
        oldest = max(newest - 3, 0)
        rows = [
            {"id": number, "updated_datetime": UPDATED.format(number)}
            for number in range(newest, oldest, -1)
        ]
        return Page(rows, str(oldest) if oldest else None, key="updated_datetime")


class DetailsFromMemory(MemoryStream, TicketDetailsStream):
    """The details of each ticket."""

    parent_stream_type = ManyTickets

    @override
    def page_at(self, cursor: str | None, context: types.Context | None) -> Page:
        ticket_id = (context or {})["ticket_id"]
        return Page([{"id": ticket_id, "updated_datetime": UPDATED.format(ticket_id)}])


class FeedAndDetails(TapGorgias):
    """A tap with a parent and a child stream that read from memory."""

    @override
    def discover_streams(self) -> Sequence[GorgiasStream]:
        return [
            kind(tap=self, run=self.run) for kind in (ManyTickets, DetailsFromMemory)
        ]


def read(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Read ten tickets and their details, and return the Singer messages."""
    state = {"bookmarks": {"tickets": {**DONE}, "ticket_details": {**DONE}}}
    catalog = FeedAndDetails(config=dict(CONFIG)).catalog_dict
    for entry in catalog["streams"]:
        for metadata in entry["metadata"]:
            metadata["metadata"]["selected"] = True
    FeedAndDetails(config=dict(CONFIG), state=state, catalog=catalog).sync_all()
    return messages(capsys)


def test_state_is_written_per_page_and_not_per_context(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It contains nothing of a context."""
    states = [
        json.dumps(one["value"]) for one in read(capsys) if one["type"] == "STATE"
    ]
    pages = 4
    assert len(set(states)) <= 2 * pages + 1
    assert not [state for state in states if "partitions" in state]
    assert not [state for state in states if "ticket_id" in state]


def test_a_schema_is_written_once_per_stream(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Some targets flush their rows at every SCHEMA message."""
    schemas = [one["stream"] for one in read(capsys) if one["type"] == "SCHEMA"]
    assert sorted(schemas) == ["ticket_details", "tickets"]


def test_all_rows_of_a_parent_and_its_child_are_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Both keep the order of the parent's list."""
    rows = [one for one in read(capsys) if one["type"] == "RECORD"]
    for stream in ("tickets", "ticket_details"):
        ids = [one["record"]["id"] for one in rows if one["stream"] == stream]
        assert ids == list(range(10, 0, -1))


def test_children_have_no_bookmark_per_parent_record() -> None:
    """A million tickets would add a million bookmarks to STATE."""
    assert ChildStream.state_partitioning_keys == ()
    assert TicketMessagesStream.parent_stream_type is TicketsStream


class ShiftedTickets(ManyTickets):
    """Ten tickets whose context is not their id."""

    @override
    def get_child_context(
        self, record: types.Record, context: types.Context | None
    ) -> types.Context:
        return {"ticket_id": record["id"] + 100}


class ShiftedDetails(DetailsFromMemory):
    """Details whose requests and rows show the context."""

    parent_stream_type = ShiftedTickets

    @override
    def with_parent_keys(self, row: Row, context: types.Context) -> Row:
        return {**row, "subject": str(context["ticket_id"])}


class Family(TapGorgias):
    """A tap whose child has other contexts."""

    @override
    def discover_streams(self) -> Sequence[GorgiasStream]:
        return [
            kind(tap=self, run=self.run) for kind in (ShiftedTickets, ShiftedDetails)
        ]


def test_rows_are_keyed_on_the_context_that_the_parent_declares() -> None:
    """`parent_stream_type` and `get_child_context` are in use, not only declared."""
    stream = cast(
        "ShiftedDetails", Family(config=dict(CONFIG)).streams["ticket_details"]
    )
    rows = [row for step in stream.steps() for row in step.rows]
    assert [row["id"] for row in rows] == [number + 100 for number in range(10, 0, -1)]
    assert [row["subject"] for row in rows] == [str(row["id"]) for row in rows]


@pytest.mark.parametrize("stream", [one for one in STREAMS if one.parent_stream_type])
def test_a_path_is_a_template_for_the_context_of_the_parent(
    stream: type[GorgiasStream],
) -> None:
    """As in any tap of the SDK, and its parent is a stream of the tap."""
    assert issubclass(stream, ChildStream)
    assert stream.parent_stream_type in STREAMS


def test_reading_partitions_sends_no_request() -> None:
    """The SDK may look at the property at any time."""
    assert Family(config=dict(CONFIG)).streams["ticket_details"].partitions is None
