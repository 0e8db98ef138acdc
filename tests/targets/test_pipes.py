"""Real targets load every row of every stream with the values of the shop.

The tap and the target are connected by a pipe, for BigQuery by Meltano.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tap_gorgias import timestamps
from tap_gorgias.streams import STREAMS
from tests.sandbox import Sandbox
from tests.targets import meltano, shop
from tests.targets.comparing import ALLOWED, comparable
from tests.targets.loading import TARGETS, load, target_of
from tests.targets.target import latest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tests.support.runs import Output
    from tests.targets.comparing import Difference
    from tests.targets.shop import Key, Planted
    from tests.targets.target import Row, Target

ALL = sorted(stream.name for stream in STREAMS)
OTHER_WAYS = {"target-bigquery": meltano.load}


@dataclass
class Loads:
    """A target that was loaded twice, and its contents after each load."""

    target: Target
    sandbox: Sandbox
    planted: Planted
    outputs: list[Output]
    requests: list[int]
    keys: list[dict[str, set[Key]]]  # keys of the shop's rows, by stream
    rows: list[dict[str, list[Row]]]  # rows of the target, by stream

    def keys_of(self, stream: str) -> list[str]:
        """Return the names of the key columns."""
        names: list[str] = self.outputs[0].schemas[stream]["key_properties"]
        return names

    def written(self, stream: str, run: int) -> dict[Key, Row]:
        """Return the last version of each row that the tap had written by then."""
        outputs = self.outputs[: run + 1]
        records = [row for output in outputs for row in output.records(stream)]
        return latest(records, self.keys_of(stream))

    def arrived(self, stream: str, run: int) -> dict[Key, Row]:
        """Return the last version of each row in the target after a run."""
        return latest(self.rows[run][stream], self.keys_of(stream))

    def different(
        self, stream: str, run: int, allowed: Collection[Difference]
    ) -> list[Key]:
        """Return the keys of rows that differ from what the tap wrote."""
        schema = self.outputs[0].schemas[stream]["schema"]
        found = self.arrived(stream, run)
        return [
            key
            for key, row in self.written(stream, run).items()
            if comparable(schema, found[key], allowed)
            != comparable(schema, row, allowed)
        ]

    def row(self, stream: str, row_id: int, *, run: int = 0) -> Row:
        """Return the last version of a row after a run."""
        return self.arrived(stream, run)[row_id,]


@pytest.fixture(scope="module", params=TARGETS)
def loads(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Loads]:
    """A target after a first load, and after loading an hour of changes."""
    folder = tmp_path_factory.mktemp(request.param)
    with contextlib.ExitStack() as stack:
        target = target_of(request.param, folder, stack)
        filled, planted = shop.planted_shop()
        sandbox = stack.enter_context(Sandbox(filled))
        done = Loads(target, sandbox, planted, [], [], [], [])
        run = OTHER_WAYS.get(target.name, load)
        for _ in range(2):
            state = done.outputs[-1].state if done.outputs else None
            sandbox.reset_counters()
            done.outputs.append(run(target, sandbox.config, folder, state))
            done.requests.append(sandbox.count())
            done.keys.append({name: shop.keys(filled, name) for name in ALL})
            done.rows.append(target.rows(*ALL))
            shop.change(filled, planted)
        yield done


@pytest.mark.parametrize("stream", ALL)
def test_every_row_of_the_shop_is_in_the_target(loads: Loads, stream: str) -> None:
    """No row is lost or duplicated."""
    rows = loads.rows[0][stream]

    assert loads.arrived(stream, 0).keys() == loads.keys[0][stream]
    if not loads.target.appends:
        assert len(rows) == len(loads.keys[0][stream])


@pytest.mark.parametrize("run", [0, 1], ids=["first", "second"])
@pytest.mark.parametrize("stream", ALL)
def test_rows_are_as_the_tap_wrote_them(loads: Loads, stream: str, run: int) -> None:
    """Each column of each row has the value of the row's last version."""
    assert loads.arrived(stream, run).keys() == loads.written(stream, run).keys()
    assert loads.different(stream, run, ALLOWED[loads.target.name]) == []


def test_all_allowed_differences_occur(loads: Loads) -> None:
    """An allowed difference that never occurs could hide a bug."""
    allowed = ALLOWED[loads.target.name]
    for one in allowed:
        others = [other for other in allowed if other is not one]
        assert any(loads.different(stream, 0, others) for stream in ALL), one.reason


def test_a_row_of_the_shop_arrives_with_its_values(loads: Loads) -> None:
    """It has a nested value, a list, a null and an id above 2^31."""
    message = loads.sandbox.shop.messages.ids()[0]
    expected = loads.sandbox.shop.messages.row(message)
    row = loads.row("messages", message)

    assert row["id"] == message > 2**31
    assert row["source"]["from"]["address"] == expected["source"]["from"]["address"]
    assert row["source"]["to"] == expected["source"]["to"]
    assert row["failed_datetime"] is None
    assert row["from_agent"] is expected["from_agent"]


@pytest.mark.parametrize("stream", ["messages", "ticket_messages"])
def test_a_text_of_a_million_bytes_arrives_whole(loads: Loads, stream: str) -> None:
    """It contains emojis, line breaks and quotes."""
    row = loads.row(stream, loads.planted.long_message)

    assert row["body_text"] == shop.LONG_TEXT
    assert len(row["body_text"].encode()) > 2**20


def test_date_times_keep_their_microseconds(loads: Loads) -> None:
    """They have a fraction, whole seconds, or no value."""
    row = loads.row("messages", loads.planted.long_message)

    for name, written in (
        ("sent_datetime", shop.WHOLE_SECOND),
        ("opened_datetime", shop.FRACTION),
    ):
        assert timestamps.parse(row[name]) == timestamps.parse(written)
    assert row["failed_datetime"] is None


@pytest.mark.parametrize("stream", ["tickets", "ticket_details"])
def test_emojis_and_special_characters_arrive(loads: Loads, stream: str) -> None:
    """Separators, escapes and null markers of text files are preserved."""
    assert loads.row(stream, loads.planted.ticket)["subject"] == shop.EMOJI_TEXT


@pytest.mark.parametrize("stream", ["tickets", "ticket_details"])
def test_characters_that_databases_refuse_are_removed(
    loads: Loads, stream: str
) -> None:
    """NUL and lone surrogates are removed from the text."""
    subject = loads.row(stream, loads.planted.broken_ticket)["subject"]
    assert subject == shop.CLEANED_TEXT


def test_the_second_run_reads_only_changes(loads: Loads) -> None:
    """Large streams take a fraction of the first run's requests."""
    first, second = (output.records("tickets") for output in loads.outputs)

    assert loads.requests[1] < loads.requests[0] / 3
    assert len(first) == len(loads.keys[0]["tickets"])
    assert {loads.planted.ticket, loads.planted.later_ticket} <= {
        row["id"] for row in second
    }
    assert len(second) < len(first) / 3


def test_the_second_run_overwrites_by_key(loads: Loads) -> None:
    """A changed row exists once; a target that appends has both versions."""
    ticket = loads.planted.later_ticket
    versions = [row for row in loads.rows[1]["tickets"] if row["id"] == ticket]

    assert versions[-1]["subject"] == "Changed 🎈"
    assert versions[-1]["status"] == "closed"
    assert loads.row("tickets", ticket)["subject"] != "Changed 🎈"
    if loads.target.appends:
        assert len(versions) > 1
    else:
        assert len(versions) == 1


@pytest.mark.parametrize("stream", ALL)
def test_no_row_is_duplicated_by_the_second_run(loads: Loads, stream: str) -> None:
    """Rows that were read again exist once, and new ones were added."""
    rows, found = loads.rows[1][stream], loads.arrived(stream, 1)

    assert loads.keys[1][stream] <= found.keys()
    if not loads.target.appends:
        assert len(rows) == len(found)
