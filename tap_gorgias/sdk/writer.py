"""Writes Singer messages to stdout for several streams at once, whole lines or none."""

from __future__ import annotations

import contextlib
import copy
import os
import sys
import threading
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

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.singerlib.encoding.simple import Message

MAX_HELD_BYTES = 1024 * 1024
"""RECORD lines of a stream are written when they reach this size, or with its page."""


class _Held(threading.local):
    """What a thread has yet to write."""

    def __init__(self) -> None:
        self.lines: list[bytearray] = []
        self.size = 0
        self.versions: list[ActivateVersionMessage] = []
        self.writing = False


class MessageWriter(MsgSpecWriter):
    """Holds the RECORD lines of each thread until its page is complete.

    Streams take turns on stdout by pages, so that a target can still load many rows of
    one stream at a time. An equal SCHEMA is not repeated: some targets flush at each.
    An ACTIVATE_VERSION waits until `activate_versions`: the SDK writes it before the
    first row, and a stream that then fails would leave an empty table.
    """

    def __init__(self) -> None:
        """Begin without any message."""
        super().__init__()
        self._lock = threading.RLock()
        self._held = _Held()
        self._schemas: dict[str, SchemaMessage] = {}
        self._last_state: Message | None = None
        self._ended: OutputError | Terminated | None = None

    @override
    def serialize_message(self, message: Message) -> bytearray:
        # The SDK's own returns a buffer that all threads share.
        line = bytearray(encoder.encode(message.to_dict()))
        line += b"\n"
        return line

    @override
    def write_message(self, message: Message) -> None:
        """Write a message, or hold it back for a while.

        Args:
            message: Any Singer message. All but RECORD and ACTIVATE_VERSION are
                written at once, after the RECORD lines of the same thread.

        Raises:
            OutputError: If stdout does not take it.
            Terminated: If the process was asked to stop.
        """
        held = self._held
        if isinstance(message, ActivateVersionMessage):
            held.versions.append(message)
            return
        if isinstance(message, RecordMessage):
            line = self.format_message(message)
            held.lines.append(line)
            held.size += len(line)
            if held.size >= MAX_HELD_BYTES:
                self.flush()
            return
        with self.exclusive():
            if isinstance(message, SchemaMessage):
                if self._schemas.get(message.stream) == message:
                    return
                self._schemas[message.stream] = message
            held.lines.append(self.format_message(message))
            self.flush()
            if isinstance(message, StateMessage):
                self._last_state = copy.deepcopy(message)

    def flush(self) -> None:
        """Write the lines that this thread holds.

        Raises:
            OutputError: If stdout does not take them.
            Terminated: If the process was asked to stop.
        """
        held = self._held
        if not held.lines:
            return
        text, held.lines, held.size = b"".join(held.lines), [], 0
        with self.exclusive():
            self._write(text)

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other threads from writing.

        Yields:
            Nothing, once no other thread is writing.
        """
        held = self._held
        was_writing, held.writing = held.writing, True
        try:
            with self._lock:
                yield
        finally:
            held.writing = was_writing
        if self._ended and not was_writing:
            raise self._ended

    def activate_versions(self) -> None:
        """Write the ACTIVATE_VERSION messages of this thread: its rows are out."""
        held = self._held
        held.lines += [self.format_message(message) for message in held.versions]
        held.versions = []
        self.flush()

    def terminate(self, terminated: Terminated) -> None:
        """Let no thread begin another write.

        Args:
            terminated: The signal that asked for it.

        Raises:
            Terminated: If this thread, which got the signal, is not writing itself.
        """
        # What is raised within a callback of the interpreter is ignored: then the run
        # stops after the next write.
        self._ended = terminated
        if not self._held.writing:
            raise terminated

    def close(self) -> None:
        """Wait for a write in progress, then let no thread begin another.

        After a signal the STATE that was written last is written once more, as it was:
        the positions in memory may be ahead of it.

        Raises:
            OutputError: If stdout does not take it.
        """
        with self._lock:
            ended, self._ended = self._ended, None
            try:
                if isinstance(ended, Terminated) and self._last_state is not None:
                    self._write(bytes(self.format_message(self._last_state)))
            finally:
                self._ended = OutputError("The run has ended.")

    def _write(self, text: bytes) -> None:
        if self._ended:
            raise self._ended
        try:
            sys.stdout.buffer.write(text)
            sys.stdout.flush()
        except OSError as error:
            _abandon_stdout()
            reason = error.strerror or type(error).__name__
            self._ended = OutputError(f"Cannot write to the target: {reason}.")
            raise self._ended from None


def _abandon_stdout() -> None:
    """Keep the interpreter from failing again when it flushes stdout at exit."""
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 (a device, not a path)
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
