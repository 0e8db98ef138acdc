"""Requests a page or two of each stream and checks the responses."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tap_gorgias.connection_test.fields import field_differences
from tap_gorgias.connection_test.recorder import RecordingClient
from tap_gorgias.connection_test.responses import response_differences
from tap_gorgias.connection_test.results import StreamResult, outcome_of
from tap_gorgias.errors import ApiError
from tap_gorgias.replication import walks
from tap_gorgias.replication.walks import Step
from tap_gorgias.run.runner import ends_run
from tap_gorgias.stream_types.children import ChildStream
from tap_gorgias.stream_types.replication import (
    CursorStream,
    FeedStream,
    SnapshotStream,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_gorgias.replication.pages import Row
    from tap_gorgias.run.context import Run
    from tap_gorgias.stream_types.base import GorgiasStream

RECENT = timedelta(days=30)
"""How far back to request rows from endpoints that filter by date."""

MAX_PARENTS = 3
"""How many parents to try until one has rows for a child stream."""


class ConnectionTest:
    """Tests streams one after the other.

    Args:
        run: The run of the streams. Its client is replaced by one that records
            requests.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._settings = run.settings
        self._client = RecordingClient(run.settings, run.summary, run.clock)
        run.client = self._client

    def check(self, streams: Iterable[GorgiasStream]) -> Iterator[StreamResult]:
        """Test streams.

        Args:
            streams: Streams of the run.

        Yields:
            The result of each stream; those of child streams come last.

        Raises:
            GorgiasError: If an error affects all streams, such as an invalid API key,
                or if Gorgias has not answered any request.
        """
        # Child streams can then reuse the responses of their parents.
        for stream in sorted(streams, key=lambda one: isinstance(one, ChildStream)):
            yield self._check(stream)

    def _check(self, stream: GorgiasStream) -> StreamResult:
        start = self._run.clock.monotonic()
        requests_before = self._run.summary.streams[stream.name].requests
        rows: list[Row] = []
        error: Exception | None = None
        self._set_start_date(stream)
        try:
            for steps in _reads(stream):
                for step in _page_or_two(steps):
                    rows += step.rows
        except Exception as failure:
            if ends_run(failure) or not self._client.has_answered:
                raise
            error = failure
        keys = {*stream.primary_keys, *filter(None, [stream.replication_key])}
        differences = (
            *response_differences(stream, self._client.take_exchanges()),
            *field_differences(stream.name, stream.schema, keys, rows),
        )
        outcome, reason = outcome_of(stream, error, rows, differences)
        return StreamResult(
            stream.name,
            outcome,
            reason,
            self._run.summary.streams[stream.name].requests - requests_before,
            self._run.clock.monotonic() - start,
            tuple(dict.fromkeys(differences)),
        )

    def _set_start_date(self, stream: GorgiasStream) -> None:
        """Restrict the requests to recent rows if the endpoint filters by date."""
        start_date = None
        if not isinstance(stream, (CursorStream, FeedStream)):
            start_date = self._run.clock.utc() - RECENT
            if self._settings.start_date is not None:
                start_date = max(start_date, self._settings.start_date)
        self._run.settings = replace(self._settings, start_date=start_date)


def _reads(stream: GorgiasStream) -> Iterator[Iterator[Step]]:
    """Yield the steps of each list that a first sync reads."""
    if isinstance(stream, SnapshotStream):
        keys = tuple(stream.primary_keys)
        for part in stream.parts:
            yield walks.snapshot(stream.pages(part), keys)
    else:
        yield stream.steps(None)
    if isinstance(stream, ChildStream):
        yield _read_first_parents(stream)


def _read_first_parents(stream: ChildStream[GorgiasStream]) -> Iterator[Step]:
    """Read a child stream for its first parents, until one has rows."""
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
    """Yield the first step, and the second if a cursor leads to it."""
    for step in itertools.islice(steps, 2):
        yield step
        if not step.has_next_page:
            return
