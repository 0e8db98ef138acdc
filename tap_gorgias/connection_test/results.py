"""The result of testing a stream."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING

from tap_gorgias.errors import ApiError, messages_of
from tap_gorgias.replication.pages import PageError
from tap_gorgias.stream_types.optional import OptionalStream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_gorgias.connection_test.differences import Difference
    from tap_gorgias.replication.pages import Row
    from tap_gorgias.stream_types.base import GorgiasStream


class Outcome(Enum):
    """Whether a stream can be read, in the words of the report."""

    OK = "ok"
    NO_ROWS = "no rows"
    REFUSED = "refused"
    NOT_AS_EXPECTED = "not as expected"


@dataclass(frozen=True)
class StreamResult:
    """The result of testing a stream.

    Attributes:
        stream: Name of the stream.
        outcome: Whether the stream can be read.
        reason: Why not, without account data; may be empty.
        requests: Number of requests that were sent.
        seconds: How long they took.
        differences: How the responses differ from what this version expects.
    """

    stream: str
    outcome: Outcome
    reason: str
    requests: int
    seconds: float
    differences: Sequence[Difference] = ()

    @property
    def passed(self) -> bool:
        """Whether the tap can read all rows of the stream, if it has any."""
        return self.outcome in {Outcome.OK, Outcome.NO_ROWS}


def outcome_of(
    stream: GorgiasStream,
    error: Exception | None,
    rows: Sequence[Row],
    differences: Sequence[Difference],
) -> tuple[Outcome, str]:
    """Return the outcome of a test, and its reason.

    Args:
        stream: The stream.
        error: The error that reading the stream raised, if any.
        rows: The rows that were read.
        differences: How the responses differ from what the stream expects.

    Returns:
        The outcome, and a phrase without account data, which may be empty.
    """
    if isinstance(error, PageError):
        return Outcome.NOT_AS_EXPECTED, str(error)
    if isinstance(error, ApiError):
        if (
            isinstance(stream, OptionalStream)
            and error.status in stream.unavailable_statuses
        ):
            return Outcome.NO_ROWS, f"{error.status}, {stream.unavailable_reason}"
        return Outcome.REFUSED, _reason_for(error, stream.scope)
    if error is not None:
        return Outcome.NOT_AS_EXPECTED, " ".join(messages_of(error))
    if not all(difference.is_harmless for difference in differences):
        return Outcome.NOT_AS_EXPECTED, ""
    return (Outcome.OK if rows else Outcome.NO_ROWS), ""


def _reason_for(error: ApiError, scope: str) -> str:
    """Explain a refusal without the message of Gorgias, which may contain data."""
    status = error.status
    if status is None or status in range(200, 300):
        return str(error).removeprefix(f"{error.stream}: {error.path} ")
    if status == HTTPStatus.BAD_REQUEST:
        return f"{status}, see below."
    if status == HTTPStatus.FORBIDDEN:
        return f"{status}, needs `{scope}`."
    try:
        return f"{status}, {HTTPStatus(status).phrase}."
    except ValueError:
        return f"{status}."
