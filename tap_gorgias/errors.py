"""Every error that a user can meet. Their texts are safe to print.

GorgiasError
    SettingsError           a setting is missing, unknown or wrong
    StateError              the STATE handed to the tap is unusable
    CatalogError            the catalog handed to the tap is unusable
    StreamMapError          an expression of the user's own fails
    ApiError                an answer (or none) that ends the run
        TransientApiError   worth another try: 429, 5xx, no answer, broken body
        NotReadyError       worth asking again a little later: 202
    SignInError             no access token can be had: no stream can be read
    IncompleteError         parts of a stream could not be read
    OutputError             the target is gone
    StreamsFailedError      some streams were not read, the others were

Terminated                  the process was asked to stop
"""

from __future__ import annotations

import traceback
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from singer_sdk.exceptions import (
    ConfigurationError,
    ConfigValidationError,
    DiscoveryError,
    StreamMapConfigError,
)

from tap_gorgias.compat import override

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_MESSAGE_CHARACTERS = 500
SAFE_TO_SHOW = (ConfigurationError, DiscoveryError, StreamMapConfigError)


class GorgiasError(Exception):
    """Base of all errors raised on purpose: catch it to report in one line."""

    @property
    def lines(self) -> Sequence[str]:
        """The lines to show, without credentials or customers' text."""
        return (one_line(str(self)),)


class SettingsError(ConfigValidationError, GorgiasError):
    """One or more settings are missing, unknown or wrong."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Take one sentence for each problem.

        Args:
            problems: Sentences that name the setting and never its value, unless
                the setting is not secret.
        """
        super().__init__("; ".join(problems), errors=list(problems))

    @property
    @override
    def lines(self) -> Sequence[str]:
        """One line for each problem."""
        return [one_line(problem) for problem in self.errors]


class StateError(GorgiasError):
    """The STATE handed to the tap cannot be used."""


class CatalogError(GorgiasError):
    """The catalog handed to the tap cannot be used."""


class StreamMapError(GorgiasError):
    """An expression in the setting `stream_maps` cannot be worked out."""


class ApiError(GorgiasError):
    """Gorgias refused a request, or its answer cannot be used."""

    def __init__(
        self,
        reason: str,
        *,
        stream: str,
        path: str,
        status: int | None = None,
        advice: str = "",
    ) -> None:
        """Build a message of at most 500 characters.

        Args:
            reason: What Gorgias said, or what went wrong on the way.
            stream: Name of the stream that asked.
            path: Path of the request without its query, for example `/api/tickets`.
            status: HTTP status, None when there was no answer.
            advice: What the user can do about it.
        """
        self.stream = stream
        self.path = path
        self.status = status
        answered = f"answered {status}" if status else "failed"
        head = f"{stream}: {path} {answered}: "
        tail = f" {advice}" if advice else ""
        room = MAX_MESSAGE_CHARACTERS - len(head) - len(tail)
        super().__init__(f"{head}{_sentence(reason, room)}{tail}")

    @property
    def is_unauthorized(self) -> bool:
        """Whether the credentials were refused, which concerns all streams."""
        return self.status == HTTPStatus.UNAUTHORIZED

    @property
    def may_be_due_to_cursor(self) -> bool:
        """Whether the request might have been granted without its cursor.

        What an expired cursor answers is not documented, so this holds for every
        refusal but those about credentials and permissions.
        """
        return self.status not in {401, 403}


class TransientApiError(ApiError):
    """A failure that another try may mend."""

    @property
    @override
    def may_be_due_to_cursor(self) -> bool:
        return False


class NotReadyError(ApiError):
    """Gorgias has accepted a request, and is still working on its answer."""


class SignInError(GorgiasError):
    """No access token can be had.

    It is no `ApiError`, because it says nothing about the request that wanted one.
    """


class IncompleteError(GorgiasError):
    """A stream was read to its end, but parts of it could not be read."""

    def __init__(self, missing: Mapping[str, int]) -> None:
        """Show the first reason.

        Args:
            missing: From each reason to how many parts are missing for it.
        """
        first = next(iter(missing))
        others = sum(missing.values()) - 1
        super().__init__(f"{first} ({others} more such)" if others else first)


class OutputError(GorgiasError):
    """Singer messages cannot be written: the target is gone, or the disk is full."""


class StreamsFailedError(GorgiasError):
    """Some streams were not read whole, while the others were."""

    def __init__(self, failures: Mapping[str, Sequence[str]], selected: int) -> None:
        """Build a line for each stream that failed.

        Args:
            failures: What went wrong, by the name of the stream.
            selected: How many streams were to be read.
        """
        self.failures = failures
        self._selected = selected
        count = f"{len(failures)} of {selected} streams"
        super().__init__(f"{count} were not read whole: {', '.join(failures)}.")

    @property
    @override
    def lines(self) -> Sequence[str]:
        """A line for each stream that failed, and one for the run."""
        others = " The others were." if len(self.failures) < self._selected else ""
        return [
            *(
                one_line(f"Stream `{stream}` failed. {' '.join(texts)}")
                for stream, texts in self.failures.items()
            ),
            (
                f"{self}{others} The next run goes on where each of them stopped. "
                "What you do not need can be deselected in the catalog."
            ),
        ]


class Terminated(SystemExit):
    """The process was asked to stop by SIGTERM or SIGINT.

    It ends the process with the code that shells give it, 128 + signal, and is not
    caught by `except Exception`, which the SDK uses to report failures.
    """

    def __init__(self, signal_number: int) -> None:
        """Set the exit code.

        Args:
            signal_number: Number of the signal, for example 15.
        """
        super().__init__(128 + signal_number)


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


def one_line(text: str) -> str:
    """Make a text fit for a log.

    Args:
        text: Any text; it may hold names that others chose.

    Returns:
        The text with a space for each character that cannot be printed, cut at 500
        characters.
    """
    head = text[:MAX_MESSAGE_CHARACTERS]
    return "".join(c if c.isprintable() else " " for c in head)


def _sentence(text: str, room: int) -> str:
    flat = " ".join(text.split())
    if not flat.endswith((".", "!", "?")):
        flat += "."
    return flat if len(flat) <= room else f"{flat[: max(room - 3, 0)]}..."
