"""The command line: its files, its signals, and failures in one line with exit code."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import threading
from typing import IO, TYPE_CHECKING, Any, NoReturn

import click
from singer_sdk.plugin_base import SingerCommand
from singer_sdk.singerlib import Catalog
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE

from tap_gorgias.compat import override
from tap_gorgias.errors import (
    CatalogError,
    StateError,
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

STATE_FORM = "STATE must be a JSON object with the object `bookmarks` at its top level."
_MELTANO_STATE = "singer_state"
"""Where the state lies in the output of `meltano state get`."""
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


@contextlib.contextmanager
def errors_name_files(
    *, state: IO[str] | None, catalog: IO[str] | None
) -> Iterator[None]:
    """Put the name of the file in front of errors about STATE and the catalog."""
    try:
        yield
    except (CatalogError, StateError) as error:
        file = state if isinstance(error, StateError) else catalog
        if file is None:
            raise
        message = f"{file.name}: {error}"
        raise type(error)(message) from None


def read_state(file: IO[str]) -> dict[str, Any]:
    """Read a STATE."""
    try:
        state = json.loads(file.read())
    except (ValueError, RecursionError):
        message = (
            "STATE is not valid JSON. Pass the last complete line that the target "
            "wrote, or `{}` to read everything again."
        )
        raise StateError(message) from None
    if not isinstance(state, dict):
        raise StateError(STATE_FORM)
    unwrapped: dict[str, Any] = state.get(_MELTANO_STATE, state)
    return unwrapped


def read_catalog(file: IO[str]) -> Catalog:
    """Read a catalog. The SDK ignores the `replication-method` of the metadata."""
    try:
        catalog = json.loads(file.read())
        for stream in catalog["streams"]:
            for entry in stream["metadata"]:
                method = entry["metadata"].get("replication-method")
                if not entry["breadcrumb"] and method == REPLICATION_FULL_TABLE:
                    stream["replication_method"] = method
        return Catalog.from_dict(catalog)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        message = "The catalog is not valid. Create one with `--discover`."
        raise CatalogError(message) from None
