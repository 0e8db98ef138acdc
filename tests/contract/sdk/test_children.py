"""The behaviour of the SDK that `stream_types/children.py` relies on.

The first tests run plain SDK streams, so that they fail if the SDK changes. The others
run streams of the tap.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from singer_sdk import Stream, Tap

from tap_gorgias.compat import override
from tap_gorgias.replication.pages import Page
from tap_gorgias.stream_types.children import ChildStream
from tap_gorgias.streams.details import TicketDetailsStream
from tap_gorgias.streams.messages import TicketMessagesStream
from tap_gorgias.streams.tickets import TicketsStream
from tap_gorgias.tap import TapGorgias
from tests.support.memory import (
    CONFIG,
    UPDATED,
    MemoryStream,
    MemoryTickets,
    messages,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from singer_sdk.helpers import types

    from tap_gorgias.stream_types.base import GorgiasStream

SCHEMA = {"properties": {"id": {"type": "integer"}}}
CONTEXTS: list[dict[str, Any]] = [{}, {"parent": 1}, {"parent": 2}]
calls: list[tuple[str, Any]] = []


class Parent(Stream):
    """Has two rows, and contexts for its children only in a connection test."""

    name = "parents"
    schema: ClassVar[dict[str, Any]] = SCHEMA
    primary_keys = ("id",)

    @override
    def get_records(self, context: types.Context | None) -> Iterable[types.Record]:
        yield from ({"id": number} for number in (1, 2))

    @override
    def generate_child_contexts(
        self, record: types.Record, context: types.Context | None
    ) -> Iterable[types.Context | None]:
        if self.ABORT_AT_RECORD_COUNT is not None:
            yield {"parent": record["id"]}


class Child(Stream):
    """Records when a context is created and when it is read."""

    name = "children"
    schema: ClassVar[dict[str, Any]] = SCHEMA
    parent_stream_type = Parent
    state_partitioning_keys = ()

    @property
    @override
    def partitions(self) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        for context in CONTEXTS:
            calls.append(("created", context))
            yield dict(context)
        calls.append(("created", None))

    @override
    def get_records(self, context: types.Context | None) -> Iterator[types.Record]:
        calls.append(("read", dict(context) if context else None))
        for number in range(2):
            yield {"id": number}
            calls.append(("resumed", number))

    @override
    def _write_record_message(self, record: types.Record) -> None:
        calls.append(("record", record["id"]))


class Family(Tap):
    """A tap of plain SDK streams."""

    name = "tap-family"
    config_jsonschema: ClassVar[dict[str, Any]] = {"properties": {}}

    @override
    def discover_streams(self) -> Sequence[Stream]:
        return [kind(tap=self) for kind in (Child, Parent)]


@pytest.fixture
def family() -> Family:
    """A tap without recorded calls."""
    calls.clear()
    return Family(config={})


def test_a_context_is_created_after_the_rows_of_the_previous_one_are_written(
    family: Family,
) -> None:
    """So a generator of contexts can save the progress."""
    family.streams["children"].sync()

    rows = [("record", 0), ("resumed", 0), ("record", 1), ("resumed", 1)]
    assert calls == [
        *(("created", {}), ("read", None), *rows),
        *(("created", {"parent": 1}), ("read", {"parent": 1}), *rows),
        *(("created", {"parent": 2}), ("read", {"parent": 2}), *rows),
        ("created", None),
    ]


def test_children_of_a_parent_without_contexts_are_not_read(family: Family) -> None:
    """The SDK reads no child by itself, which is why the tap overrides `sync_all`."""
    family.sync_all()
    assert "read" not in {kind for kind, _ in calls}


def test_a_connection_test_reads_children_through_their_parents(
    family: Family,
) -> None:
    """It passes a context and does not use `partitions`."""
    family.run_connection_test()
    assert ("read", {"parent": 1}) in calls
    assert "created" not in {kind for kind, _ in calls}


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
        return Page(rows, str(oldest) if oldest else None)


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
