"""Request pages and rows of parents ahead, each in a daemon thread.

Daemon threads do not keep a stopped process alive, as those of an executor would.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

K = TypeVar("K")
T = TypeVar("T")


def in_thread(function: Callable[[], T]) -> Future[T]:
    """Call a function in a thread of its own."""
    future: Future[T] = Future()

    def call() -> None:
        try:
            future.set_result(function())
        except BaseException as error:  # noqa: BLE001 (raised by `result`)
            future.set_exception(error)

    threading.Thread(target=call, daemon=True).start()
    return future


def prefetch_next(items: Iterator[T], has_next: Callable[[T], bool]) -> Iterator[T]:
    """Get the next item while the one before is processed.

    `has_next` says whether the item after this one is certain to be needed. A failure
    is raised in the place of its item.
    """
    following = partial(next, items, None)
    item = following()
    while item is not None:
        ahead = in_thread(following) if has_next(item) else None
        yield item
        item = following() if ahead is None else ahead.result()


def prefetched(
    function: Callable[[K], T], keys: Iterable[K], max_in_flight: int
) -> Iterator[tuple[K, Future[T]]]:
    """Call a function for each key, a few keys ahead, and yield results in their order.

    Calls begin only when the result before has been processed, so that a run that is
    killed has paid for few results in vain.
    """
    remaining = iter(keys)
    waiting: deque[tuple[K, Future[T]]] = deque()
    while True:
        for key in itertools.islice(remaining, max_in_flight - len(waiting)):
            waiting.append((key, in_thread(partial(function, key))))
        if not waiting:
            return
        yield waiting.popleft()
