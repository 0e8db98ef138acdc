"""No row is lost, whatever happens to a shop, to its answers and to the runs.

The second half checks the test itself: each planted bug loses rows, or tells nobody
that rows are missing, within a few of the same histories.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tap_gorgias.api import paginators
from tap_gorgias.errors import ApiError
from tap_gorgias.replication import imported_tickets, pages, parents, walks
from tap_gorgias.replication.pages import CursorRefusedError, PageError
from tap_gorgias.replication.parents import Parents
from tap_gorgias.run.progress import StreamProgress
from tap_gorgias.stream_types import replication, stream
from tap_gorgias.stream_types.children import ChildStream
from tap_gorgias.stream_types.replication import IncrementalStream
from tap_gorgias.stream_types.stream import GorgiasStream
from tests.support.run_histories import THEMES, RunHistory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_gorgias.replication.pages import Page, PagesFrom

    Plant = Callable[[pytest.MonkeyPatch], None]

SEEDS = 5
SEEDS_TO_FIND_A_BUG = 30


@pytest.fixture(autouse=True)
def small_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make pages small, and requests come in the same order each time."""
    monkeypatch.setattr(GorgiasStream, "page_size", 8)
    monkeypatch.setattr(ChildStream, "requests_in_flight", 1)
    monkeypatch.setattr(ChildStream, "contexts_per_state", 3)
    monkeypatch.setattr(StreamProgress, "prefetches", False)
    monkeypatch.setattr(parents, "MAX_RETRIES", 3)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_exit_code_0_means_that_every_row_has_come(seed: int, theme: str) -> None:
    """And after any runs, a healthy one brings what they have missed."""
    history = RunHistory(seed, THEMES[theme]).play()
    assert history.problems == [], "\n".join(history.runs)


def forgotten_parent(patch: pytest.MonkeyPatch) -> None:
    """Forget a parent that fails."""

    def leave_out(self: Parents, parent: int, error: ApiError) -> None:
        self.on_failure(parent, error)

    patch.setattr(Parents, "_leave_out", leave_out)


def passed_parent(patch: pytest.MonkeyPatch) -> None:
    """Let the position pass a parent that does not fit into STATE."""

    def leave_out(self: Parents, parent: int, error: ApiError) -> None:
        if len(self.retry) < parents.MAX_RETRIES:
            self.retry[parent] = None
        self.on_failure(parent, error)

    patch.setattr(Parents, "_leave_out", leave_out)


def credulous_parents(patch: pytest.MonkeyPatch) -> None:
    """Believe that any parents are gone, without asking their list."""
    patch.setattr(Parents, "_check_gone", Parents._accept_gone)  # noqa: SLF001


def silent_parents(patch: pytest.MonkeyPatch) -> None:
    """End with exit code 0 although a parent is left out."""
    patch.setattr(GorgiasStream, "check_complete", lambda _: None)


def far_mark(patch: pytest.MonkeyPatch) -> None:
    """Move the mark of imports as far as the clock of a response says."""
    patch.setattr(imported_tickets, "_present", lambda page, _: page.now)


def passing_logs(patch: pytest.MonkeyPatch) -> None:
    """Let the bookmark of a log pass its first look at the present."""
    patch.setattr(pages.Page, "is_near", lambda *_: False)


def no_overlap(patch: pytest.MonkeyPatch) -> None:
    """Read nothing again that may have become visible late."""
    patch.setattr(walks, "OVERLAP", timedelta(0))


def credulous_cursors(patch: pytest.MonkeyPatch) -> None:
    """Take an empty page at a saved cursor for the end of the list."""

    def believed(pages_from: PagesFrom, cursor: str | None = None) -> Iterator[Page]:
        try:
            yield from pages_from(cursor)
        except (ApiError, PageError) as error:
            if not pages._is_refusal(error, at_saved=cursor is not None):  # noqa: SLF001
                raise
            raise CursorRefusedError(error) from error

    patch.setattr(walks, "proven", believed)
    patch.setattr(replication, "proven", believed)


def credulous_lists(patch: pytest.MonkeyPatch) -> None:
    """Take a null after a cursor for the end of the list."""

    def next_of(body: Any, name: str, **how: Any) -> str | None:  # noqa: ANN401
        is_null = isinstance(body, dict) and body.get("data", 0) is None
        return None if is_null else pages.next_of(body, name, **how)

    def rows_of(body: Any) -> list[pages.Row]:  # noqa: ANN401
        is_null = isinstance(body, dict) and body.get("data", 0) is None
        return [] if is_null else pages.rows_of(body)

    patch.setattr(paginators, "next_of", next_of)
    patch.setattr(stream, "rows_of", rows_of)


def vanished_phone(patch: pytest.MonkeyPatch) -> None:
    """Believe that an account has no phone although it had one."""
    patch.setattr(IncrementalStream, "has_been_read", False)


def future_bookmark(patch: pytest.MonkeyPatch) -> None:
    """Let a row of the future become the bookmark."""

    def timestamps_of(page: Page) -> list[str]:
        return [timestamp for _, timestamp in page.dated_rows if timestamp]

    patch.setattr(pages.Page, "past", property(timestamps_of))


def unheld_bookmark(patch: pytest.MonkeyPatch) -> None:
    """Let the bookmark pass a row that could not be read."""
    patch.setattr(walks, "_held", lambda limit, *_: limit)


CURSORS = ("empty cursors", "outage")
BUGS: dict[str, tuple[Plant, str, tuple[str, ...], int]] = {
    "a failing parent is forgotten": (forgotten_parent, "details", ("parents",), 0),
    "the position passes a parent": (passed_parent, "details", ("parents",), 0),
    "parents seem gone": (credulous_parents, "details", ("hidden parents",), 0),
    "a parent is left out in silence": (silent_parents, "details", ("parents",), 0),
    "the mark of imports trusts a clock": (far_mark, "feeds", ("date ahead",), 8),
    "a log passes late rows": (passing_logs, "logs", (), 8),
    "nothing is read again": (no_overlap, "feeds", (), 9),
    "an empty page at a cursor is the end": (credulous_cursors, "feeds", CURSORS, 8),
    "a dead cursor of the phone is the end": (credulous_cursors, "phone", CURSORS, 0),
    "a null after a cursor is the end": (credulous_lists, "feeds", ("null pages",), 3),
    "a phone has vanished": (vanished_phone, "phone", ("phone",), 7),
    "a bookmark in the future": (future_bookmark, "feeds", (), 3),
    "the bookmark passes a bad row": (unheld_bookmark, "feeds", ("bad rows",), 2),
}
"""A bug, where it shows, what goes wrong there, and the first seed to try."""


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found(bug: str) -> None:
    """Otherwise the test above would prove nothing."""
    plant, theme_name, faults, first_seed = BUGS[bug]
    theme = replace(THEMES[theme_name], faults=faults)
    with pytest.MonkeyPatch.context() as patch:
        plant(patch)
        seed = next(
            seed
            for seed in range(first_seed, first_seed + SEEDS_TO_FIND_A_BUG)
            if RunHistory(seed, theme).play().problems
        )

    assert RunHistory(seed, theme).play().problems == []
