"""The next item is requested while the current one is processed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tap_gorgias.replication.prefetch import prefetch_next, prefetched

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


def test_a_limited_number_of_calls_is_in_flight() -> None:
    """A call starts only when an earlier result has been processed."""
    calls: list[int] = []

    def double(number: int) -> int:
        calls.append(number)
        return 2 * number

    results = prefetched(double, range(5), 3)
    assert calls == []
    key, result = next(results)
    assert (key, result.result(PATIENCE_SECONDS)) == (0, 0)
    assert set(calls) <= {0, 1, 2}
    rest = {key: result.result(PATIENCE_SECONDS) for key, result in results}
    assert rest == {1: 2, 2: 4, 3: 6, 4: 8}
    assert sorted(calls) == [0, 1, 2, 3, 4]


def test_calls_run_at_the_same_time() -> None:
    """Latency of one response does not delay the others."""
    together = threading.Barrier(8)
    results = prefetched(lambda _: together.wait(PATIENCE_SECONDS), range(8), 8)
    assert sorted(one.result(PATIENCE_SECONDS) for _, one in results) == list(range(8))


def test_results_keep_their_keys_whatever_order_they_arrive_in() -> None:
    """The rows of a parent must never get the key of another."""
    second = threading.Event()

    def echo(number: int) -> int:
        if number == 1:
            assert second.wait(PATIENCE_SECONDS)
        else:
            second.set()
        return number

    results = prefetched(echo, [1, 2, 3], 2)
    pairs = [(key, one.result(PATIENCE_SECONDS)) for key, one in results]
    assert pairs == [(1, 1), (2, 2), (3, 3)]


def test_an_error_is_raised_instead_of_its_result() -> None:
    """The results before and after it are returned."""
    (_, half), (_, error), (_, quarter) = prefetched(lambda n: 1 / n, [2, 0, 4], 2)
    assert half.result(PATIENCE_SECONDS) == 0.5
    with pytest.raises(ZeroDivisionError):
        error.result(PATIENCE_SECONDS)
    assert quarter.result(PATIENCE_SECONDS) == 0.25
