"""No row is lost, whatever happens to an account and to the runs, and none costs much.

The second half checks the test itself: each variant of the algorithm breaks one rule,
and loses rows or requests within a few histories.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tap_gorgias.errors import TransientApiError
from tap_gorgias.replication import walks
from tap_gorgias.replication.bookmarks import NO_WALK, Position
from tests.support.histories import History, feed
from tests.support.lists import Read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_gorgias.replication.pages import PagesFrom
    from tap_gorgias.replication.walks import Step
    from tests.support.histories import Reader
    from tests.support.merging import State

HISTORIES = 3_000
BATCHES = 6


@pytest.mark.parametrize("batch", range(BATCHES))
def test_the_last_version_of_every_row_is_emitted(batch: int) -> None:
    """Each history has its own changes, killed runs and expired cursors."""
    size = HISTORIES // BATCHES
    for seed in range(batch * size, (batch + 1) * size):
        history = History(random.Random(seed))  # noqa: S311 (to be repeated)
        history.play()

        assert history.lost() == set(), f"history {seed}"
        assert not history.is_costly(), f"history {seed}"
        assert not history.has_failed


def is_replaced(seed: int, kept: Callable[[State], State]) -> bool:
    """Tell whether a refresh that is stopped anywhere replaces an older state."""
    history = History(random.Random(seed), kept=kept)  # noqa: S311 (to be repeated)
    history.make_runs()
    unmerged = history.refresh()
    history.play()
    unmerged.play()
    return not history.lost() and history.rows_emitted == unmerged.rows_emitted


@pytest.mark.parametrize("batch", range(BATCHES))
def test_a_stopped_refresh_replaces_the_state_of_any_history(batch: int) -> None:
    """Meltano merges its state into the older one: nothing is lost or read twice."""
    size = HISTORIES // BATCHES // 4
    for seed in range(batch * size, (batch + 1) * size):
        assert is_replaced(seed, lambda state: state), f"history {seed}"


@pytest.mark.parametrize("key", ["replication_key_value", "walk"])
def test_an_older_value_of_a_key_that_is_left_out_survives(key: str) -> None:
    """Otherwise the test above would prove nothing."""

    def without_key(entry: State) -> State:
        if entry[key] not in (None, NO_WALK):
            return entry
        return {name: value for name, value in entry.items() if name != key}

    seeds = range(HISTORIES // BATCHES)
    assert not all(is_replaced(seed, without_key) for seed in seeds)


def without_overlap(pages_from: PagesFrom, position: Position) -> Iterator[Step]:
    """Break a rule: stop exactly at the bookmark."""
    plan = walks.WalkPlan(position, lambda bookmark: bookmark)
    return walks.feed(pages_from, plan, Read())


def with_early_bookmark(pages_from: PagesFrom, position: Position) -> Iterator[Step]:
    """Break a rule: save the bookmark when a walk begins."""
    for step in feed(pages_from, position):
        after = step.position
        if after and after.walk:
            after = Position(after.walk.newest, None)
        yield walks.Step(step.rows, after)


def with_new_rows_first(pages_from: PagesFrom, position: Position) -> Iterator[Step]:
    """Break a rule: read new rows before the unfinished walk is finished."""
    if position.walk is not None:
        yield from feed(pages_from, Position(position.walk.newest))
    yield from feed(pages_from, position)


def with_forgotten_walk(pages_from: PagesFrom, position: Position) -> Iterator[Step]:
    """Break a rule: continue from the newest row, without the unfinished walk."""
    newest = position.walk.newest if position.walk else None
    return feed(pages_from, Position(newest or position.bookmark))


def with_credulous_cursors(pages_from: PagesFrom, position: Position) -> Iterator[Step]:
    """Break a rule: take an empty page at any cursor for the end of the list."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walks, "proven", lambda pages, cursor=None: pages(cursor))
        yield from feed(pages_from, position)


def with_strict_floor(pages_from: PagesFrom, position: Position) -> Iterator[Step]:
    """Break a rule: forget an unfinished walk that cannot be read on."""
    try:
        yield from feed(pages_from, position)
    except TransientApiError:
        newest = position.walk.newest if position.walk else None
        if newest is not None:
            yield walks.Step([], Position(newest))
        raise


def with_endless_hold(pages_from: PagesFrom, position: Position) -> Iterator[Step]:
    """Break a rule: hold the bookmark at a row without its key for ever."""
    held = walks._held  # noqa: SLF001
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walks, "_held", lambda top, _, *rows: held(top, None, *rows))
        yield from feed(pages_from, position)


@pytest.mark.parametrize(
    ("read", "state_first"),
    [
        pytest.param(feed, True, id="STATE before the records"),
        pytest.param(without_overlap, False, id="no overlap"),
        pytest.param(with_early_bookmark, False, id="bookmark at the start of a walk"),
        pytest.param(
            with_new_rows_first, False, id="new rows before the unfinished walk"
        ),
        pytest.param(with_forgotten_walk, False, id="unfinished walk forgotten"),
        pytest.param(with_credulous_cursors, False, id="an empty page is the end"),
        pytest.param(with_strict_floor, False, id="a walk that fails is dropped"),
        pytest.param(with_endless_hold, False, id="a row without its key for ever"),
    ],
)
def test_a_broken_variant_is_found(read: Reader, state_first: bool) -> None:  # noqa: FBT001
    """Otherwise the test above would prove nothing."""
    losing_seed = None
    for seed in range(HISTORIES // BATCHES):
        history = History(
            random.Random(seed),  # noqa: S311 (to be repeated)
            read=read,
            state_first=state_first,
        )
        history.play()
        if history.lost() or history.is_costly():
            losing_seed = seed
            break

    assert losing_seed is not None
