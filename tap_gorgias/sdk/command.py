"""The command line, which reports a failure in one line and by its exit code."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import click
from singer_sdk.plugin_base import SingerCommand

from tap_gorgias.compat import override
from tap_gorgias.errors import messages_of

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator
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
    """Log exceptions as single lines, and exit.

    Args:
        logger: Receives the lines.

    Yields:
        None.

    Raises:
        SystemExit: With code 1 after an exception, and 130 after a keyboard interrupt.
    """
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
    else:
        return
    raise SystemExit(1)
