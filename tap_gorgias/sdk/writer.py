"""A writer of Singer messages to stdout that several streams can use at once."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import sys
import threading
from typing import TYPE_CHECKING

import msgspec
from singer_sdk.contrib.msgspec import MsgSpecWriter, encoder
from singer_sdk.singerlib import (
    ActivateVersionMessage,
    RecordMessage,
    SchemaMessage,
    StateMessage,
)

from tap_gorgias.compat import override
from tap_gorgias.errors import OutputError, Terminated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.singerlib.encoding.simple import Message

MAX_BUFFER_BYTES = 1024 * 1024
"""Size at which buffered RECORD lines are written before their page is complete."""

_ascii_encoder = json.JSONEncoder(separators=(",", ":"))


class _Buffer(threading.local):
    """Messages that a thread has not written yet."""

    def __init__(self) -> None:
        self.lines: list[bytearray] = []
        self.size = 0
        self.versions: list[ActivateVersionMessage] = []
        self.writing = False


class MessageWriter(MsgSpecWriter):
    """Writes Singer messages to stdout. Safe to use from several threads.

    RECORD messages of a thread are buffered until its page is complete. So streams
    alternate by page, and targets can still load many rows of a stream at a time.

    Unchanged SCHEMA messages are not repeated, because some targets flush at each.

    ACTIVATE_VERSION messages are buffered until `activate_versions`. The SDK writes
    them before the first row, and a stream that then fails would leave an empty table.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.RLock()
        self._buffer = _Buffer()
        self._schemas: dict[str, SchemaMessage] = {}
        self._last_state: Message | None = None
        self._stop_reason: OutputError | Terminated | None = None

    @override
    def serialize_message(self, message: Message) -> bytearray:
        # The SDK's method returns a buffer that all threads share. Only ASCII is
        # written, because SDK targets read stdin in the encoding of the locale.
        line = encoder.encode(message.to_dict())
        if not line.isascii():
            line = _ascii_encoder.encode(msgspec.json.decode(line)).encode()
        return bytearray(line + b"\n")

    @override
    def write_message(self, message: Message) -> None:
        """Write or buffer a message.

        Args:
            message: Any Singer message. RECORD and ACTIVATE_VERSION are buffered.
                Others are written immediately, after the buffered RECORD messages of
                the same thread.

        Raises:
            OutputError: If writing to stdout fails.
            Terminated: If the process received a signal.
        """
        buffer = self._buffer
        if isinstance(message, ActivateVersionMessage):
            buffer.versions.append(message)
            return
        if isinstance(message, RecordMessage):
            line = self.format_message(message)
            buffer.lines.append(line)
            buffer.size += len(line)
            if buffer.size >= MAX_BUFFER_BYTES:
                self.flush()
            return
        with self.exclusive():
            if isinstance(message, SchemaMessage):
                if self._schemas.get(message.stream) == message:
                    return
                self._schemas[message.stream] = message
            buffer.lines.append(self.format_message(message))
            self.flush()
            if isinstance(message, StateMessage):
                self._last_state = copy.deepcopy(message)

    def flush(self) -> None:
        """Write the buffered RECORD messages of this thread.

        Raises:
            OutputError: If writing to stdout fails.
            Terminated: If the process received a signal.
        """
        buffer = self._buffer
        if not buffer.lines:
            return
        text, buffer.lines, buffer.size = b"".join(buffer.lines), [], 0
        with self.exclusive():
            self._write(text)

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Lock the output for this thread.

        Yields:
            None, once no other thread is writing.

        Raises:
            OutputError: On exit, if the run has ended.
            Terminated: On exit, if the process received a signal.
        """
        buffer = self._buffer
        was_writing, buffer.writing = buffer.writing, True
        try:
            with self._lock:
                yield
        finally:
            buffer.writing = was_writing
        if self._stop_reason and not was_writing:
            raise self._stop_reason

    def activate_versions(self) -> None:
        """Write the buffered ACTIVATE_VERSION messages of this thread."""
        buffer = self._buffer
        buffer.lines += [self.format_message(message) for message in buffer.versions]
        buffer.versions = []
        self.flush()

    def terminate(self, terminated: Terminated) -> None:
        """Make all further writes raise an exception.

        Args:
            terminated: The exception to raise.

        Raises:
            Terminated: Immediately, unless this thread is writing.
        """
        # Python ignores exceptions in some callbacks, such as finalizers. Then the next
        # write raises the exception.
        self._stop_reason = terminated
        if not self._buffer.writing:
            raise terminated

    def close(self) -> None:
        """Wait for a write in progress, then make further writes raise `OutputError`.

        After a signal, the last written STATE is written again. The STATE in memory is
        not, because it may be ahead of the written rows.

        Raises:
            OutputError: If writing to stdout fails.
        """
        with self._lock:
            stop_reason, self._stop_reason = self._stop_reason, None
            try:
                if isinstance(stop_reason, Terminated) and self._last_state is not None:
                    self._write(bytes(self.format_message(self._last_state)))
            finally:
                self._stop_reason = OutputError("The run has ended.")

    def _write(self, text: bytes) -> None:
        if self._stop_reason:
            raise self._stop_reason
        try:
            sys.stdout.buffer.write(text)
            sys.stdout.flush()
        except OSError as error:
            _abandon_stdout()
            reason = error.strerror or type(error).__name__
            self._stop_reason = OutputError(f"Cannot write to the target: {reason}.")
            raise self._stop_reason from None


def _abandon_stdout() -> None:
    """Prevent a second failure when the interpreter flushes stdout at exit."""
    with open(os.devnull, "wb") as devnull:  # noqa: PTH123 (a device, not a path)
        os.dup2(devnull.fileno(), sys.stdout.fileno())
