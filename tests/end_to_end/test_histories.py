"""No row is lost, whatever happens to a shop, to its answers and to the runs.

Nor does a run fail, ask, wait or log more than what happens explains. The second half
checks the test itself: each planted bug is found within a few of the same histories.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tap_gorgias.api import client, error_messages, paginators, session
from tap_gorgias.api.client import GorgiasClient
from tap_gorgias.api.limiter import RateLimiter
from tap_gorgias.api.session import TransportError
from tap_gorgias.errors import AccessError, ApiError
from tap_gorgias.records.decoding import decode
from tap_gorgias.replication import bookmarks, imported_tickets, pages, parents, walks
from tap_gorgias.replication.pages import CursorRefusedError, PageError
from tap_gorgias.replication.parents import Parents
from tap_gorgias.replication.pieces import ListReader
from tap_gorgias.run.progress import StreamProgress
from tap_gorgias.sdk import output, writer
from tap_gorgias.sdk.writer import MessageWriter
from tap_gorgias.stream_types import replication, stream
from tap_gorgias.stream_types.children import ChildStream
from tap_gorgias.stream_types.replication import IncrementalStream, LogStream
from tap_gorgias.stream_types.stream import GorgiasStream
from tap_gorgias.streams import messages
from tap_gorgias.streams.events import EventsStream
from tap_gorgias.streams.messages import TicketMessagesStream
from tests.support.run_histories import RunHistory
from tests.support.themes import THEMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from singer_sdk.helpers import types

    from tap_gorgias.replication.bookmarks import Walk
    from tap_gorgias.replication.pages import Page, PagesFrom
    from tap_gorgias.replication.walks import Step
    from tests.support.themes import Theme

    Change = tuple[object, str, Any]

SEEDS = 5
SEEDS_TO_FIND_A_BUG = 10


@pytest.fixture(autouse=True)
def small_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make pages and limits small, and requests come in the same order each time."""
    monkeypatch.setattr(GorgiasStream, "page_size", 8)
    monkeypatch.setattr(ChildStream, "requests_in_flight", 1)
    monkeypatch.setattr(ChildStream, "contexts_per_state", 3)
    monkeypatch.setattr(StreamProgress, "prefetches", False)
    monkeypatch.setattr(parents, "MAX_RETRIES", 3)
    monkeypatch.setattr(session, "MAX_BODY_BYTES", 200_000)
    monkeypatch.setattr(output, "MAX_PIPE_BYTES", 0)
    monkeypatch.setattr(output, "POLL_MILLISECONDS", 1)
    monkeypatch.setattr(writer, "MAX_SECONDS_AFTER_SIGNAL", 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_exit_code_0_means_that_every_row_has_come(seed: int, theme: str) -> None:
    """And after any runs, a healthy one brings what they have missed."""
    history = RunHistory(seed, THEMES[theme]).play()
    assert history.problems == [], "\n".join(history.runs)


def forgetful(self: Parents, parent: int, error: ApiError) -> None:
    """Forget a parent that fails."""
    self.on_failure(parent, error)


def passing(self: Parents, parent: int, error: ApiError) -> None:
    """Let the position pass a parent that does not fit into STATE."""
    if len(self.retry) < parents.MAX_RETRIES:
        self.retry[parent] = None
    self.on_failure(parent, error)


def believed(pages_from: PagesFrom, cursor: str | None = None) -> Iterator[Page]:
    """Take an empty page at a saved cursor for the end of the list."""
    try:
        yield from pages_from(cursor)
    except (ApiError, PageError) as error:
        if not pages._is_refusal(error, at_saved=cursor is not None):  # noqa: SLF001
            raise
        raise CursorRefusedError(error) from error


def _is_null(body: Any) -> bool:  # noqa: ANN401
    return isinstance(body, dict) and body.get("data", 0) is None


def next_or_end(body: Any, name: str, **how: Any) -> str | None:  # noqa: ANN401
    """Take a null after a cursor for the end of the list."""
    return None if _is_null(body) else pages.next_of(body, name, **how)


def rows_or_none(body: Any) -> list[pages.Row]:  # noqa: ANN401
    """Take a null for a page without rows."""
    return [] if _is_null(body) else pages.rows_of(body)


def only_objects(body: Any) -> list[pages.Row]:  # noqa: ANN401
    """Refuse a page for one row that is no object."""
    if isinstance(body, dict) and None in (body.get("data") or ()):
        raise PageError
    return pages.rows_of(body)


def all_dates(page: Page) -> list[str]:
    """Let a row of the future become the bookmark."""
    return [timestamp for _, timestamp in page.dated_rows if timestamp]


def swept(
    self: Any,  # noqa: ANN401
    pages: Iterator[Page],
    bookmark: str | None,
    walk: Walk,
) -> Iterator[Step]:
    """Emit a whole list if its order is broken."""
    read = list(pages)
    dates = [date for page in read for _, date in page.dated_rows]
    if walks._is_inverted(dates, floor=None):  # noqa: SLF001
        walk = replace(walk, floor=None)
    return _walk_down(self, read, bookmark, walk)


_walk_down = walks._Feed._walk_down  # noqa: SLF001


def pages_or_failure(
    self: TicketMessagesStream,  # noqa: ARG001
    context: types.Context,  # noqa: ARG001
    response: Callable[[], Iterator[Page]],
) -> Iterator[Page]:
    """Take only a first page for one that a deleted ticket can refuse."""
    read = response()
    yield next(read)
    try:
        yield from read
    except ApiError as error:
        raise AccessError from error


def lost_for_good(_: Exception, __: float) -> TransportError:
    """Take a lost connection for a refused one."""
    return TransportError("", is_transient=False)


def each_gone(self: ChildStream[Any], gone: list[int]) -> None:
    """Log a line for each parent that is gone."""
    for parent in gone:
        self.logger.info("%d is gone.", parent)


def about(name: str, *faults: str, **changes: Any) -> Theme:
    """Return a theme in which only certain things happen."""
    return replace(THEMES[name], faults=faults, **changes)


CURSORS = ("empty cursors", "outage", "outage")
LATE_ROWS = ("late update", "late update", "update ticket", "update customer")
LATE_EVENTS = ("events", "late event", "late event")
PURGES = (*["create"] * 9, "purge")
SETTLED = ("future page", "message", "update ticket")
BUGS: dict[str, tuple[Theme, list[Change]]] = {
    # Silent
    "a log passes late rows": (
        about("logs", changes=LATE_EVENTS, gaps=(100, 200), changing=1),
        [(pages.Page, "is_near", lambda *_: False)],
    ),
    "the mark of imports trusts a clock": (
        about("feeds", "date ahead", changes=("import", "create")),
        [(imported_tickets, "_present", lambda page, _: page.now)],
    ),
    "a bookmark in the future": (
        about("feeds"),
        [(pages.Page, "past", property(all_dates))],
    ),
    "a state of the future is accepted": (
        about("feeds", "state ahead"),
        [(bookmarks, "MAX_CLOCK_DIFFERENCE", timedelta(days=1))],
    ),
    "a page of the future decides": (
        about("messages", changes=SETTLED, settle_hours=(24,)),
        [
            (module, "up_to_the_present", lambda pages: [next(pages)])
            for module in (walks, messages)
        ],
    ),
    "parents seem gone": (
        about("details", "hidden parents"),
        [(Parents, "_check_gone", Parents._accept_gone)],  # noqa: SLF001
    ),
    "a phone has vanished": (
        about("phone", "phone"),
        [(IncrementalStream, "has_been_read", False)],
    ),
    "reports have vanished": (
        about("phone", "reports"),
        [(IncrementalStream, "has_been_read", False)],
    ),
    "a line is written in part": (
        about("feeds", "slow target"),
        [(output, "_write", lambda *line: os.write(*line))],  # noqa: PLW0108
    ),
    "new types of events are read from now on": (
        about("logs"),
        [(EventsStream, "load_entry", LogStream.load_entry)],
    ),
    "a change is late for two minutes only": (
        about("feeds", changes=LATE_ROWS, gaps=(30, 60), changing=1),
        [(walks, "OVERLAP", timedelta(minutes=2))],
    ),
    "an empty page at a cursor is the end": (
        about("feeds", *CURSORS),
        [(walks, "proven", believed), (replication, "proven", believed)],
    ),
    "a dead cursor of the phone is the end": (
        about("phone", *CURSORS),
        [(walks, "proven", believed), (replication, "proven", believed)],
    ),
    "a null after a cursor is the end": (
        about("feeds", "null pages"),
        [(paginators, "next_of", next_or_end), (stream, "rows_of", rows_or_none)],
    ),
    "the bookmark passes a bad row": (
        about("feeds", "bad rows"),
        [(walks, "_held", lambda limit, *_: limit)],
    ),
    "a parent is left out in silence": (
        about("details", "parents"),
        [(GorgiasStream, "check_complete", lambda _: None)],
    ),
    "a failing parent is forgotten": (
        about("details", "parents"),
        [(Parents, "_leave_out", forgetful)],
    ),
    "the position passes a parent": (
        about("details", "parents"),
        [(Parents, "_leave_out", passing)],
    ),
    # Loud, but for ever
    "a page fails for one row": (
        about("feeds", "bad rows"),
        [(ListReader, "_can_divide", lambda *_: False)],
    ),
    "a page is too large": (
        about("feeds", "large"),
        [(ApiError, "may_be_due_to_page_size", False)],
    ),
    "a page is nested too deeply": (
        about("feeds", "deep"),
        [(session, "decode", lambda body, _: decode(body))],
    ),
    "a page holds what is no object": (
        about("feeds", "no objects"),
        [(stream, "rows_of", only_objects)],
    ),
    "an event names no ticket": (
        about("feeds", changes=("create", "no object")),
        [(imported_tickets, "ids_in", lambda rows, key: [str(r[key]) for r in rows])],
    ),
    "one 401 ends the run": (
        about("feeds", "unauthorized"),
        [(GorgiasClient, "_rejects_credentials", lambda *_: True)],
    ),
    "a broken handshake is final": (
        about("feeds", "handshakes"),
        [(session, "_transport_error", lost_for_good)],
    ),
    "408 and 425 are final": (
        about("feeds", "early"),
        [(client, "TRANSIENT_STATUSES", {429})],
    ),
    # Requests and time
    "swapped neighbours make all rows due": (
        about("details"),
        [(walks._Feed, "_walk_down", swept)],  # noqa: SLF001
    ),
    "a refused path holds back the others": (
        about("feeds", "refused"),
        [(RateLimiter, "_concerns_only", lambda *_: False)],
    ),
    "a cursor that is refused fails the stream": (
        about("logs", "dead cursors"),
        [(walks, "restarted_once", lambda start, _: start())],
    ),
    "a run waits for a target that has stopped": (
        about("feeds", "stopped target"),
        [(MessageWriter, "_is_late", lambda _: False)],
    ),
    "a ticket vanishes between two pages": (
        about("messages", "vanishing", changes=("conversation", "update ticket")),
        [(TicketMessagesStream, "pages_of", pages_or_failure)],
    ),
    "the log quotes Gorgias": (
        about("feeds", "forbidden"),
        [(error_messages, "_DATA", re.compile("(?!)"))],
    ),
    "each gone parent is a line": (
        about("details", streams=("ticket_details",), changes=PURGES, changing=0.9),
        [(ChildStream, "_log_gone", each_gone)],
    ),
}
"""Where each bug shows, and what it replaces."""


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found(bug: str) -> None:
    """Otherwise the test above would prove nothing."""
    theme, changes = BUGS[bug]
    with pytest.MonkeyPatch.context() as patch:
        for place, name, value in changes:
            patch.setattr(place, name, value)
        seed = next(
            seed
            for seed in range(SEEDS_TO_FIND_A_BUG)
            if RunHistory(seed, theme).play().problems
        )

    assert RunHistory(seed, theme).play().problems == []
