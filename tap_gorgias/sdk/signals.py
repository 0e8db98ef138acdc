"""What SIGINT and SIGTERM do to a run, in place of the SDK's exit with code 0."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

from tap_gorgias.errors import Terminated

if TYPE_CHECKING:
    from types import FrameType

    from tap_gorgias.sdk.writer import MessageWriter


def stop_on_signals(output: MessageWriter) -> None:
    """Let a signal stop the run between two lines of output.

    Does nothing outside the main thread, where Python does not allow it.

    Args:
        output: Where the messages of all streams go.
    """

    def stop(number: int, _frame: FrameType | None) -> None:
        output.terminate(Terminated(number))

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
