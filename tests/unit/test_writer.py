"""Singer messages leave as whole lines, or not at all."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.singerlib import RecordMessage, SchemaMessage, StateMessage

from tap_gorgias.compat import override
from tap_gorgias.errors import OutputError, Terminated
from tap_gorgias.writer import MessageWriter

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer


class Bytes(io.BytesIO):
    """Keeps what was written, and can do something meanwhile."""

    during_write: Callable[[], None] = staticmethod(lambda: None)

    @override
    def write(self, data: Buffer, /) -> int:
        """Write half, let something happen, write the rest."""
        content = bytes(data)
        half = len(content) // 2
        super().write(content[:half])
        self.during_write()
        super().write(content[half:])
        return len(content)


def listen(monkeypatch: pytest.MonkeyPatch) -> Bytes:
    """Stand in for stdout; a fixture could not, for pytest replaces it later."""
    content = Bytes()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(content, write_through=True))
    return content


@pytest.fixture
def writer() -> MessageWriter:
    """Make a writer to which nothing is known."""
    return MessageWriter()


def schema(stream: str = "tickets", *names: str) -> SchemaMessage:
    """Make a SCHEMA."""
    properties: dict[str, Any] = {name: {"type": "string"} for name in names}
    return SchemaMessage(stream, {"type": "object", "properties": properties}, ["id"])


def lines(out: Bytes) -> list[dict[str, Any]]:
    """Read what was written; every line must be whole."""
    text = out.getvalue().decode()
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def test_a_message_is_one_line_of_json(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """Line breaks within texts are escaped."""
    out = listen(monkeypatch)
    writer.write_message(RecordMessage("tickets", {"id": 1, "subject": "a\nb"}))
    (line,) = lines(out)
    assert (line["type"], line["record"]) == ("RECORD", {"id": 1, "subject": "a\nb"})


def test_an_equal_schema_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """Some targets flush at each."""
    out = listen(monkeypatch)
    for _ in range(3):
        writer.write_message(schema("tickets", "id"))
        writer.write_message(RecordMessage("tickets", {"id": 1}))
    types = [line["type"] for line in lines(out)]
    assert types == ["SCHEMA", "RECORD", "RECORD", "RECORD"]


def test_a_changed_schema_is_written(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """And so is the first one, when it comes back after another."""
    out = listen(monkeypatch)
    for names in (["id"], ["id", "new"], ["id"]):
        writer.write_message(schema("tickets", *names))
    assert [len(line["schema"]["properties"]) for line in lines(out)] == [1, 2, 1]


def test_each_stream_has_its_own_schema(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """Streams may take turns."""
    out = listen(monkeypatch)
    for stream in ("tickets", "messages", "tickets", "messages"):
        writer.write_message(schema(stream, "id"))
    assert [line["stream"] for line in lines(out)] == ["tickets", "messages"]


def test_records_and_states_are_repeated(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """Only a SCHEMA is known to the target already."""
    out = listen(monkeypatch)
    for _ in range(2):
        writer.write_message(RecordMessage("tickets", {"id": 1}))
        writer.write_message(StateMessage({"bookmarks": {}}))
    assert len(lines(out)) == 4


def test_a_signal_between_two_lines_stops_at_once(writer: MessageWriter) -> None:
    """Nothing is being written that could be torn."""
    with pytest.raises(Terminated) as stopped:
        writer.terminate(15)
    assert stopped.value.code == 143


def test_a_signal_during_a_line_waits_for_its_end(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """The target gets a whole line, and then no other."""
    out = listen(monkeypatch)
    out.during_write = lambda: writer.terminate(2)
    with pytest.raises(Terminated) as stopped:
        writer.write_message(RecordMessage("tickets", {"id": 1}))
    assert stopped.value.code == 130
    assert [line["record"] for line in lines(out)] == [{"id": 1}]


def test_a_signal_that_was_ignored_stops_after_the_next_line(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """What a callback of the interpreter raises goes nowhere."""
    out = listen(monkeypatch)
    with contextlib.suppress(Terminated):
        writer.terminate(15)
    with pytest.raises(Terminated):
        writer.write_message(RecordMessage("tickets", {"id": 1}))
    assert len(lines(out)) == 1


def test_the_last_state_is_repeated_after_a_signal(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """As it was written, not as it is in memory by now."""
    out = listen(monkeypatch)
    state = {"bookmarks": {"tickets": {"replication_key_value": "then"}}}
    writer.write_message(StateMessage(state))
    state["bookmarks"]["tickets"]["replication_key_value"] = "now"
    with pytest.raises(Terminated):
        writer.terminate(15)
    writer.repeat_last_state()
    first, last = lines(out)
    assert first == last
    assert "then" in str(last)


def test_without_a_state_none_is_repeated(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """The next run begins where this one did."""
    out = listen(monkeypatch)
    writer.repeat_last_state()
    assert out.getvalue() == b""


def test_a_signal_between_lines_stops_even_after_a_failed_line(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """A line that failed is no longer being written."""
    out = listen(monkeypatch)

    def fail() -> None:
        raise ValueError

    out.during_write = fail
    with pytest.raises(ValueError):  # noqa: PT011
        writer.write_message(RecordMessage("tickets", {"id": 1}))
    with pytest.raises(Terminated):
        writer.terminate(15)


def test_a_target_that_is_gone_is_told_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """The interpreter does not fail once more when it flushes stdout at exit."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    with open(write_end, "w", encoding="utf-8") as stdout:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdout", stdout)
        with pytest.raises(
            OutputError, match="Cannot write to the target: Broken pipe"
        ):
            writer.write_message(RecordMessage("tickets", {"id": 1}))
        stdout.write("what the interpreter still holds")
        stdout.flush()
