"""Singer messages are written as whole lines, or not at all."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.singerlib import (
    ActivateVersionMessage,
    RecordMessage,
    SchemaMessage,
    StateMessage,
)

from tap_gorgias.compat import override
from tap_gorgias.errors import OutputError, Terminated
from tap_gorgias.sdk.writer import MAX_BUFFER_BYTES, MessageWriter

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer


class Bytes(io.BytesIO):
    """A buffer that can run a callback in the middle of a write."""

    during_write: Callable[[], None] = staticmethod(lambda: None)

    @override
    def write(self, data: Buffer, /) -> int:
        """Write one half, run the callback, and write the other half."""
        content = bytes(data)
        half = len(content) // 2
        super().write(content[:half])
        self.during_write()
        super().write(content[half:])
        return len(content)


def replace_stdout(monkeypatch: pytest.MonkeyPatch) -> Bytes:
    """Replace stdout; a fixture cannot, because pytest replaces stdout after it."""
    content = Bytes()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(content, write_through=True))
    return content


@pytest.fixture
def writer() -> MessageWriter:
    """A writer that has not written any SCHEMA."""
    return MessageWriter()


def schema(stream: str = "tickets", *names: str) -> SchemaMessage:
    """Return a SCHEMA message."""
    properties: dict[str, Any] = {name: {"type": "string"} for name in names}
    return SchemaMessage(stream, {"type": "object", "properties": properties}, ["id"])


def lines(out: Bytes) -> list[dict[str, Any]]:
    """Return the written messages after checking that every line is complete."""
    text = out.getvalue().decode()
    assert text.endswith("\n")
    return [json.loads(line) for line in text.split("\n")[:-1]]


def test_a_message_is_one_line_of_json(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """Line breaks within strings are escaped."""
    out = replace_stdout(monkeypatch)
    writer.write_message(RecordMessage("tickets", {"id": 1, "subject": "a\nb"}))
    writer.flush()
    (line,) = lines(out)
    assert (line["type"], line["record"]) == ("RECORD", {"id": 1, "subject": "a\nb"})


def test_records_are_written_together_with_their_page(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """They precede the STATE that covers them."""
    out = replace_stdout(monkeypatch)
    writer.write_message(RecordMessage("tickets", {"id": 1}))
    writer.write_message(RecordMessage("tickets", {"id": 2}))
    assert out.getvalue() == b""
    writer.write_message(StateMessage({"bookmarks": {}}))
    assert [line["type"] for line in lines(out)] == ["RECORD", "RECORD", "STATE"]


def test_large_records_are_written_early(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """A page can contain 100 MB of messages."""
    out = replace_stdout(monkeypatch)
    writer.write_message(RecordMessage("messages", {"body": "x" * MAX_BUFFER_BYTES}))
    assert len(lines(out)) == 1


def test_each_thread_holds_its_own_records(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """The STATE of one stream does not release half a page of another."""
    out = replace_stdout(monkeypatch)
    writer.write_message(RecordMessage("tickets", {"id": 1}))

    def other() -> None:
        writer.write_message(RecordMessage("customers", {"id": 2}))
        writer.write_message(StateMessage({"bookmarks": {"customers": {}}}))

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    writer.flush()
    assert [line.get("stream", "STATE") for line in lines(out)] == [
        "customers",
        "STATE",
        "tickets",
    ]


def test_lines_of_many_threads_stay_whole(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """All threads encode and write at the same time."""
    out = replace_stdout(monkeypatch)

    def write(stream: str) -> None:
        for page in range(30):
            for number in range(20):
                row = {"id": page * 20 + number, "text": stream * 300}
                writer.write_message(RecordMessage(stream, row))
            writer.write_message(StateMessage({"bookmarks": {stream: {"page": page}}}))

    threads = [
        threading.Thread(target=write, args=(name,)) for name in ("a", "b", "c", "d")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    written = lines(out)
    for stream in ("a", "b", "c", "d"):
        rows = [one["record"] for one in written if one.get("stream") == stream]
        assert [row["id"] for row in rows] == list(range(600))
        assert {row["text"] for row in rows} == {stream * 300}


def test_an_equal_schema_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """Some targets flush at each SCHEMA."""
    out = replace_stdout(monkeypatch)
    for _ in range(3):
        writer.write_message(schema("tickets", "id"))
        writer.write_message(RecordMessage("tickets", {"id": 1}))
    writer.flush()
    types = [line["type"] for line in lines(out)]
    assert types == ["SCHEMA", "RECORD", "RECORD", "RECORD"]


def test_a_changed_schema_is_written(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """So is the first one, if it follows another."""
    out = replace_stdout(monkeypatch)
    for names in (["id"], ["id", "new"], ["id"]):
        writer.write_message(schema("tickets", *names))
    writer.flush()
    assert [len(line["schema"]["properties"]) for line in lines(out)] == [1, 2, 1]


def test_each_stream_has_its_own_schema(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """Streams may alternate."""
    out = replace_stdout(monkeypatch)
    for stream in ("tickets", "messages", "tickets", "messages"):
        writer.write_message(schema(stream, "id"))
    writer.flush()
    assert [line["stream"] for line in lines(out)] == ["tickets", "messages"]


def test_records_and_states_are_repeated(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """Only equal SCHEMA messages are dropped."""
    out = replace_stdout(monkeypatch)
    for _ in range(2):
        writer.write_message(RecordMessage("tickets", {"id": 1}))
        writer.write_message(StateMessage({"bookmarks": {}}))
    assert len(lines(out)) == 4


def test_a_version_is_activated_after_the_rows(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """The SDK writes it before them, so a failed stream would empty its table."""
    out = replace_stdout(monkeypatch)
    writer.write_message(schema("tags", "id"))
    writer.write_message(ActivateVersionMessage("tags", 7))
    writer.write_message(RecordMessage("tags", {"id": 1}, version=7))
    writer.flush()
    assert [line["type"] for line in lines(out)] == ["SCHEMA", "RECORD"]
    writer.activate_versions()
    assert lines(out)[-1] == {
        "type": "ACTIVATE_VERSION",
        "stream": "tags",
        "version": 7,
    }


def test_a_signal_between_two_writes_stops_at_once(writer: MessageWriter) -> None:
    """No line can be torn."""
    with pytest.raises(Terminated) as stopped:
        writer.terminate(Terminated(15))
    assert stopped.value.code == 143


def test_a_signal_during_a_write_waits_for_its_end(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """The target gets a complete line, and nothing after it."""
    out = replace_stdout(monkeypatch)
    out.during_write = lambda: writer.terminate(Terminated(2))
    writer.write_message(RecordMessage("tickets", {"id": 1}))
    with pytest.raises(Terminated) as stopped:
        writer.flush()
    assert stopped.value.code == 130
    assert [line["record"] for line in lines(out)] == [{"id": 1}]


def test_after_a_signal_no_thread_starts_another_write(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """This holds even if the exception of the signal was ignored."""
    out = replace_stdout(monkeypatch)
    with contextlib.suppress(Terminated):
        writer.terminate(Terminated(15))
    writer.write_message(RecordMessage("tickets", {"id": 1}))
    with pytest.raises(Terminated):
        writer.flush()
    assert out.getvalue() == b""


def test_the_last_state_is_repeated_after_a_signal(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """It is the written STATE, not the one in memory."""
    out = replace_stdout(monkeypatch)
    state = {"bookmarks": {"tickets": {"replication_key_value": "then"}}}
    writer.write_message(StateMessage(state))
    state["bookmarks"]["tickets"]["replication_key_value"] = "now"
    writer.write_message(RecordMessage("tickets", {"id": 1}))
    with pytest.raises(Terminated):
        writer.terminate(Terminated(15))
    writer.close()
    first, last = lines(out)
    assert first == last
    assert "then" in str(last)


def test_nothing_is_written_once_the_writer_is_closed(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """A stream that is still being read must not follow the last STATE."""
    out = replace_stdout(monkeypatch)
    writer.write_message(StateMessage({"bookmarks": {}}))
    writer.close()
    with pytest.raises(OutputError):
        writer.write_message(StateMessage({"bookmarks": {"tickets": {}}}))
    assert len(lines(out)) == 1


def test_without_a_state_none_is_repeated(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """The next run starts where this one did."""
    out = replace_stdout(monkeypatch)
    with contextlib.suppress(Terminated):
        writer.terminate(Terminated(15))
    writer.close()
    assert out.getvalue() == b""


def test_a_closed_pipe_is_reported_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """The interpreter does not fail again when it flushes stdout at exit."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    with open(write_end, "w", encoding="utf-8") as stdout:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdout", stdout)
        with pytest.raises(
            OutputError, match="Cannot write to the target: Broken pipe"
        ):
            writer.write_message(StateMessage({"bookmarks": {}}))
        stdout.write("what the interpreter still holds")
        stdout.flush()
