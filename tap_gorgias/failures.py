"""What a failure tells the user, and how much of the run it ends."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from singer_sdk.exceptions import (
    ConfigurationError,
    DiscoveryError,
    StreamMapConfigError,
)

from tap_gorgias.errors import (
    ApiError,
    GorgiasError,
    IncompleteError,
    StreamMapError,
    one_line,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

SAFE_TO_SHOW = (ConfigurationError, DiscoveryError, StreamMapConfigError)


def messages_of(error: Exception) -> Sequence[str]:
    """Say in words what went wrong.

    The text of an exception that was not raised on purpose is withheld, and so is its
    traceback: either may hold credentials or customers' data. Its place is enough to
    report it.

    Args:
        error: Any exception.

    Returns:
        Printable lines without credentials or customers' data.
    """
    if isinstance(error, GorgiasError):
        return error.lines
    if isinstance(error, BrokenPipeError):
        messages = "Cannot write the output: its reader is gone."
        return (messages,)
    if isinstance(error, SAFE_TO_SHOW):
        return (one_line(str(error)),)
    place = traceback.extract_tb(error.__traceback__)[-1]
    found = f"{Path(place.filename).name}, line {place.lineno} ({place.name})"
    messages = f"Unexpected {type(error).__name__} in {found}. Please report it."
    return (messages,)


def ends_run(error: Exception) -> bool:
    """Tell whether a failure of one stream concerns all of them.

    Args:
        error: What a stream raised.

    Returns:
        Whether to stop the run: the credentials are refused, the state is unusable, the
        target is gone. Everything else costs the stream alone.
    """
    if isinstance(error, ApiError):
        return error.is_unauthorized
    own = (IncompleteError, StreamMapError)
    return isinstance(error, GorgiasError) and not isinstance(error, own)
