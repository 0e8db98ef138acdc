"""Through pipes into real targets: every row of every stream, as the shop has it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tap_gorgias import timestamps
from tap_gorgias.streams import STREAMS
from tests.sandbox import Sandbox
from tests.targets import shop
from tests.targets.environments import LOADED
from tests.targets.loading import (
    Target,
    comparable,
    latest,
    load,
    target_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.runs import Output
    from tests.targets.loading import Row
    from tests.targets.shop import Key, Planted

ALL = sorted(stream.name for stream in STREAMS)
APPENDS = "target-jsonl"


@dataclass
class Loads:
    """A target that was loaded twice, and what it held after each time."""

    target: Target
    sandbox: Sandbox
    planted: Planted
    outputs: list[Output]
    requests: list[int]
    keys: list[dict[str, set[Key]]]  # of the shop, by stream
    rows: list[dict[str, list[Row]]]  # of the target, by stream

    def row(self, stream: str, row_id: int, *, run: int = 0) -> Row:
        """Return the last version of a row after a run."""
        return latest(self.rows[run][stream], ("id",))[row_id,]


@pytest.fixture(scope="module", params=LOADED)
def loads(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Loads]:
    """A target after a first load, and after one of what changed in an hour."""
    folder = tmp_path_factory.mktemp(request.param)
    with contextlib.ExitStack() as ends:
        target = target_of(request.param, folder, ends)
        filled, planted = shop.planted_shop()
        sandbox = ends.enter_context(Sandbox(filled))
        done = Loads(target, sandbox, planted, [], [], [], [])
        for _ in range(2):
            state = done.outputs[-1].state if done.outputs else None
            sandbox.reset_counters()
            done.outputs.append(load(target, sandbox.config, folder, state))
            done.requests.append(sandbox.count())
            done.keys.append({name: shop.keys(filled, name) for name in ALL})
            done.rows.append(target.rows(*ALL))
            shop.change(filled, planted)
        yield done


@pytest.mark.parametrize("stream", ALL)
def test_every_row_of_the_shop_is_in_the_target(loads: Loads, stream: str) -> None:
    """None is lost, the first and the last included, and none is there twice."""
    schema = loads.outputs[0].schemas[stream]
    names = schema["key_properties"]
    rows = loads.rows[0][stream]

    assert set(latest(rows, names)) == loads.keys[0][stream]
    if loads.target.name != APPENDS:
        assert len(rows) == len(loads.keys[0][stream])


@pytest.mark.parametrize("run", [0, 1], ids=["first", "second"])
@pytest.mark.parametrize("stream", ALL)
def test_rows_are_as_the_tap_wrote_them(loads: Loads, stream: str, run: int) -> None:
    """Each column of each row, with the last version in place of older ones."""
    schema = loads.outputs[0].schemas[stream]
    names = schema["key_properties"]
    written: list[dict[str, Any]] = []
    for output in loads.outputs[: run + 1]:
        written += output.records(stream)

    wanted, found = latest(written, names), latest(loads.rows[run][stream], names)

    assert found.keys() == wanted.keys()
    for key, row in wanted.items():
        arrived = comparable(loads.target, schema["schema"], found[key])
        assert arrived == comparable(loads.target, schema["schema"], row)


def test_a_row_of_the_shop_arrives_with_its_values(loads: Loads) -> None:
    """A nested value, a list, a null and an id above 2^31 among them."""
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
    """With its emojis, line ends and quotes."""
    row = loads.row(stream, loads.planted.long_message)

    assert row["body_text"] == shop.LONG_TEXT
    assert len(row["body_text"].encode()) > 2**20


def test_date_times_keep_their_microseconds(loads: Loads) -> None:
    """With a fraction, without one, and absent."""
    row = loads.row("messages", loads.planted.long_message)

    for name, written in (
        ("sent_datetime", shop.WHOLE_SECOND),
        ("opened_datetime", shop.FRACTION),
    ):
        assert timestamps.parse(row[name]) == timestamps.parse(written)
    assert row["failed_datetime"] is None


@pytest.mark.parametrize("stream", ["tickets", "ticket_details"])
def test_emojis_and_other_hard_signs_arrive(loads: Loads, stream: str) -> None:
    """What text files use as separators, escapes and nulls stays text."""
    assert loads.row(stream, loads.planted.ticket)["subject"] == shop.EMOJI_TEXT


def test_the_second_run_reads_what_changed(loads: Loads) -> None:
    """It takes a fraction of the requests for the parts that can be large."""
    first, second = (output.records("tickets") for output in loads.outputs)

    assert loads.requests[1] < loads.requests[0] / 3
    assert len(first) == len(loads.keys[0]["tickets"])
    assert {loads.planted.ticket, loads.planted.later_ticket} <= {
        row["id"] for row in second
    }
    assert len(second) < len(first) / 3


def test_the_second_run_overwrites_by_key(loads: Loads) -> None:
    """A changed row is there once; a target that appends has both versions."""
    ticket = loads.planted.later_ticket
    versions = [row for row in loads.rows[1]["tickets"] if row["id"] == ticket]

    assert versions[-1]["subject"] == "Changed 🎈"
    assert versions[-1]["status"] == "closed"
    assert loads.row("tickets", ticket)["subject"] != "Changed 🎈"
    if loads.target.name == APPENDS:
        assert len(versions) > 1
    else:
        assert len(versions) == 1


@pytest.mark.parametrize("stream", ALL)
def test_nothing_is_there_twice_after_the_second_run(loads: Loads, stream: str) -> None:
    """Rows that were read again are still one, and new ones were added."""
    names = loads.outputs[0].schemas[stream]["key_properties"]
    rows, keys = loads.rows[1][stream], loads.keys[1][stream]

    assert keys <= set(latest(rows, names))
    if loads.target.name != APPENDS:
        assert len(rows) == len(latest(rows, names))
