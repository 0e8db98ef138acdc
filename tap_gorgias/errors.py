"""The errors that the tap shows to users. Their messages are safe to print.

GorgiasError
    SettingsError           a setting is missing, unknown or invalid
    StateError              the STATE passed to the tap is invalid
    CatalogError            the catalog passed to the tap is invalid
    StreamMapError          an expression in the setting `stream_maps` failed
    ApiError                a request failed, or its response cannot be used
        TransientApiError   can be retried: 202, 429, 5xx, no response, incomplete body
            RateLimitError  429
    AccessError             no stream can be read: no helpdesk, a rejected key, no token
    IncompleteError         parts of a stream could not be read
    OutputError             messages cannot be written to the target
    StreamsFailedError      some of the streams failed

Terminated                  the process received SIGINT or SIGTERM
"""

from __future__ import annotations

import difflib
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import (
    ConfigurationError,
    ConfigValidationError,
    DiscoveryError,
    StreamMapConfigError,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

MAX_MESSAGE_CHARACTERS = 500
NEXT_RUN = "The next run resumes from the last state that the target wrote."
SAFE_TO_SHOW = (ConfigurationError, DiscoveryError, StreamMapConfigError)


class GorgiasError(Exception):
    """Base class of all errors with a message for users."""

    ends_run = True
    """Whether it affects all streams: a rejected key, or a target that is gone."""


class SettingsError(ConfigValidationError, GorgiasError):
    """A sentence for each problem, which shows no value of a secret setting."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems), errors=list(problems))


class StateError(GorgiasError):
    """Invalid STATE."""


class CatalogError(GorgiasError):
    """An invalid catalog."""


class StreamMapError(GorgiasError):
    """A stream map that fails on a record, or cannot be combined with a setting."""

    ends_run = False


class ApiError(GorgiasError):
    """A failed request. The message has at most 500 characters.

    `path` has no query string. `status` is None without a response.
    """

    ends_run = False

    def __init__(
        self,
        reason: str,
        *,
        stream: str,
        path: str,
        status: int | None = None,
        advice: str = "",
        is_too_large: bool = False,
    ) -> None:
        self.stream = stream
        self.path = path
        self.status = status
        self._is_too_large = is_too_large
        outcome = f"answered {status}" if status else "failed"
        head = f"{stream}: {path} {outcome}: "
        tail = f" {advice}" if advice else ""
        max_length = MAX_MESSAGE_CHARACTERS - len(head) - len(tail)
        super().__init__(f"{head}{_sentence(reason, max_length)}{tail}")

    @property
    def may_be_due_to_cursor(self) -> bool:
        """Whether the request may succeed without its cursor.

        The response to an expired cursor is not documented. So this is true for every
        refusal except those about credentials and permissions.
        """
        is_final = not isinstance(self, TransientApiError)
        return is_final and self.status not in {401, 403}

    @property
    def may_be_due_to_page_size(self) -> bool:
        """Whether a request for fewer rows may succeed: the body is too large, or 5xx.

        5xx can come from a single row that Gorgias cannot render.
        """
        return self._is_too_large or (self.status or 0) >= 500  # noqa: PLR2004


class TransientApiError(ApiError):
    """A failure that may succeed when retried."""


class RateLimitError(TransientApiError):
    """A 429, after which the request or all requests wait."""

    def __init__(
        self, reason: str, wait_seconds: float, *, is_for_all: bool, **error: Any
    ) -> None:
        super().__init__(reason, **error)
        self.wait_seconds = wait_seconds
        self.is_for_all = is_for_all


class AccessError(GorgiasError):
    """Not an `ApiError`, because it does not concern a single stream."""


class IncompleteError(GorgiasError):
    """Counts the missing parts by reason. Each reason has been logged as a warning."""

    ends_run = False

    def __init__(self, missing: Mapping[str, int]) -> None:
        count = sum(missing.values())
        parts = "1 part is" if count == 1 else f"{count} parts are"
        super().__init__(f"{parts} missing, see the warnings above.")


class OutputError(GorgiasError):
    """Singer messages cannot be written to the target or to a file."""


class StreamsFailedError(GorgiasError):
    """Some streams failed. Those that are not named were read completely."""

    def __init__(self, names: Collection[str], selected: int) -> None:
        count = f"{len(names)} of {selected} streams"
        listed = ", ".join(sorted(names))
        super().__init__(f"{count} were not read completely: {listed}. {NEXT_RUN}")


class Terminated(SystemExit):
    """The process received SIGINT or SIGTERM, and exits with 128 + its number.

    Not an `Exception`, because the SDK catches those to report failures.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(128 + signal_number)


def messages_of(error: Exception) -> Sequence[str]:
    """Describe any exception in printable lines, without credentials or data.

    The message and the traceback of an unexpected exception may contain either. So only
    its type and the line of code are shown, which is enough for a bug report.
    """
    if isinstance(error, SettingsError):
        return [one_line(problem) for problem in error.errors]
    if isinstance(error, (GorgiasError, *SAFE_TO_SHOW)):
        line = str(error)
    elif isinstance(error, BrokenPipeError):
        line = "Cannot write the output: the process that reads it has ended."
    else:
        place = traceback.extract_tb(error.__traceback__)[-1]
        file = "/".join(Path(place.filename).parts[-2:])
        location = f"{file}, line {place.lineno} ({place.name})"
        line = f"Unexpected {type(error).__name__} in {location}. Please report it."
    return [one_line(line)]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint for the end of a message on an unknown name; empty without one."""
    matches = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean `{matches[0]}`?" if matches else ""


def one_line(text: str) -> str:
    """Return the first 500 characters, with a space for each unprintable one."""
    head = text[:MAX_MESSAGE_CHARACTERS]
    return "".join(c if c.isprintable() else " " for c in head)


def _sentence(text: str, max_length: int) -> str:
    line = " ".join(text.split())
    if not line.endswith((".", "!", "?")):
        line += "."
    return line if len(line) <= max_length else f"{line[: max(max_length - 3, 0)]}..."
