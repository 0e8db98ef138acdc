"""The next answer is asked for while the one before is processed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tap_gorgias.replication.prefetch import one_ahead

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
    for number in one_ahead(iter(answers), answers.below_last):
        if number < 3:
            assert answers.asked[number + 1].wait(PATIENCE_SECONDS)


def test_every_answer_comes_once_and_in_order() -> None:
    """Whatever is asked for ahead."""
    answers = Answers(5)
    evenly = one_ahead(iter(answers), lambda number: number % 2 == 0)
    assert list(evenly) == [1, 2, 3, 4, 5]


def test_nothing_is_asked_for_that_may_not_be_wanted() -> None:
    """Neither before an answer is taken, nor after it; each request costs budget."""
    answers = Answers(3)
    numbers = one_ahead(iter(answers), lambda _: False)
    assert not answers.asked[1].is_set()
    assert next(numbers) == 1
    assert not answers.asked[2].is_set()
    assert next(numbers) == 2
    assert not answers.asked[3].is_set()


def test_no_more_than_one_answer_is_ahead() -> None:
    """Memory holds two pages, whatever the list."""
    before = threads()
    answers = Answers(9)
    numbers = one_ahead(iter(answers), answers.below_last)
    assert next(numbers) == 1
    for thread in threads() - before:
        thread.join(PATIENCE_SECONDS)
    assert answers.asked[2].is_set()
    assert not answers.asked[3].is_set()


def test_a_failure_comes_after_the_answer_before_it() -> None:
    """What was read is out, and STATE saved, before the run ends."""
    answers = Answers(3, fails_at=2)
    numbers = one_ahead(iter(answers), answers.below_last)
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

    numbers = one_ahead(iter(answers), never_answered_again)
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
