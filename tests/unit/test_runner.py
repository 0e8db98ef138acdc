"""Failures of streams that are read in parallel."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tap_gorgias.errors import AccessError, ApiError
from tap_gorgias.run.runner import StreamRunner

if TYPE_CHECKING:
    from collections.abc import Callable

LOGGER = logging.getLogger("tests.runner")


class Stream:
    """A stream that does what a function does, and counts how often it is flushed."""

    def __init__(self, name: str, sync: Callable[[], None]) -> None:
        self.name = name
        self.sync = sync
        self.output: Any = self
        self.flushes = 0

    def flush(self) -> None:
        """Count."""
        self.flushes += 1

    def activate_versions(self) -> None:
        """Do nothing."""

    def check_complete(self) -> None:
        """Do nothing."""


def failing(error: Exception) -> Callable[[], None]:
    """Return a function that fails."""

    def sync() -> None:
        raise error

    return sync


def test_nothing_is_said_to_continue_after_a_fatal_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The streams that are still being read fail because the run closes."""
    released, ended = threading.Event(), threading.Event()

    def fail_late() -> None:
        released.wait(10)
        try:
            message = "closed."
            raise ApiError(message, stream="late", path="/api/late")
        finally:
            ended.set()

    fatal = Stream("fatal", failing(AccessError("acme: no helpdesk.")))
    runner = StreamRunner([fatal, Stream("late", fail_late)], 2, LOGGER)
    with pytest.raises(AccessError):
        runner.run()
    released.set()
    ended.wait(10)
    for thread in threading.enumerate():
        if thread.name == "late":
            thread.join(10)
    assert caplog.messages == []
    assert fatal.flushes == 0


def test_an_os_error_of_a_stream_is_not_that_of_the_output() -> None:
    """The client and the writer report their own, as the writer of batches does."""
    error = OSError(28, "No space left on device")
    alone = Stream("alone", failing(error))
    runner = StreamRunner([alone], 1, LOGGER)
    runner.run()
    assert runner.failures == {"alone": error}
    assert alone.flushes == 1
