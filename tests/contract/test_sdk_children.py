"""What `parents.py` leans on in the SDK is still there.

The first tests drive plain SDK streams, so that they fail when the SDK changes. The
last ones look at what our own streams make of it.
"""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from singer_sdk import Stream, Tap
from singer_sdk.streams import core

from tap_gorgias.compat import override
from tap_gorgias.pages import Page
from tap_gorgias.parents import PerParentStream
from tap_gorgias.streams.messages import TicketMessagesStream
from tap_gorgias.streams.tickets import TicketsStream
from tap_gorgias.tap import TapGorgias
from tests.contract.memory import CONFIG, UPDATED, Tickets, messages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from singer_sdk import metrics
    from singer_sdk.helpers import types

    from tap_gorgias.pages import Fetch
    from tap_gorgias.stream import GorgiasStream

SCHEMA = {"properties": {"id": {"type": "integer"}}}
PARENTS = (1, 2, 3)
told: list[tuple[str, Any]] = []


class Parent(Stream):
    """Three rows; it tells when the SDK asks for contexts."""

    name = "parents"
    schema: ClassVar[dict[str, Any]] = SCHEMA
    primary_keys = ("id",)

    @override
    def get_records(self, context: types.Context | None) -> Iterable[types.Record]:
        yield from ({"id": number} for number in PARENTS)

    @override
    def generate_child_contexts(
        self, record: types.Record, context: types.Context | None
    ) -> Iterable[types.Context | None]:
        told.append(("contexts", record["id"]))
        yield {"parent": record["id"]}

    @override
    def _write_record_message(self, record: types.Record) -> None:
        told.append(("record", record["id"]))


class Child(Stream):
    """It tells what it is called with, and has no rows."""

    name = "children"
    schema: ClassVar[dict[str, Any]] = SCHEMA
    parent_stream_type = Parent
    state_partitioning_keys = ()

    @override
    def get_records(self, context: types.Context | None) -> Iterator[types.Record]:
        told.append((f"{self.name} read", dict(context) if context else None))
        return iter(())

    @override
    def get_record_counter(self, **kwargs: Any) -> metrics.Counter:
        told.append(("counter", dict(self.context) if self.context else None))
        return super().get_record_counter(**kwargs)

    @override
    def get_sync_timer(self) -> metrics.Timer:
        told.append(("timer", dict(self.context) if self.context else None))
        return super().get_sync_timer()


class Sibling(Child):
    """Hangs on the same parent."""

    name = "siblings"


class Family(Tap):
    """A tap of nothing but the SDK."""

    name = "tap-family"
    config_jsonschema: ClassVar[dict[str, Any]] = {"properties": {}}

    @override
    def discover_streams(self) -> Sequence[Stream]:
        return [kind(tap=self) for kind in (Child, Parent, Sibling)]


@pytest.fixture
def family() -> Family:
    """Make a tap that has told nothing yet."""
    told.clear()
    return Family(config={})


def told_of(*kinds: str) -> list[Any]:
    """Take what was told of some kinds, in order."""
    return [value for kind, value in told if kind in kinds]


def test_a_parent_knows_its_children_before_anything_is_read(family: Family) -> None:
    """`ParentStream.readers` looks at `child_streams` when a read begins."""
    streams = family.streams
    assert [one.name for one in streams["parents"].child_streams] == [
        "children",
        "siblings",
    ]
    assert streams["children"].child_streams == []


def test_children_are_read_by_their_parent_alone(family: Family) -> None:
    """So a child is never called without a context, unless `catch_up` does."""
    family.sync_all()
    contexts = [{"parent": number} for number in PARENTS]
    assert told_of("children read") == contexts
    assert told_of("siblings read") == contexts


def test_contexts_are_asked_for_once_per_record_and_before_it(family: Family) -> None:
    """Rows of a child precede the parent's, whose page then moves the bookmark."""
    family.sync_all()
    kinds = {"contexts", "record", "children read", "siblings read"}
    found = [kind for kind, _ in told if kind in kinds]
    assert found == [
        "contexts",
        "children read",
        "siblings read",
        "record",
    ] * len(PARENTS)
    assert told_of("contexts") == told_of("record") == list(PARENTS)


def test_meters_are_made_when_the_context_is_known(family: Family) -> None:
    """That is how those of contexts are told from the stream's own."""
    family.sync_all()
    contexts = [{"parent": number} for number in PARENTS for _ in ("child", "sibling")]
    assert told_of("counter") == contexts
    assert told_of("timer") == contexts


def test_a_stream_that_is_read_alone_has_no_context(family: Family) -> None:
    """As `catch_up` reads a child in bulk."""
    family.streams["children"].sync()
    assert told == [("counter", None), ("timer", None), ("children read", None)]


def test_an_aborted_child_does_not_stop_its_parent() -> None:
    """`get_records` of a parent forgives the same failures as the SDK does."""
    source = inspect.getsource(Stream._sync_children)  # noqa: SLF001
    assert "except (AbortedSyncFailedException, AbortedSyncPausedException)" in source


def test_the_line_about_a_context_is_known() -> None:
    """It is recognised by its text, and left out."""
    assert '" with context keys: %s"' in inspect.getsource(core.Stream.sync)


def test_meters_log_through_an_attribute(family: Family) -> None:
    """The logger of a context's meter is replaced."""
    stream = family.streams["parents"]
    assert hasattr(stream.get_record_counter(), "logger")
    assert hasattr(stream.get_sync_timer(), "logger")


TICKETS = 10
DONE = {"replication_key_value": "2000-01-01T00:00:00.000000Z"}


class ManyTickets(Tickets):
    """Ten tickets, three a page."""

    @override
    def fetch(self, **more_params: str | Sequence[str]) -> Fetch:
        def fetch(cursor: str | None) -> Page:
            newest = int(cursor) if cursor else TICKETS
            oldest = max(newest - 3, 0)
            rows = [
                {"id": number, "updated_datetime": UPDATED.format(number)}
                for number in range(newest, oldest, -1)
            ]
            return Page(rows, str(oldest) if oldest else None)

        return fetch


class OneMessageEach(TicketMessagesStream):
    """A message for each ticket."""

    parent_stream_type = ManyTickets

    @override
    def of(self, parent: int) -> Fetch:
        return lambda _: Page([{"id": parent * 100, "ticket_id": parent}])


class Conversations(TapGorgias):
    """Our own parent and child, from memory."""

    @override
    def discover_streams(self) -> Sequence[GorgiasStream]:
        return [kind(tap=self, run=self.run) for kind in (ManyTickets, OneMessageEach)]


def followed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Read ten tickets and their messages; return the Singer messages."""
    state = {"bookmarks": {"tickets": {**DONE}, "ticket_messages": {**DONE}}}
    Conversations(config=dict(CONFIG), state=state).sync_all()
    return messages(capsys)


def test_state_is_written_for_pages_and_not_for_contexts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nor does it hold anything of a context."""
    written = followed(capsys)
    states = [json.dumps(one["value"]) for one in written if one["type"] == "STATE"]
    pages = 4
    assert len(set(states)) <= pages + 1
    assert len(states) < TICKETS
    assert not [state for state in states if "partitions" in state]


def test_a_schema_is_written_once_for_a_stream(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The SDK writes the child's for each parent."""
    schemas = [one["stream"] for one in followed(capsys) if one["type"] == "SCHEMA"]
    assert sorted(schemas) == ["ticket_messages", "tickets"]


def test_the_messages_of_a_ticket_precede_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Once a ticket's page is in STATE, so are its messages."""
    rows = [one["record"]["id"] for one in followed(capsys) if one["type"] == "RECORD"]
    assert rows == [n for ticket in range(10, 0, -1) for n in (ticket * 100, ticket)]


def test_children_have_no_state_of_their_own_for_each_parent() -> None:
    """A million tickets must not make a million bookmarks."""
    assert PerParentStream.state_partitioning_keys == ()
    assert TicketMessagesStream.parent_stream_type is TicketsStream
