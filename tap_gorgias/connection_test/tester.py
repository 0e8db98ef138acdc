"""Asks for a page or two of each stream and judges how Gorgias answers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING

from tap_gorgias.connection_test import fields, responses
from tap_gorgias.connection_test.recorder import ObservingClient
from tap_gorgias.errors import ApiError, messages_of
from tap_gorgias.replication import walks
from tap_gorgias.replication.pages import PageError
from tap_gorgias.replication.walks import Step
from tap_gorgias.run.runner import ends_run
from tap_gorgias.stream_types.children import ChildStream
from tap_gorgias.stream_types.optional import OptionalStream
from tap_gorgias.stream_types.replication import (
    CursorStream,
    FeedStream,
    SnapshotStream,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_gorgias.connection_test.differences import Surprise
    from tap_gorgias.replication.pages import Row
    from tap_gorgias.run.context import Run
    from tap_gorgias.stream_types.base import GorgiasStream

RECENT = timedelta(days=30)
"""How far back to ask where Gorgias filters by date."""

MAX_PARENTS = 3
"""So many parents of a child are asked until one has rows."""


class Verdict(Enum):
    """How Gorgias answers a stream."""

    OK = "ok"
    NO_ROWS = "no rows"
    REFUSED = "refused"
    NOT_AS_EXPECTED = "not as expected"

    @property
    def is_well(self) -> bool:
        """Whether a run can be relied on."""
        return self in {Verdict.OK, Verdict.NO_ROWS}


@dataclass(frozen=True)
class Look:
    """What a look at one stream brought."""

    stream: str
    verdict: Verdict
    reason: str
    requests: int
    seconds: float
    surprises: Sequence[Surprise] = ()


class FirstLook:
    """Looks at streams, one after the other."""

    def __init__(self, run: Run) -> None:
        """Ask nothing yet.

        Args:
            run: The run of the streams. Its requests are observed from now on.
        """
        self._run = run
        self._settings = run.settings
        self._client = ObservingClient(run.settings, run.summary, run.clock)
        run.client = self._client

    def at(self, streams: Iterable[GorgiasStream]) -> Iterator[Look]:
        """Look at streams.

        Args:
            streams: Streams of the run.

        Yields:
            What each look brought.

        Raises:
            GorgiasError: If it concerns all streams, such as a refused key. If Gorgias
                has not answered at all.
        """
        # What a child asks of its parent's list has been asked by then.
        for stream in sorted(streams, key=lambda one: isinstance(one, ChildStream)):
            yield self._look(stream)

    def _look(self, stream: GorgiasStream) -> Look:
        began = self._run.clock.monotonic()
        usage = self._run.summary.streams[stream.name]
        requests = usage.requests
        rows: list[Row] = []
        failure: Exception | None = None
        self._ask_since(stream)
        try:
            for steps in samples(stream):
                for step in _page_or_two(steps):
                    rows += step.rows
        except Exception as error:
            if ends_run(error) or not self._client.has_answered:
                raise
            failure = error
        surprises = (
            *responses.surprises_of(stream, self._client.take()),
            *fields.surprises_of(stream.name, stream.schema, _keys_of(stream), rows),
        )
        verdict, reason = _judged(stream, failure, rows, surprises)
        return Look(
            stream.name,
            verdict,
            reason,
            usage.requests - requests,
            self._run.clock.monotonic() - began,
            tuple(dict.fromkeys(surprises)),
        )

    def _ask_since(self, stream: GorgiasStream) -> None:
        """Have Gorgias filter by date where it can; elsewhere read from the top."""
        start_date = None
        if not isinstance(stream, (CursorStream, FeedStream)):
            start_date = self._run.clock.utc() - RECENT
            if self._settings.start_date is not None:
                start_date = max(start_date, self._settings.start_date)
        self._run.settings = replace(self._settings, start_date=start_date)


def _keys_of(stream: GorgiasStream) -> set[str]:
    return {*stream.primary_keys, *filter(None, [stream.replication_key])}


def samples(stream: GorgiasStream) -> Iterator[Iterator[Step]]:
    """Find the ways in which a stream asks Gorgias during its first sync.

    Args:
        stream: Any stream.

    Yields:
        For each way the steps of a read, which nobody needs to read to its end.
    """
    if isinstance(stream, SnapshotStream):
        keys = tuple(stream.primary_keys)
        for part in stream.parts:
            yield walks.snapshot(stream.pages(part), keys)
    else:
        yield stream.steps(None)
    if isinstance(stream, ChildStream):
        yield _of_one_parent(stream)


def _of_one_parent(stream: ChildStream[GorgiasStream]) -> Iterator[Step]:
    parents = next(stream.parent.pages(reader=stream)).rows
    refusal: ApiError | None = None
    for parent in parents[:MAX_PARENTS]:
        context = stream.parent.get_child_context(parent, None) or {}
        try:
            for page in stream.pages(context):
                rows = [stream.complete(row, context) for row in page.rows]
                yield Step(rows, has_next_page=page.next_cursor is not None)
                if rows:
                    return
        except ApiError as error:
            if not stream.skips(error, context):
                raise
            refusal = error
    if refusal is not None:
        raise refusal


def _page_or_two(steps: Iterator[Step]) -> Iterator[Step]:
    """Take a second page only where a cursor leads to it."""
    for step in itertools.islice(steps, 2):
        yield step
        if not step.has_next_page:
            return


def _judged(
    stream: GorgiasStream,
    failure: Exception | None,
    rows: Sequence[Row],
    surprises: Sequence[Surprise],
) -> tuple[Verdict, str]:
    if isinstance(failure, PageError):
        return Verdict.NOT_AS_EXPECTED, str(failure)
    if isinstance(failure, ApiError):
        if (
            isinstance(stream, OptionalStream)
            and failure.status in stream.unavailable_statuses
        ):
            return Verdict.NO_ROWS, f"{failure.status}, {stream.unavailable_reason}"
        return Verdict.REFUSED, _why(failure, stream.scope)
    if failure is not None:
        return Verdict.NOT_AS_EXPECTED, " ".join(messages_of(failure))
    if any(not surprise.is_harmless for surprise in surprises):
        return Verdict.NOT_AS_EXPECTED, ""
    return (Verdict.OK if rows else Verdict.NO_ROWS), ""


def _why(refusal: ApiError, scope: str) -> str:
    """Explain a refusal without the words of Gorgias, which may hold data."""
    status = refusal.status
    if status is None or status in range(200, 300):
        return str(refusal).removeprefix(f"{refusal.stream}: {refusal.path} ")
    if status == HTTPStatus.BAD_REQUEST:
        return f"{status}, see below."
    if status == HTTPStatus.FORBIDDEN:
        return f"{status}, needs `{scope}`."
    try:
        return f"{status}, {HTTPStatus(status).phrase}."
    except ValueError:
        return f"{status}."
