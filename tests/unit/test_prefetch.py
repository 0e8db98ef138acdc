"""The next answer is asked for while the one before is processed."""

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
    """Return the threads that run now."""
    return set(threading.enumerate())


class Answers:
    """Counts up, and tells which number was asked for."""

    def __init__(self, last: int, fails_at: int | None = None) -> None:
        """Be asked for 1, 2 and so on."""
        self.asked = [threading.Event() for _ in range(last + 2)]
        self.free = threading.Event()
        self.free.set()
        self._last = last
        self._fails_at = fails_at

    def __iter__(self) -> Iterator[int]:
        """Answer each question when it is asked."""
        for number in range(1, self._last + 1):
            self.asked[number].set()
            assert self.free.wait(PATIENCE_SECONDS)
            if number == self._fails_at:
                message = f"no {number}"
                raise ValueError(message)
            yield number

    def below_last(self, number: int) -> bool:
        """Tell whether there is another answer."""
        return number < self._last


def test_the_next_answer_is_on_its_way_while_one_is_processed() -> None:
    """Latency and processing overlap."""
    answers = Answers(3)
    for number in prefetch_next(iter(answers), answers.below_last):
        if number < 3:
            assert answers.asked[number + 1].wait(PATIENCE_SECONDS)


def test_every_answer_comes_once_and_in_order() -> None:
    """Whatever is asked for ahead."""
    answers = Answers(5)
    evenly = prefetch_next(iter(answers), lambda number: number % 2 == 0)
    assert list(evenly) == [1, 2, 3, 4, 5]


def test_nothing_is_asked_for_that_may_not_be_wanted() -> None:
    """Neither before an answer is taken, nor after it; each request costs budget."""
    answers = Answers(3)
    numbers = prefetch_next(iter(answers), lambda _: False)
    assert not answers.asked[1].is_set()
    assert next(numbers) == 1
    assert not answers.asked[2].is_set()
    assert next(numbers) == 2
    assert not answers.asked[3].is_set()


def test_no_more_than_one_answer_is_ahead() -> None:
    """Memory holds two pages, whatever the list."""
    answers = Answers(9)
    numbers = prefetch_next(iter(answers), answers.below_last)
    assert next(numbers) == 1
    assert answers.asked[2].wait(PATIENCE_SECONDS)
    assert not answers.asked[3].wait(0.05)


def test_a_failure_comes_after_the_answer_before_it() -> None:
    """What was read is out, and STATE saved, before the run ends."""
    answers = Answers(3, fails_at=2)
    numbers = prefetch_next(iter(answers), answers.below_last)
    assert next(numbers) == 1
    assert answers.asked[2].wait(PATIENCE_SECONDS)
    with pytest.raises(ValueError, match="no 2"):
        next(numbers)
    assert not answers.asked[3].is_set()


def test_a_reader_that_stops_early_waits_for_nothing_and_leaves_no_thread() -> None:
    """The answer that is on its way is thrown away when it comes."""
    before = threads()
    answers = Answers(3)

    def never_answered_again(number: int) -> bool:
        answers.free.clear()
        return answers.below_last(number)

    numbers = prefetch_next(iter(answers), never_answered_again)
    assert next(numbers) == 1
    assert answers.asked[2].wait(PATIENCE_SECONDS)
    (thread,) = threads() - before
    del numbers
    assert thread.is_alive()
    assert thread.daemon
    answers.free.set()
    thread.join(PATIENCE_SECONDS)
    assert threads() == before
    assert not answers.asked[3].is_set()


def test_one_thread_gets_all_items() -> None:
    """A thread that starts for each page would cost more than it saves."""
    before = threads()
    answers = Answers(5)
    found = set()
    for _ in prefetch_next(iter(answers), answers.below_last):
        found |= threads() - before
    assert len(found) == 1


@pytest.fixture
def executor() -> Iterator[DaemonExecutor]:
    """Have two threads at most."""
    with DaemonExecutor(2) as executor:
        yield executor


def test_an_executor_starts_no_more_threads_than_it_may(
    executor: DaemonExecutor,
) -> None:
    """Calls beyond that wait for a thread."""
    before = threads()
    free = threading.Event()
    futures = [executor.submit(free.wait, PATIENCE_SECONDS) for _ in range(5)]
    assert len(threads() - before) == 2
    free.set()
    assert [future.result() for future in futures] == [True] * 5


def test_an_idle_thread_is_used_again(executor: DaemonExecutor) -> None:
    """Threads are started only for calls that would have to wait."""
    before = threads()
    for number in range(20):
        assert executor.submit(int, number).result(PATIENCE_SECONDS) == number
    assert len(threads() - before) <= 2


def test_a_cancelled_call_is_not_made(executor: DaemonExecutor) -> None:
    """A stream that stops early must not pay for what it does not take."""
    free = threading.Event()
    running = [executor.submit(free.wait, PATIENCE_SECONDS) for _ in range(2)]
    calls: list[int] = []
    waiting = executor.submit(calls.append, 1)
    assert waiting.cancel()
    free.set()
    assert all(future.result() for future in running)
    assert executor.submit(calls.append, 2).result(PATIENCE_SECONDS) is None
    assert calls == [2]


def test_results_are_taken_in_order_with_few_in_flight() -> None:
    """What is in flight grows only when a result is taken."""
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


def test_a_failure_is_raised_in_its_place() -> None:
    """The results before it are whole."""

    def invert(number: int) -> float:
        return 1 / number

    prefetcher = Prefetcher(invert, 2)
    prefetcher.expect([2, 0, 4])
    assert prefetcher.take() == 0.5
    with pytest.raises(ZeroDivisionError):
        prefetcher.take()
    assert prefetcher.take() == 0.25
    prefetcher.close()
