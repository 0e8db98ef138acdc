"""The next item is requested while the current one is processed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tap_gorgias.replication.prefetch import (
    DaemonExecutor,
    Prefetcher,
    prefetch_next,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_SECONDS = 20.0


def threads() -> set[threading.Thread]:
    """Return the threads that are alive."""
    return set(threading.enumerate())


class Numbers:
    """Iterates over 1, 2 and so on, with an event for each requested number.

    Args:
        last: The last number.
        fails_at: The number that raises an error instead.
    """

    def __init__(self, last: int, fails_at: int | None = None) -> None:
        self.requested = [threading.Event() for _ in range(last + 2)]
        self.free = threading.Event()
        self.free.set()
        self._last = last
        self._fails_at = fails_at

    def __iter__(self) -> Iterator[int]:
        """Yield the numbers, and wait while `free` is cleared."""
        for number in range(1, self._last + 1):
            self.requested[number].set()
            assert self.free.wait(PATIENCE_SECONDS)
            if number == self._fails_at:
                message = f"no {number}"
                raise ValueError(message)
            yield number

    def below_last(self, number: int) -> bool:
        """Tell whether another number follows."""
        return number < self._last


def test_the_next_item_is_requested_while_one_is_processed() -> None:
    """Latency and processing overlap."""
    source = Numbers(3)
    for number in prefetch_next(iter(source), source.below_last):
        if number < 3:
            assert source.requested[number + 1].wait(PATIENCE_SECONDS)


def test_each_item_is_yielded_once_and_in_order() -> None:
    """Some of them are prefetched."""
    source = Numbers(5)
    evenly = prefetch_next(iter(source), lambda number: number % 2 == 0)
    assert list(evenly) == [1, 2, 3, 4, 5]


def test_an_item_that_may_not_be_needed_is_not_prefetched() -> None:
    """Each request counts against the rate limit."""
    source = Numbers(3)
    numbers = prefetch_next(iter(source), lambda _: False)
    assert not source.requested[1].is_set()
    assert next(numbers) == 1
    assert not source.requested[2].is_set()
    assert next(numbers) == 2
    assert not source.requested[3].is_set()


def test_only_one_item_is_prefetched() -> None:
    """Memory holds at most two pages of a list."""
    source = Numbers(9)
    numbers = prefetch_next(iter(source), source.below_last)
    assert next(numbers) == 1
    assert source.requested[2].wait(PATIENCE_SECONDS)
    assert not source.requested[3].wait(0.05)


def test_an_error_is_raised_after_the_items_before_it() -> None:
    """Their rows are written, and STATE is saved, before the run ends."""
    source = Numbers(3, fails_at=2)
    numbers = prefetch_next(iter(source), source.below_last)
    assert next(numbers) == 1
    assert source.requested[2].wait(PATIENCE_SECONDS)
    with pytest.raises(ValueError, match="no 2"):
        next(numbers)
    assert not source.requested[3].is_set()


def test_a_consumer_that_stops_early_does_not_wait_and_leaves_no_thread() -> None:
    """The prefetched item is discarded."""
    before = threads()
    source = Numbers(3)

    def block_next(number: int) -> bool:
        source.free.clear()
        return source.below_last(number)

    numbers = prefetch_next(iter(source), block_next)
    assert next(numbers) == 1
    assert source.requested[2].wait(PATIENCE_SECONDS)
    (thread,) = threads() - before
    del numbers
    assert thread.is_alive()
    assert thread.daemon
    source.free.set()
    thread.join(PATIENCE_SECONDS)
    assert threads() <= before
    assert not source.requested[3].is_set()


def test_one_thread_fetches_all_items() -> None:
    """Starting a thread for each page would be expensive."""
    before = threads()
    source = Numbers(5)
    found = set()
    for _ in prefetch_next(iter(source), source.below_last):
        found |= threads() - before
    assert len(found) == 1


@pytest.fixture
def executor() -> Iterator[DaemonExecutor]:
    """An executor with at most two threads."""
    with DaemonExecutor(2) as executor:
        yield executor


def test_an_executor_does_not_exceed_its_number_of_threads(
    executor: DaemonExecutor,
) -> None:
    """Further calls wait for a thread."""
    before = threads()
    free = threading.Event()
    futures = [executor.submit(free.wait, PATIENCE_SECONDS) for _ in range(5)]
    assert len(threads() - before) == 2
    free.set()
    assert [future.result() for future in futures] == [True] * 5


def test_an_idle_thread_is_reused(executor: DaemonExecutor) -> None:
    """A thread is started only if all others are busy."""
    before = threads()
    for number in range(20):
        assert executor.submit(int, number).result(PATIENCE_SECONDS) == number
    assert len(threads() - before) <= 2


def test_a_cancelled_call_is_not_executed(executor: DaemonExecutor) -> None:
    """A stream that stops early must not send further requests."""
    free = threading.Event()
    running = [executor.submit(free.wait, PATIENCE_SECONDS) for _ in range(2)]
    calls: list[int] = []
    waiting = executor.submit(calls.append, 1)
    assert waiting.cancel()
    free.set()
    assert all(future.result() for future in running)
    assert executor.submit(calls.append, 2).result(PATIENCE_SECONDS) is None
    assert calls == [2]


def test_results_are_returned_in_order_with_a_limited_number_in_flight() -> None:
    """A call starts only when the result of an earlier one is taken."""
    started: list[int] = []

    def double(number: int) -> int:
        started.append(number)
        return 2 * number

    prefetcher = Prefetcher(double, 3)
    prefetcher.expect(range(5))
    assert started == []
    assert prefetcher.take() == 0
    assert set(started) <= {0, 1, 2}
    assert [prefetcher.take() for _ in range(4)] == [2, 4, 6, 8]
    assert sorted(started) == [0, 1, 2, 3, 4]
    prefetcher.close()


def test_an_error_is_raised_instead_of_its_result() -> None:
    """The results before and after it are returned."""

    def invert(number: int) -> float:
        return 1 / number

    prefetcher = Prefetcher(invert, 2)
    prefetcher.expect([2, 0, 4])
    assert prefetcher.take() == 0.5
    with pytest.raises(ZeroDivisionError):
        prefetcher.take()
    assert prefetcher.take() == 0.25
    prefetcher.close()


def test_all_threads_are_used_after_a_quiet_start() -> None:
    """Calls that came one by one must not reduce the number in flight later."""
    with DaemonExecutor(8) as executor:
        for number in range(200):
            assert executor.submit(int, number).result(PATIENCE_SECONDS) == number
        together = threading.Barrier(8)
        futures = [executor.submit(together.wait, 5) for _ in range(8)]
        assert sorted(future.result() for future in futures) == list(range(8))
