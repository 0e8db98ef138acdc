"""Reads several streams in parallel. A failure of one does not stop the others."""

from __future__ import annotations

import threading
from collections import deque
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

from tap_gorgias.errors import GorgiasError, Terminated, messages_of

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable

    from tap_gorgias.sdk.writer import MessageWriter

WAIT_SECONDS = 1.0
"""On some systems, the main thread handles signals only after it has waited."""


class Priority(IntEnum):
    """The order in which streams start."""

    HIGH = 0
    """Users wait for it."""
    NORMAL = 1
    """It has few pages."""
    LOW = 2
    """It is large, and not selected by default."""
    LAST = 3
    """It is by far the largest."""


class ReadableStream(Protocol):
    """The part of a stream that the runner uses."""

    @property
    def name(self) -> str: ...  # noqa: D102 (as in the class of all streams)
    @property
    def output(self) -> MessageWriter: ...  # noqa: D102
    def sync(self) -> None: ...  # noqa: D102
    def check_complete(self) -> None: ...  # noqa: D102


class StreamRunner:
    """Reads streams in the given order, each in its own thread, some at a time."""

    def __init__(
        self,
        streams: Iterable[ReadableStream],
        parallel_streams: int,
        logger: logging.Logger,
    ) -> None:
        self.failures: dict[str, Exception] = {}
        """Errors by stream name."""
        self.completed: set[str] = set()
        """Names of the streams that were read completely."""
        self._parallel_streams = parallel_streams
        self._logger = logger
        self._changed = threading.Condition()
        self._pending = deque(streams)
        self.names = [stream.name for stream in self._pending]
        self._reading: set[str] = set()
        self._waiting: deque[str] = deque()
        self._resumed: set[str] = set()
        self._fatal: BaseException | None = None
        self._has_ended = False

    def run(self) -> None:
        """Read all streams. A failure of one stream is added to `failures`.

        An error that affects all streams ends the run at once, as a signal does.
        """
        try:
            with self._changed:
                while self._pending or self._reading or self._waiting:
                    self._start_or_resume()
                    self._changed.wait(WAIT_SECONDS)
                    if self._fatal is not None:
                        raise self._fatal
        finally:
            self._has_ended = True

    def wait_for_other_streams(self, name: str) -> None:
        """Block the stream of this thread until all others are done or wait as well.

        Meanwhile, another stream is read in its place. Returns at once for a stream
        that this runner does not read.
        """
        with self._changed:
            if name not in self._reading:
                return
            self._reading.remove(name)
            self._waiting.append(name)
            self._changed.notify_all()
            self._changed.wait_for(lambda: name in self._resumed)

    def _start_or_resume(self) -> None:
        limit = self._parallel_streams
        while self._pending and len(self._reading) < limit:
            stream = self._pending.popleft()
            self._reading.add(stream.name)
            # A daemon thread, so that a terminated run does not wait for responses.
            threading.Thread(
                target=self._read, args=(stream,), name=stream.name, daemon=True
            ).start()
        others_done = not self._pending and self._reading <= self._resumed
        while self._waiting and others_done and len(self._reading) < limit:
            name = self._waiting.popleft()
            self._resumed.add(name)
            self._reading.add(name)
            self._changed.notify_all()

    def _read(self, stream: ReadableStream) -> None:
        error: BaseException | None = None
        try:
            self._sync(stream)
        except BaseException as failure:  # noqa: BLE001 (the main thread raises it)
            error = failure
        with self._changed:
            self._reading.discard(stream.name)
            if error is None:
                self.completed.add(stream.name)
            elif isinstance(error, Exception) and not _ends_run(error):
                self.failures[stream.name] = error
                if not self._has_ended:
                    head = f"{stream.name}: "
                    reason = " ".join(messages_of(error)).removeprefix(head)
                    self._logger.error("%sfailed: %s", head, reason)
            elif not isinstance(error, Terminated):
                self._fatal = self._fatal or error
                self._has_ended = True
            self._changed.notify_all()

    def _sync(self, stream: ReadableStream) -> None:
        try:
            stream.sync()
        except Exception as error:
            # The rows of a stream that fails alone are complete up to here.
            if not _ends_run(error):
                stream.output.flush()
            raise
        stream.output.flush()
        stream.check_complete()
        stream.output.activate_versions()


def _ends_run(error: Exception) -> bool:
    return isinstance(error, GorgiasError) and error.ends_run
