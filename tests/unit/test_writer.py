"""Singer messages leave as whole lines, or not at all."""

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
    writer.flush()
    (line,) = lines(out)
    assert (line["type"], line["record"]) == ("RECORD", {"id": 1, "subject": "a\nb"})


def test_records_wait_for_their_page(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """They leave together, before the STATE that speaks of them."""
    out = listen(monkeypatch)
    writer.write_message(RecordMessage("tickets", {"id": 1}))
    writer.write_message(RecordMessage("tickets", {"id": 2}))
    assert out.getvalue() == b""
    writer.write_message(StateMessage({"bookmarks": {}}))
    assert [line["type"] for line in lines(out)] == ["RECORD", "RECORD", "STATE"]


def test_large_records_do_not_pile_up(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """A page can hold 100 MB of messages."""
    out = listen(monkeypatch)
    writer.write_message(RecordMessage("messages", {"body": "x" * MAX_BUFFER_BYTES}))
    assert len(lines(out)) == 1


def test_threads_hold_their_records_each_for_itself(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """The STATE of one stream does not bring half a page of another."""
    out = listen(monkeypatch)
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
    """Each of them encodes and writes at the same time as the others."""
    out = listen(monkeypatch)

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
    """Some targets flush at each."""
    out = listen(monkeypatch)
    for _ in range(3):
        writer.write_message(schema("tickets", "id"))
        writer.write_message(RecordMessage("tickets", {"id": 1}))
    writer.flush()
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


def test_a_version_is_activated_after_the_rows(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """The SDK writes it before them: a stream that fails would empty its table."""
    out = listen(monkeypatch)
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
    """Nothing is being written that could be torn."""
    with pytest.raises(Terminated) as stopped:
        writer.terminate(Terminated(15))
    assert stopped.value.code == 143


def test_a_signal_during_a_write_waits_for_its_end(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """The target gets a whole line, and then no other."""
    out = listen(monkeypatch)
    out.during_write = lambda: writer.terminate(Terminated(2))
    writer.write_message(RecordMessage("tickets", {"id": 1}))
    with pytest.raises(Terminated) as stopped:
        writer.flush()
    assert stopped.value.code == 130
    assert [line["record"] for line in lines(out)] == [{"id": 1}]


def test_after_a_signal_no_thread_begins_another_write(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """Even if what it raised was ignored, as in a callback of the interpreter."""
    out = listen(monkeypatch)
    with contextlib.suppress(Terminated):
        writer.terminate(Terminated(15))
    writer.write_message(RecordMessage("tickets", {"id": 1}))
    with pytest.raises(Terminated):
        writer.flush()
    assert out.getvalue() == b""


def test_the_last_state_is_repeated_after_a_signal(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """As it was written, not as it is in memory by now."""
    out = listen(monkeypatch)
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
    out = listen(monkeypatch)
    writer.write_message(StateMessage({"bookmarks": {}}))
    writer.close()
    with pytest.raises(OutputError):
        writer.write_message(StateMessage({"bookmarks": {"tickets": {}}}))
    assert len(lines(out)) == 1


def test_without_a_state_none_is_repeated(
    monkeypatch: pytest.MonkeyPatch, writer: MessageWriter
) -> None:
    """The next run begins where this one did."""
    out = listen(monkeypatch)
    with contextlib.suppress(Terminated):
        writer.terminate(Terminated(15))
    writer.close()
    assert out.getvalue() == b""


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
            writer.write_message(StateMessage({"bookmarks": {}}))
        stdout.write("what the interpreter still holds")
        stdout.flush()
