"""A pipe to a target in this process that reads slowly, or stops reading."""

from __future__ import annotations

import io
import os
import random
import signal
import threading
import time
from typing import TYPE_CHECKING

from tap_gorgias.compat import override

if TYPE_CHECKING:
    from typing import Any

READ_BYTES = 16 * 1024
MAX_SECONDS = 3.0
"""How long a run may last after a signal; it takes much less."""


class Pipe(io.TextIOWrapper):
    """A small pipe in place of stdout, of which each write takes only a part.

    So does a write that goes on after SIGSTOP and SIGCONT. The target reads a few bytes
    at a time. It may stop after some bytes, and have the process terminated. `size` is
    that of the pipe.
    """

    def __init__(self, seed: int, size: int, stops_after: float) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8")
        import fcntl  # noqa: PLC0415 (not on Windows)

        self.is_late = False
        """Whether the run did not end in time after the signal."""
        self._chance = random.Random(seed)  # noqa: S311 (to be repeated)
        self._stops_after = stops_after
        self._has_ended = threading.Event()
        self._output, self._input = os.pipe()
        fcntl.fcntl(self._input, fcntl.F_SETPIPE_SZ, size)
        self._target = threading.Thread(target=self._read, daemon=True)
        self._target.start()

    @override
    def fileno(self) -> int:
        return self._input

    def write_part(self, descriptor: int, content: bytes) -> int:
        """Write as `os.write`, but only a part of what is for the target."""
        is_own = descriptor == self._input and len(content)
        size = 1 + self._chance.randrange(len(content)) if is_own else len(content)
        return _write(descriptor, content[:size])

    @property
    @override
    def buffer(self) -> Any:
        """What the target has read in all, once the run has ended."""
        if not self._has_ended.is_set():
            self._has_ended.set()
            os.close(self._input)
            self._target.join()
            os.close(self._output)
        return super().buffer

    def _read(self) -> None:
        chance, size = random.Random(self._chance.random()), 0  # noqa: S311
        while content := os.read(self._output, 1 + chance.randrange(READ_BYTES)):
            super().buffer.write(content)
            size += len(content)
            if size > self._stops_after:
                self._stops_after = float("inf")
                os.kill(os.getpid(), signal.SIGTERM)
                self.is_late = not self._has_ended.wait(MAX_SECONDS)
            elif chance.random() < 0.1:
                time.sleep(0.002)


_write = os.write
