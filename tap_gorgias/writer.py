"""Writes Singer messages to stdout, whole lines or none."""

from __future__ import annotations

import copy
import os
import sys
from typing import TYPE_CHECKING

from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.singerlib import SchemaMessage, StateMessage

from tap_gorgias.compat import override
from tap_gorgias.errors import OutputError, Terminated

if TYPE_CHECKING:
    from singer_sdk.singerlib.encoding.simple import Message


class MessageWriter(MsgSpecWriter):
    """Repeats no SCHEMA, and is not torn apart by a signal.

    A child stream writes its SCHEMA for every parent, and some targets flush at each.
    """

    def __init__(self) -> None:
        """Start with no schema known to the target."""
        super().__init__()
        self._last_state: Message | None = None
        self._schemas: dict[str, SchemaMessage] = {}
        self._writing = False
        self._terminated: Terminated | None = None

    @override
    def write_message(self, message: Message) -> None:
        """Write a message, unless it is a SCHEMA that the target already has.

        Args:
            message: Any Singer message.

        Raises:
            OutputError: If stdout does not take it.
            Terminated: If a signal came while the line was being written, or before.
        """
        if isinstance(message, SchemaMessage):
            if self._schemas.get(message.stream) == message:
                return
            self._schemas[message.stream] = message
        self._writing = True
        try:
            super().write_message(message)
        except OSError as error:
            _abandon_stdout()
            reason = error.strerror or type(error).__name__
            message_text = f"Cannot write to the target: {reason}."
            raise OutputError(message_text) from None
        finally:
            self._writing = False
        if isinstance(message, StateMessage):
            self._last_state = copy.deepcopy(message)
        if self._terminated:
            raise self._terminated

    def terminate(self, signal_number: int) -> None:
        """Stop now, or after the line that is being written.

        Args:
            signal_number: The signal that asks for it.

        Raises:
            Terminated: If no line is being written.
        """
        # What is raised within a callback of the interpreter is ignored: then the run
        # stops after the next line.
        self._terminated = Terminated(signal_number)
        if not self._writing:
            raise self._terminated

    def repeat_last_state(self) -> None:
        """End an output that was cut short with the STATE that was written last.

        The positions in memory may be ahead of it: in a BATCH, records wait.
        """
        self._terminated = None
        if self._last_state is not None:
            self.write_message(self._last_state)


def _abandon_stdout() -> None:
    """Keep the interpreter from failing again when it flushes stdout at exit."""
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 (a device, not a path)
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
