"""Whole lines on stdout, whatever it is and however slowly it is read."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import select
import stat
import sys
from typing import TYPE_CHECKING, TextIO

from tap_gorgias.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

POLL_MILLISECONDS = 5
"""How often a full pipe is looked at."""

MAX_PIPE_BYTES = 1024 * 1024
"""The largest pipe that Linux gives to any user."""

PAGE_BYTES = 4096
"""A pipe consists of pages, which a write does not always fill."""


class LineOutput:
    """Writes complete lines to stdout, past the buffers of Python.

    On Linux, a line is only begun if the pipe has room for all of it. So the output
    ends with a whole line even if its reader never reads again.
    """

    def __init__(self) -> None:
        self._pages = 0
        """Pages of the pipe that may be in use, since it was last seen empty."""

    def write(
        self,
        stdout: TextIO | None,
        lines: Sequence[bytes | bytearray],
        is_late: Callable[[], bool],
    ) -> bool:
        """Write complete lines, and return whether all were written.

        While the reader is slow, `is_late` tells whether to give up.
        """
        if stdout is None:
            message = "Cannot write to the target: stdout is closed."
            raise OutputError(message)
        stdout.flush()
        try:
            descriptor = stdout.fileno()
        except io.UnsupportedOperation:  # a stream in memory
            stdout.buffer.write(b"".join(lines))
            return True
        is_pipe = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
        if not is_pipe or sys.platform != "linux":
            _write(descriptor, b"".join(lines))
            return True
        first = 0
        while first < len(lines):
            count = self._fitting(descriptor, lines, first)
            if count:
                _write(descriptor, b"".join(lines[first : first + count]))
                first += count
            elif is_late():
                return False
            else:
                _wait(descriptor)
        return True

    def _fitting(
        self, descriptor: int, lines: Sequence[bytes | bytearray], first: int
    ) -> int:
        """Return how many lines the pipe certainly takes now, and count their pages."""
        import fcntl  # noqa: PLC0415 (not on Windows)
        import termios  # noqa: PLC0415

        size = fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ)
        if size < MAX_PIPE_BYTES:
            with contextlib.suppress(OSError):  # the user has many large pipes
                size = fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, MAX_PIPE_BYTES)
        unread = bytearray(4)
        fcntl.ioctl(descriptor, termios.FIONREAD, unread)
        if not any(unread):
            self._pages = 0
        room = size // PAGE_BYTES - self._pages
        count = total = pages = 0
        for line in lines[first:]:
            total += len(line)
            if _pages(total) > room and (count or self._pages):
                break
            # A line for which no pipe is large enough goes to an empty one.
            count, pages = count + 1, _pages(total)
            if pages > room:
                break
        self._pages += pages
        return count


def abandon(stdout: TextIO) -> None:
    """Prevent a second failure when the interpreter flushes stdout at exit."""
    with open(os.devnull, "wb") as devnull:  # noqa: PTH123 (a device, not a path)
        os.dup2(devnull.fileno(), stdout.fileno())


def _pages(size: int) -> int:
    return -(-size // PAGE_BYTES)


def _wait(descriptor: int) -> None:
    """Give the reader some time. Raises `BrokenPipeError` if there is none."""
    poll = select.poll()
    poll.register(descriptor, select.POLLERR)
    if poll.poll(POLL_MILLISECONDS):
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def _write(descriptor: int, text: bytes) -> None:
    rest = memoryview(text)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:  # noqa: PERF203 (waiting costs more)
            select.select((), (descriptor,), (), 1.0)
