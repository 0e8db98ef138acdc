"""What `stream_types/children.py` leans on in the SDK is still there.

The first tests drive plain SDK streams, so that they fail when the SDK changes. The
last ones look at what our own streams make of it.
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
from tests.support.memory import CONFIG, UPDATED, Tickets, messages
from tests.support.responses import paged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from singer_sdk.helpers import types

    from tap_gorgias.stream_types.base import GorgiasStream
    from tap_gorgias.stream_types.paged import PagedStream

SCHEMA = {"properties": {"id": {"type": "integer"}}}
CONTEXTS: list[dict[str, Any]] = [{}, {"parent": 1}, {"parent": 2}]
told: list[tuple[str, Any]] = []


class Parent(Stream):
    """Two rows; it has no contexts for its children unless asked to test."""

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
    """It tells when a context is made, and when it is read."""

    name = "children"
    schema: ClassVar[dict[str, Any]] = SCHEMA
    parent_stream_type = Parent
    state_partitioning_keys = ()

    @property
    @override
    def partitions(self) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        for context in CONTEXTS:
            told.append(("made", context))
            yield dict(context)
        told.append(("made", None))

    @override
    def get_records(self, context: types.Context | None) -> Iterator[types.Record]:
        told.append(("read", dict(context) if context else None))
        for number in range(2):
            yield {"id": number}
            told.append(("row out", number))

    @override
    def _write_record_message(self, record: types.Record) -> None:
        told.append(("record", record["id"]))


class Family(Tap):
    """A tap of nothing but the SDK."""

    name = "tap-family"
    config_jsonschema: ClassVar[dict[str, Any]] = {"properties": {}}

    @override
    def discover_streams(self) -> Sequence[Stream]:
        return [kind(tap=self) for kind in (Child, Parent)]


@pytest.fixture
def family() -> Family:
    """Make a tap that has told nothing yet."""
    told.clear()
    return Family(config={})


def test_contexts_are_taken_one_by_one_when_the_rows_before_are_out(
    family: Family,
) -> None:
    """So a generator of contexts may save how far they are done."""
    family.streams["children"].sync()

    rows = [("record", 0), ("row out", 0), ("record", 1), ("row out", 1)]
    assert told == [
        *(("made", {}), ("read", None), *rows),
        *(("made", {"parent": 1}), ("read", {"parent": 1}), *rows),
        *(("made", {"parent": 2}), ("read", {"parent": 2}), *rows),
        ("made", None),
    ]


def test_a_parent_without_contexts_leaves_its_children_alone(family: Family) -> None:
    """And the SDK reads no child by itself, which is why `sync_all` is replaced."""
    family.sync_all()
    assert "read" not in {kind for kind, _ in told}


def test_a_test_of_the_connection_reads_children_through_their_parents(
    family: Family,
) -> None:
    """With a context, and without asking for partitions."""
    family.run_connection_test()
    assert ("read", {"parent": 1}) in told
    assert "made" not in {kind for kind, _ in told}


TICKETS = 10
DONE = {"replication_key_value": "2000-01-01T00:00:00.000000Z"}


class ManyTickets(Tickets):
    """Ten tickets, three a page."""

    @override
    def pages(
        self,
        context: types.Context | None = None,
        cursor: str | None = None,
        *,
        reader: PagedStream | None = None,
    ) -> Iterator[Page]:
        def page_at(cursor: str | None) -> Page:
            newest = int(cursor) if cursor else TICKETS
            oldest = max(newest - 3, 0)
            rows = [
                {"id": number, "updated_datetime": UPDATED.format(number)}
                for number in range(newest, oldest, -1)
            ]
            return Page(rows, str(oldest) if oldest else None)

        return paged(page_at)(cursor)


class OneDetailEach(TicketDetailsStream):
    """The details of each ticket."""

    parent_stream_type = ManyTickets

    @override
    def pages(
        self,
        context: types.Context | None = None,
        cursor: str | None = None,
        *,
        reader: PagedStream | None = None,
    ) -> Iterator[Page]:
        ticket_id = (context or {})["ticket_id"]
        yield Page([{"id": ticket_id, "updated_datetime": UPDATED.format(ticket_id)}])


class Desk(TapGorgias):
    """Our own parent and child, from memory."""

    @override
    def discover_streams(self) -> Sequence[GorgiasStream]:
        return [kind(tap=self, run=self.run) for kind in (ManyTickets, OneDetailEach)]


def read(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Read ten tickets and their details; return the Singer messages."""
    state = {"bookmarks": {"tickets": {**DONE}, "ticket_details": {**DONE}}}
    catalog = Desk(config=dict(CONFIG)).catalog_dict
    for entry in catalog["streams"]:
        for metadata in entry["metadata"]:
            metadata["metadata"]["selected"] = True
    Desk(config=dict(CONFIG), state=state, catalog=catalog).sync_all()
    return messages(capsys)


def test_state_is_written_for_pages_and_not_for_contexts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nor does it hold anything of a context."""
    states = [
        json.dumps(one["value"]) for one in read(capsys) if one["type"] == "STATE"
    ]
    pages = 4
    assert len(set(states)) <= 2 * pages + 1
    assert not [state for state in states if "partitions" in state]
    assert not [state for state in states if "ticket_id" in state]


def test_a_schema_is_written_once_for_a_stream(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Some targets flush at each."""
    schemas = [one["stream"] for one in read(capsys) if one["type"] == "SCHEMA"]
    assert sorted(schemas) == ["ticket_details", "tickets"]


def test_a_child_and_its_parent_are_read_each_by_itself(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """All rows of both come, in the order of the parent's list."""
    rows = [one for one in read(capsys) if one["type"] == "RECORD"]
    for stream in ("tickets", "ticket_details"):
        ids = [one["record"]["id"] for one in rows if one["stream"] == stream]
        assert ids == list(range(10, 0, -1))


def test_children_have_no_state_of_their_own_for_each_parent() -> None:
    """A million tickets must not make a million bookmarks."""
    assert ChildStream.state_partitioning_keys == ()
    assert TicketMessagesStream.parent_stream_type is TicketsStream
