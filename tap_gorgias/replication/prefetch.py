"""Prefetch pages and child responses."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar

from tap_gorgias.compat import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

K = TypeVar("K")
P = ParamSpec("P")
T = TypeVar("T")


class DaemonExecutor(Executor):
    """An executor whose threads do not keep a stopped process alive.

    Those of the standard library do: a process would wait for their responses.

    Args:
        max_workers: The most threads; each starts when it is first needed.
    """

    def __init__(self, max_workers: int) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._max_workers = max_workers
        self._workers = 0

    @override
    def submit(
        self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        future: Future[T] = Future()

        def call() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 (raised by `result`)
                future.set_exception(error)

        self._calls.put(call)
        if not self._idle.acquire(blocking=False) and self._workers < self._max_workers:
            self._workers += 1
            threading.Thread(target=self._work, daemon=True).start()
        return future

    @override
    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let each thread end after its current call, without waiting for it.

        Args:
            wait: Ignored.
            cancel_futures: Ignored; the caller cancels what it does not need.
        """
        for _ in range(self._workers):
            self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
            self._idle.release()


def prefetch_next(items: Iterator[T], has_next: Callable[[T], bool]) -> Iterator[T]:
    """Get the next item while the one before is processed.

    Args:
        items: Sends a request for each item.
        has_next: Returns whether the item after this one is certain to be needed.

    Yields:
        Each item. A failure is raised in the place of its item.
    """
    with DaemonExecutor(1) as executor:
        item = next(items, None)
        while item is not None:
            if has_next(item):
                following: Future[T | None] = executor.submit(next, items, None)
                yield item
                item = following.result()
            else:
                yield item
                item = next(items, None)


class Prefetcher(Generic[K, T]):
    """Keeps a few requests in flight, and returns their results in order.

    Args:
        function: Gets the result for a key; called from other threads.
        max_in_flight: The most results that are requested and not yet taken.
    """

    def __init__(self, function: Callable[[K], T], max_in_flight: int) -> None:
        self._function = function
        self._max_in_flight = max_in_flight
        self._executor = DaemonExecutor(max_in_flight)
        self._keys: deque[K] = deque()
        self._futures: deque[Future[T]] = deque()

    def expect(self, keys: Iterable[K]) -> None:
        """Say which results will be taken, in their order.

        Args:
            keys: The keys of the results.
        """
        self._keys.extend(keys)

    def take(self) -> T:
        """Wait for the next result.

        Requests are sent only now, when the result before has been processed, so that a
        run that is killed has paid for few results in vain.

        Returns:
            The result for the first key that has not been taken.

        Raises:
            Exception: What the function raised.
        """
        while self._keys and len(self._futures) < self._max_in_flight:
            key = self._keys.popleft()
            self._futures.append(self._executor.submit(self._function, key))
        return self._futures.popleft().result()

    def close(self) -> None:
        """Drop what has not been taken, without waiting for it."""
        for future in self._futures:
            future.cancel()
        self._executor.shutdown(wait=False)
        self._keys.clear()
        self._futures.clear()
