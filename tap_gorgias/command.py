"""The command line: one line for each failure, and an exit code that tells."""

from __future__ import annotations

import contextlib
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from singer_sdk.exceptions import (
    ConfigurationError,
    DiscoveryError,
    StreamMapConfigError,
)
from singer_sdk.plugin_base import SingerCommand

from tap_gorgias.compat import override
from tap_gorgias.errors import GorgiasError, one_line

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

SAFE_TO_SHOW = (ConfigurationError, DiscoveryError, StreamMapConfigError)


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

    The text of an exception that was not raised on purpose is withheld, and so is its
    traceback: either may hold credentials or customers' data. Its place is enough to
    report it.

    Args:
        logger: Where the lines go.

    Yields:
        Nothing.

    Raises:
        SystemExit: With code 1, in place of the exception.
    """
    try:
        yield
    except click.exceptions.Exit:
        raise
    except click.ClickException:
        raise
    except GorgiasError as error:
        for line in error.lines:
            logger.error("%s", line)  # noqa: TRY400 (the point is to show no traceback)
    except KeyboardInterrupt:
        logger.warning("Stopped before the run began.")
        raise SystemExit(_INTERRUPTED) from None
    except BrokenPipeError:
        logger.error("Cannot write the output: its reader is gone.")  # noqa: TRY400
    except SAFE_TO_SHOW as error:
        logger.error("%s", one_line(str(error)))  # noqa: TRY400
    except Exception as error:  # noqa: BLE001
        place = traceback.extract_tb(error.__traceback__)[-1]
        logger.error(  # noqa: TRY400
            "Unexpected %s in %s, line %s (%s). Please report it.",
            type(error).__name__,
            Path(place.filename).name,
            place.lineno,
            place.name,
        )
    else:
        return
    raise SystemExit(1)
