"""Asks for things before they are wanted, so that latency does not add up."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from multiprocessing.pool import AsyncResult, ThreadPool

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
    """Keeps a few requests in flight, and hands out their answers in order."""

    def __init__(self, ask: Callable[[K], V], in_flight: int) -> None:
        """Start no thread yet.

        Args:
            ask: Gets the answer for one key; called from other threads.
            in_flight: The most answers that are asked for and not taken.
        """
        self._ask = ask
        self._in_flight = in_flight
        self._waiting: deque[K] = deque()
        self._asked: deque[AsyncResult[V]] = deque()
        self._threads: ThreadPool | None = None

    def expect(self, keys: Iterable[K]) -> None:
        """Say which answers will be taken, in their order.

        Args:
            keys: What to ask for.
        """
        self._waiting.extend(keys)

    def take(self) -> V:
        """Wait for the next answer.

        What is in flight grows only now, when the answer before has been dealt with,
        so that a run that is killed has paid for few answers in vain.

        Returns:
            The answer for the first key that has not been taken.

        Raises:
            Exception: What asking raised.
        """
        while self._waiting and len(self._asked) < self._in_flight:
            if self._threads is None:
                self._threads = _threads(self._in_flight)
            key = self._waiting.popleft()
            self._asked.append(self._threads.apply_async(self._ask, (key,)))
        return self._asked.popleft().get()

    def close(self) -> None:
        """Give up what has not been taken, without waiting for it."""
        if self._threads is not None:
            self._threads.terminate()
            self._threads = None
        self._waiting.clear()
        self._asked.clear()


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


def _threads(number: int) -> ThreadPool:
    # Its threads are daemons: a run that is stopped does not wait for their answers.
    from multiprocessing.pool import ThreadPool  # noqa: PLC0415 (rarely needed)

    return ThreadPool(number)
