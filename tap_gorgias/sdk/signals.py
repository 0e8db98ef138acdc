"""Handlers of SIGINT and SIGTERM, in place of those of the SDK, which exit with 0."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

from tap_gorgias.errors import Terminated

if TYPE_CHECKING:
    from types import FrameType

    from tap_gorgias.sdk.writer import MessageWriter


def stop_on_signals(output: MessageWriter) -> None:
    """Install handlers that stop the run between two lines of output.

    Has no effect outside the main thread, where Python does not allow it.
    """

    def stop(number: int, _frame: FrameType | None) -> None:
        output.terminate(Terminated(number))

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
