"""Reads several streams at the same time, and keeps a failure to its stream."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Protocol

from tap_gorgias.errors import (
    ApiError,
    GorgiasError,
    IncompleteError,
    OutputError,
    StreamMapError,
    Terminated,
    messages_of,
)

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable

    from tap_gorgias.sdk.writer import MessageWriter

WAIT_SECONDS = 1.0
"""On some systems a waiting main thread notices a signal only after its wait."""


class ReadableStream(Protocol):
    """What the runner needs of a stream."""

    @property
    def name(self) -> str:
        """Its name, by which its failure is kept."""

    @property
    def output(self) -> MessageWriter:
        """Where its messages go."""

    def sync(self) -> None:
        """Read it."""

    def check_complete(self) -> None:
        """Raise `IncompleteError` if parts of it could not be read."""

    def close(self) -> None:
        """Release what it holds, whether it was read or not."""


class StreamRunner:
    """Reads streams in threads of their own, a few at a time, in a given order."""

    def __init__(
        self,
        streams: Iterable[ReadableStream],
        parallel_streams: int,
        logger: logging.Logger,
    ) -> None:
        """Start nothing yet.

        Args:
            streams: In the order in which they begin.
            parallel_streams: The most that are read at the same time.
            logger: Where failures are reported as they come.
        """
        self.failures: dict[str, Exception] = {}
        """What went wrong, by the name of the stream."""
        self._parallel_streams = parallel_streams
        self._logger = logger
        self._changed = threading.Condition()
        self._pending = deque(streams)
        self._reading: set[str] = set()
        self._waiting: deque[str] = deque()
        self._resumed: set[str] = set()
        self._fatal: BaseException | None = None

    def run(self) -> None:
        """Read all streams; a failure of one is kept in `failures`.

        Raises:
            GorgiasError: If something concerns all streams, at once.
            Terminated: If the process was asked to stop.
        """
        with self._changed:
            while self._pending or self._reading or self._waiting:
                self._start_or_resume()
                self._changed.wait(WAIT_SECONDS)
                if self._fatal is not None:
                    raise self._fatal

    def wait_for_other_streams(self, name: str) -> None:
        """Let a stream wait until all others are done, or wait as well.

        Another stream takes its place meanwhile.

        Args:
            name: The stream of the calling thread. It returns at once if that is not
                being read by this runner.
        """
        with self._changed:
            if name not in self._reading:
                return
            self._reading.remove(name)
            self._waiting.append(name)
            self._changed.notify_all()
            self._changed.wait_for(lambda: name in self._resumed)

    def _start_or_resume(self) -> None:
        while self._pending and len(self._reading) < self._parallel_streams:
            stream = self._pending.popleft()
            self._reading.add(stream.name)
            # A daemon: a run that is stopped does not wait for answers.
            threading.Thread(
                target=self._read, args=(stream,), name=stream.name, daemon=True
            ).start()
        others_done = not self._pending and self._reading <= self._resumed
        while self._waiting and others_done:
            if len(self._reading) >= self._parallel_streams:
                return
            name = self._waiting.popleft()
            self._resumed.add(name)
            self._reading.add(name)
            self._changed.notify_all()

    def _read(self, stream: ReadableStream) -> None:
        error: BaseException | None = None
        try:
            try:
                stream.sync()
            finally:
                stream.output.flush()
            stream.check_complete()
            stream.output.activate_versions()
        except OSError as failure:
            reason = failure.strerror or type(failure).__name__
            error = OutputError(f"Cannot write the output: {reason}.")
        except BaseException as failure:  # noqa: BLE001 (the main thread decides)
            error = failure
        finally:
            stream.close()
        with self._changed:
            self._reading.discard(stream.name)
            if isinstance(error, Exception) and not ends_run(error):
                self.failures[stream.name] = error
                for message in messages_of(error):
                    self._logger.error(
                        "Stream `%s` failed, the others go on: %s",
                        stream.name,
                        message,
                    )
            elif error is not None and not isinstance(error, Terminated):
                self._fatal = self._fatal or error
            self._changed.notify_all()


def ends_run(error: Exception) -> bool:
    """Tell whether a failure of one stream concerns all of them.

    Args:
        error: What a stream raised.

    Returns:
        Whether to stop the run: the credentials are refused, the state is unusable, the
        target is gone. Everything else costs the stream alone.
    """
    if isinstance(error, ApiError):
        return error.is_unauthorized
    own = (IncompleteError, StreamMapError)
    return isinstance(error, GorgiasError) and not isinstance(error, own)
