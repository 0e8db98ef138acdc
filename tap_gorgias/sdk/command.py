"""The command line: one line for each failure, and an exit code that tells."""

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

_INTERRUPTED = 130
"""The exit code that shells give to a program that SIGINT ended."""


class TapCommand(SingerCommand):
    """The SDK's command, with failures told in one line instead of a traceback."""

    @override
    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        # Options such as --discover do their work while they are parsed.
        with failures_told(self.logger):
            return super().make_context(*args, **kwargs)


@contextlib.contextmanager
def failures_told(logger: logging.Logger) -> Iterator[None]:
    """Turn an exception into log lines and exit code 1.

    Args:
        logger: Where the lines go.

    Yields:
        Nothing.

    Raises:
        SystemExit: With code 1, in place of the exception.
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
