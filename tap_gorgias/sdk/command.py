"""The command line: signals, exit codes, and failures in one line."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
from typing import TYPE_CHECKING, Any, NoReturn

import click
from singer_sdk.plugin_base import SingerCommand

from tap_gorgias.compat import override
from tap_gorgias.errors import (
    Terminated,
    messages_of,
    one_line,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType
    from typing import TypeAlias

    from singer_sdk.plugin_base import _ConfigInput

    ConfigInput: TypeAlias = _ConfigInput
    """The value of `--config`, as the SDK passes it to `Tap.invoke`."""

_INTERRUPTED = 130
"""Exit code of programs that are stopped by SIGINT."""


class TapCommand(SingerCommand):
    """The SDK's command, which reports failures in one line instead of a traceback."""

    @override
    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        # Options such as --discover run in callbacks while they are parsed.
        with report_failures(self.logger):
            return super().make_context(*args, **kwargs)


@contextlib.contextmanager
def report_failures(logger: logging.Logger) -> Iterator[None]:
    """Log exceptions as single lines, and exit with 1; with 130 after Ctrl+C."""
    try:
        yield
    except (click.exceptions.Exit, click.ClickException):
        raise
    except KeyboardInterrupt:
        logger.warning("Stopped before the run began.")
        raise SystemExit(_INTERRUPTED) from None
    except Exception as error:  # noqa: BLE001
        for message in messages_of(error):
            logger.error("%s", message)  # noqa: TRY400 (no traceback)
        raise SystemExit(1) from None


@contextlib.contextmanager
def report_invalid_logging(prefix: str) -> Iterator[None]:
    """Exit with one line if the environment variables of the log are not valid."""
    for variable in (f"{prefix}LOGLEVEL", "LOGLEVEL"):
        level = os.environ.get(variable)
        if level and not isinstance(logging.getLevelName(level.upper()), int):
            _report(
                f"Environment variable `{variable}` must be DEBUG, INFO, WARNING, "
                "ERROR or CRITICAL."
            )
    try:
        yield
    except Exception as error:
        if (file := os.environ.get("SINGER_SDK_LOG_CONFIG")) is None:
            raise
        reason = one_line(str(error)) or type(error).__name__
        _report(
            f"Environment variable `SINGER_SDK_LOG_CONFIG`, {file!r}, must name a YAML "
            f"file for Python: {reason}"
        )


def _report(message: str) -> NoReturn:
    click.echo(message, err=True)
    raise SystemExit(1)


def handle_signals(terminate: Callable[[Terminated], None]) -> None:
    """Call a function on SIGINT and SIGTERM, on which the SDK exits with 0.

    Has no effect outside the main thread, where Python does not allow it.
    """

    def stop(number: int, _frame: FrameType | None) -> None:
        terminate(Terminated(number))

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
