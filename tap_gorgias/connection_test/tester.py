"""Runs the tap and stops each stream after a page or two.

Whatever the report says is what a run does: the differences are the warnings and errors
that it logs, and the fields that Gorgias does not send.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections import defaultdict
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_gorgias.compat import override
from tap_gorgias.errors import ApiError, IncompleteError, messages_of
from tap_gorgias.run.progress import StreamProgress
from tap_gorgias.run.runner import StreamRunner
from tap_gorgias.stream_types.children import ChildStream

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from tap_gorgias.replication.bookmarks import Position
    from tap_gorgias.run.context import Run
    from tap_gorgias.stream_types.stream import GorgiasStream

MAX_PAGES = 2
MAX_PARENTS = 3
MAX_REQUESTS = 5
"""Pages of a list, parents of a child stream, and requests without rows."""

MAX_RETRY_SECONDS = 30.0
"""Shorter than in a run, because a user is waiting for the report."""

_ADVICE: Mapping[int | None, str] = {
    HTTPStatus.BAD_REQUEST: " Report this, and deselect the stream until it is fixed.",
    HTTPStatus.NOT_FOUND: " Deselect the stream if the account lacks the feature.",
}
"""What to do about refusals whose message does not say so."""

_OPTIONAL_FIELDS: Mapping[str, Collection[str]] = {
    # Observed only in older integrations.
    "integrations": {"deleted_datetime", "facebook", "mappings", "smooch"},
    # Without values, a ticket does not have the field (observed in recordings).
    "ticket_details": {"custom_fields"},
}
"""Fields of the schema that may be missing, by stream."""

_REQUIRED_FIELDS: Mapping[str, Collection[str]] = {
    # The other fields belong either to tickets or to customers.
    "view_items": {"id", "created_datetime", "updated_datetime"},
    # Required by the published OpenAPI document.
    "voice_calls": {
        *("id", "integration_id", "external_id", "provider", "status", "direction"),
        "created_datetime",
    },
}
"""The only fields that must not be missing, by stream. By default, none must."""


class EnoughPages(Exception):  # noqa: N818 (not an error)
    """A stream has been read as far as the test needs."""


@dataclass
class StreamResult:
    """What a few pages of a stream have shown."""

    stream: str
    outcome: str
    """The result in a few words."""
    requests: int
    seconds: float
    actions: Sequence[str] = ()
    """What needs action, in sentences."""
    notes: Sequence[str] = ()
    """What is different, but harmless."""

    @property
    def passed(self) -> bool:
        """Whether a run can read the stream."""
        return self.outcome in {"ok", "no rows"}


class _Trial(StreamProgress):
    """Takes the place of a stream's progress: keeps its rows, and ends it."""

    prefetches = False

    def __init__(self, run: Run, stream: GorgiasStream) -> None:
        super().__init__(
            run.progress, stream.name, stream.replication_key, stream.logger
        )
        self.stream = stream
        self.rows: list[Mapping[str, Any]] = []
        self.seconds = 0.0
        self._sync = stream.sync
        vars(stream).update(
            progress=self,
            sync=self.sync,
            get_batch_config=lambda _: None,
            requests_in_flight=1,
        )
        self._pages = MAX_PARENTS if isinstance(stream, ChildStream) else MAX_PAGES

    def sync(self) -> None:
        """Read the stream in place of its own method, up to a page or two."""
        began = self._run.clock.monotonic()
        try:
            with contextlib.suppress(EnoughPages):
                self._sync()
        finally:
            self.seconds = self._run.clock.monotonic() - began

    @override
    def add(self, rows: Sequence[Mapping[str, Any]], position: Position | None) -> None:
        self.rows += rows
        self._pages -= bool(rows)
        requests = self._run.summary.streams[self._name].requests
        if self._pages <= 0 or requests >= MAX_REQUESTS:
            raise EnoughPages


class _Warnings(logging.Handler):
    """Keeps the warnings of each stream instead of showing them."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.actions: defaultdict[str, list[str]] = defaultdict(list)
        self.notes: defaultdict[str, list[str]] = defaultdict(list)

    @override
    def emit(self, record: logging.LogRecord) -> None:
        stream = record.name.rpartition(".")[2]
        is_harmless = getattr(record, "is_harmless", False)
        kept = (self.notes if is_harmless else self.actions)[stream]
        text = record.getMessage().removeprefix(f"{stream}: ")
        if text not in kept:
            kept.append(text)


def check_streams(
    run: Run, streams: Iterable[GorgiasStream], logger: logging.Logger
) -> Sequence[StreamResult]:
    """Read a page or two of each stream, and write nothing."""
    run.client.retries.max_seconds = MAX_RETRY_SECONDS
    trials = [_Trial(run, stream) for stream in streams]
    run.runner = runner = StreamRunner(
        [trial.stream for trial in trials], run.settings.parallel_streams, logger
    )
    warnings = _Warnings()
    logger.addHandler(warnings)
    logger.propagate = False
    try:
        with (
            Path(os.devnull).open("w", encoding="utf-8") as nowhere,
            contextlib.redirect_stdout(nowhere),
        ):
            runner.run()
    finally:
        logger.propagate = True
        logger.removeHandler(warnings)
    return [
        _result_of(trial, runner.failures.get(trial.stream.name), run, warnings)
        for trial in trials
    ]


def _result_of(
    trial: _Trial, failure: Exception | None, run: Run, warnings: _Warnings
) -> StreamResult:
    stream, name = trial.stream, trial.stream.name
    actions, notes = warnings.actions[name], warnings.notes[name]
    status = failure.status if isinstance(failure, ApiError) else None
    if failure is not None and not isinstance(failure, IncompleteError):
        reason = " ".join(messages_of(failure)).removeprefix(f"{name}: ")
        actions.insert(0, reason + _ADVICE.get(status, ""))
    missing = missing_fields(name, stream.schema, trial.rows)
    keys = [
        one for one in missing if one in {*stream.primary_keys, stream.replication_key}
    ]
    fields = [one for one in missing if one not in keys]
    for kind, names, kept in (("keys", keys, actions), ("fields", fields, notes)):
        if names:
            listed = ", ".join(names)
            kept.append(f"Missing {kind}, whose columns are null: {listed}.")
    outcome = "ok" if trial.rows else "no rows"
    if failure or actions:
        outcome = "refused" if status else "not as expected"
    requests = run.summary.streams[name].requests
    return StreamResult(name, outcome, requests, trial.seconds, actions, notes)


def missing_fields(
    stream: str, schema: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> Sequence[str]:
    """Return the names of fields that no row has, none if there are no rows.

    Fields within objects are not compared, because customers may have named them.
    """
    if not rows:
        return []
    required = set(_REQUIRED_FIELDS.get(stream, schema["properties"]))
    required -= set(_OPTIONAL_FIELDS.get(stream, ()))
    return sorted(required - {name for row in rows for name in row})
