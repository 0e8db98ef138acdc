"""A writer of Singer messages to stdout that several streams can use at once."""

from __future__ import annotations

import codecs
import contextlib
import json
import sys
import threading
import time
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING

from singer_sdk.contrib.msgspec import MsgSpecWriter, encoder
from singer_sdk.singerlib import (
    ActivateVersionMessage,
    RecordMessage,
    SchemaMessage,
    StateMessage,
)

from tap_gorgias.compat import override
from tap_gorgias.errors import OutputError, Terminated
from tap_gorgias.sdk.output import LineOutput, abandon

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.singerlib.encoding.simple import Message

MAX_BUFFER_BYTES = 1024 * 1024
"""Size at which buffered RECORD lines are written before their page is complete."""

MAX_SECONDS_AFTER_SIGNAL = 10.0
"""How long a target that does not read may delay the end of a terminated run."""


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    run = error.object[error.start : error.end]
    return encode_basestring_ascii(run)[1:-1], error.end


_JSON_ESCAPES = "tap_gorgias.json_escapes"
codecs.register_error(_JSON_ESCAPES, _escaped)


class _Buffer(threading.local):
    """Messages that a thread has not written yet."""

    def __init__(self) -> None:
        self.lines: list[bytes | bytearray] = []
        self.size = 0
        self.versions: list[ActivateVersionMessage] = []
        self.writing = False


class MessageWriter(MsgSpecWriter):
    """Writes Singer messages to stdout. Safe to use from several threads.

    RECORD messages of a thread are buffered until its page is complete. So streams
    alternate by page, and targets can still load many rows of a stream at a time.

    SCHEMA messages are buffered as well: a run that reads nothing writes nothing.
    Unchanged ones are not repeated, because some targets flush at each.

    ACTIVATE_VERSION messages are buffered until `activate_versions`. The SDK writes
    them before the first row, and a stream that then fails would leave an empty table.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.RLock()
        self._buffer = _Buffer()
        self._output = LineOutput()
        self._schemas: dict[str, SchemaMessage] = {}
        self._last_state: bytes | None = None
        self._stop_reason: OutputError | Terminated | None = None
        self._stop_at = 0.0
        """When a terminated run gives up to wait for the target."""

    @override
    def serialize_message(self, message: Message) -> bytearray:
        # The SDK's method returns a buffer that all threads share.
        content = message.to_dict()
        try:
            line = encoder.encode(content)
        except UnicodeEncodeError:  # a lone surrogate, for example in an edited STATE
            line = json.dumps(content, default=str).encode()
        if not line.isascii():
            # SDK targets read stdin in the encoding of the locale.
            line = line.decode().encode("ascii", _JSON_ESCAPES)
        return bytearray(line + b"\n")

    @override
    def write_message(self, message: Message) -> None:
        """Write or buffer a message.

        SCHEMA, RECORD and ACTIVATE_VERSION are buffered. Others are written
        immediately, after the buffered messages of the same thread. Raises as `flush`.
        """
        buffer = self._buffer
        if isinstance(message, ActivateVersionMessage):
            buffer.versions.append(message)
            return
        if isinstance(message, SchemaMessage):
            if self._schemas.get(message.stream) == message:
                return
            self._schemas[message.stream] = message
        line = self.format_message(message)
        buffer.lines.append(line)
        buffer.size += len(line)
        is_buffered = isinstance(message, (RecordMessage, SchemaMessage))
        if is_buffered and buffer.size < MAX_BUFFER_BYTES:
            return
        with self.exclusive():
            self.flush()
            if isinstance(message, StateMessage):
                self._last_state = bytes(line)

    def flush(self) -> None:
        """Write the buffered messages of this thread.

        Raises `OutputError` if that fails, and `Terminated` after a signal.
        """
        buffer = self._buffer
        if not buffer.lines:
            return
        lines, buffer.lines, buffer.size = buffer.lines, [], 0
        with self.exclusive():
            self._write(lines)

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Lock the output for this thread. Raises on exit if the run has ended."""
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
        """Raise an exception in all further writes, and here if none is in progress.

        A write in progress ends with its page, or a few seconds later with the last
        line that the target takes; after a second signal, at once.
        """
        now = time.monotonic()
        is_first = not isinstance(self._stop_reason, Terminated)
        self._stop_at = now + MAX_SECONDS_AFTER_SIGNAL if is_first else now
        # Python ignores exceptions in some callbacks, such as finalizers. Then the next
        # write raises the exception.
        self._stop_reason = terminated
        if not self._buffer.writing:
            raise terminated

    def close(self) -> None:
        """Wait for a write in progress, then make further writes raise `OutputError`.

        After a signal, the last written STATE is written again. The STATE in memory is
        not, because it may be ahead of the written rows.
        """
        is_terminated = isinstance(self._stop_reason, Terminated)
        patience = max(self._stop_at - time.monotonic(), 0.0) + 1.0
        is_free = self._lock.acquire(timeout=patience if is_terminated else -1)
        try:
            if is_free and is_terminated and self._last_state is not None:
                self._write_lines([self._last_state])
        finally:
            self._stop_reason = OutputError("The run has ended.")
            if is_free:
                self._lock.release()

    def _write(self, lines: list[bytes | bytearray]) -> None:
        if self._stop_reason:
            raise self._stop_reason
        if not self._write_lines(lines):
            raise self._stop_reason or OutputError("The run has ended.")

    def _write_lines(self, lines: list[bytes | bytearray]) -> bool:
        """Write lines, and return whether the target took all of them in time."""
        try:
            return self._output.write(sys.stdout, lines, self._is_late)
        except OSError as error:
            abandon(sys.stdout)
            reason = error.strerror or type(error).__name__
            self._stop_reason = OutputError(f"Cannot write to the target: {reason}.")
            raise self._stop_reason from None

    def _is_late(self) -> bool:
        return self._stop_reason is not None and time.monotonic() >= self._stop_at
