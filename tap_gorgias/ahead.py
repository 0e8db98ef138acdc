"""Asks for things before they are wanted, so that latency does not add up."""

from __future__ import annotations

import threading
from collections import Counter, deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from multiprocessing.pool import AsyncResult, ThreadPool

REQUESTS_IN_FLIGHT = 8
"""Enough for 8 requests a second, the most that any plan allows, at a second each."""

K = TypeVar("K")
V = TypeVar("V")


def one_ahead(answers: Iterator[V], goes_on: Callable[[V], bool]) -> Iterator[V]:
    """Get the next answer while the one before is processed.

    Args:
        answers: Asks for each answer when it is wanted.
        goes_on: Tells by an answer whether the next one is sure to be wanted.

    Yields:
        Each answer. A failure comes in the place of the answer that it is about.
    """
    answer = next(answers, None)
    while answer is not None:
        if goes_on(answer):
            coming = _begun(answers)
            yield answer
            answer = coming.result()
        else:
            yield answer
            answer = next(answers, None)


class ReadAhead(Generic[K, V]):
    """Keeps a few answers coming, and hands them out in the order of the questions."""

    def __init__(self, ask: Callable[[K], V]) -> None:
        """Start no thread yet.

        Args:
            ask: Gets the answer to one question; called from other threads.
        """
        self._ask = ask
        self._waiting: deque[K] = deque()
        self._asked: deque[tuple[K, AsyncResult[V]]] = deque()
        self._expected: Counter[K] = Counter()
        self._threads: ThreadPool | None = None

    def expect(self, keys: Iterable[K]) -> None:
        """Say which answers will be wanted, in their order.

        Args:
            keys: The questions.
        """
        for key in keys:
            self._waiting.append(key)
            self._expected[key] += 1
        self._fill()

    def expects(self, key: K) -> bool:
        """Tell whether an answer was announced and has not been taken."""
        return self._expected[key] > 0

    def take(self, key: K) -> V:
        """Wait for an answer.

        Args:
            key: An announced question; those before it are given up.

        Returns:
            Its answer.

        Raises:
            Exception: What asking raised.
        """
        while True:
            asked, result = self._asked.popleft()
            self._expected[asked] -= 1
            self._fill()
            if asked == key:
                return result.get()

    def close(self) -> None:
        """Give up what has not been taken, without waiting for it."""
        if self._threads is not None:
            self._threads.terminate()
            self._threads = None
        self._waiting.clear()
        self._asked.clear()
        self._expected.clear()

    def _fill(self) -> None:
        while self._waiting and len(self._asked) < REQUESTS_IN_FLIGHT:
            if self._threads is None:
                self._threads = _threads()
            key = self._waiting.popleft()
            self._asked.append((key, self._threads.apply_async(self._ask, (key,))))


def _begun(answers: Iterator[V]) -> Future[V]:
    coming: Future[V] = Future()

    def get() -> None:
        try:
            coming.set_result(next(answers))
        except BaseException as error:  # noqa: BLE001 (raised by whoever waits)
            coming.set_exception(error)

    # A daemon: a run that is stopped does not wait for its answer.
    threading.Thread(target=get, daemon=True).start()
    return coming


def _threads() -> ThreadPool:
    # Its threads are daemons: a run that is stopped does not wait for their answers.
    from multiprocessing.pool import ThreadPool  # noqa: PLC0415 (rarely needed)

    return ThreadPool(REQUESTS_IN_FLIGHT)
