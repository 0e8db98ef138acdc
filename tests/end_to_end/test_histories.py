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
from tap_gorgias.replication import imported_tickets, ordering, pages, parents, walks
from tap_gorgias.replication.pages import CursorRefusedError, PageError
from tap_gorgias.replication.parents import Parents
from tap_gorgias.run.progress import StreamProgress
from tap_gorgias.stream_types import paged, replication
from tap_gorgias.stream_types.children import ChildStream
from tap_gorgias.stream_types.paged import PagedStream
from tap_gorgias.stream_types.replication import IncrementalStream
from tests.support.run_histories import THEMES, RunHistory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_gorgias.replication.pages import Page, PagesFrom

    Plant = Callable[[pytest.MonkeyPatch], None]

SEEDS = 6
SEEDS_TO_FIND_A_BUG = 30


@pytest.fixture(autouse=True)
def small_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make pages small, and requests come in the same order each time."""
    monkeypatch.setattr(PagedStream, "page_size", 8)
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
        self.on_failure(parent, error, is_kept=True)

    patch.setattr(Parents, "_leave_out", leave_out)


def passed_parent(patch: pytest.MonkeyPatch) -> None:
    """Let the position pass a parent that does not fit into STATE."""

    def leave_out(self: Parents, parent: int, error: ApiError) -> None:
        if len(self.retry) < parents.MAX_RETRIES:
            self.retry[parent] = None
        self.on_failure(parent, error, is_kept=parent in self.retry)

    patch.setattr(Parents, "_leave_out", leave_out)


def credulous_parents(patch: pytest.MonkeyPatch) -> None:
    """Believe that any parents are gone, without asking their list."""
    patch.setattr(Parents, "_check_gone", Parents._accept_gone)  # noqa: SLF001


def silent_parents(patch: pytest.MonkeyPatch) -> None:
    """End with exit code 0 although a parent is left out."""
    patch.setattr(PagedStream, "check_complete", lambda _: None)


def far_mark(patch: pytest.MonkeyPatch) -> None:
    """Move the mark of imports as far as the clock of a response says."""
    patch.setattr(imported_tickets, "_present", lambda page, _: page.now)


def early_mark(patch: pytest.MonkeyPatch) -> None:
    """Move the mark of imports before their tickets have been read."""
    imported = imported_tickets._imported  # noqa: SLF001

    def with_early_mark(*args: Any) -> Iterator[walks.Step]:
        steps = [*imported(*args)]
        yield walks.Step([], steps[-1].position)
        yield from steps

    patch.setattr(imported_tickets, "_imported", with_early_mark)


def passing_logs(patch: pytest.MonkeyPatch) -> None:
    """Let the bookmark of a log pass its first look at the present."""
    patch.setattr(ordering, "is_near", lambda *_: False)


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
    patch.setattr(paged, "rows_of", rows_of)


def vanished_phone(patch: pytest.MonkeyPatch) -> None:
    """Believe that an account has no phone although it had one."""
    patch.setattr(IncrementalStream, "has_been_read", False)


def future_bookmark(patch: pytest.MonkeyPatch) -> None:
    """Let a row of the future become the bookmark."""

    def timestamps_of(_: Page, dated_rows: list[tuple[Any, str | None]]) -> list[str]:
        return [timestamp for _, timestamp in dated_rows if timestamp]

    patch.setattr(ordering, "past_timestamps", timestamps_of)


def unheld_bookmark(patch: pytest.MonkeyPatch) -> None:
    """Let the bookmark pass a row that could not be read."""
    patch.setattr(walks, "_held", lambda limit, *_: limit)


CURSORS = ("dead cursors", "outage")
BUGS: dict[str, tuple[Plant, str, tuple[str, ...]]] = {
    "a failing parent is forgotten": (forgotten_parent, "details", ("parents",)),
    "the position passes a parent": (passed_parent, "details", ("parents",)),
    "parents seem gone": (credulous_parents, "details", ("hidden parents",)),
    "a parent is left out in silence": (silent_parents, "details", ("parents",)),
    "the mark of imports trusts a clock": (far_mark, "feeds", ("date ahead",)),
    "the mark of imports moves too early": (early_mark, "feeds", ("outage",)),
    "a log passes late rows": (passing_logs, "logs", ()),
    "nothing is read again": (no_overlap, "feeds", ()),
    "an empty page at a cursor is the end": (credulous_cursors, "feeds", CURSORS),
    "a dead cursor of the phone is the end": (credulous_cursors, "phone", CURSORS),
    "a null after a cursor is the end": (credulous_lists, "feeds", ("cut pages",)),
    "a phone has vanished": (vanished_phone, "phone", ("phone",)),
    "a bookmark in the future": (future_bookmark, "feeds", ()),
    "the bookmark passes a bad row": (unheld_bookmark, "feeds", ("bad rows",)),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the test above would prove nothing."""
    plant, theme, faults = BUGS[bug]
    plant(monkeypatch)
    narrowed = replace(THEMES[theme], faults=faults)
    histories = (
        RunHistory(seed, narrowed).play() for seed in range(SEEDS_TO_FIND_A_BUG)
    )
    assert any(history.problems for history in histories)
