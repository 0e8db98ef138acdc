"""Several programs that share one clock and run one at a time in threads."""

from __future__ import annotations

import heapq
import itertools
import threading
from typing import TYPE_CHECKING

from tap_gorgias.compat import override
from tests.support.fake_clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable


class TurnClock(FakeClock):
    """Passes the turn to the program that wakes first whenever one sleeps.

    This makes the interleaving of the programs deterministic.
    """

    def __init__(self) -> None:
        super().__init__()
        self._numbers = itertools.count()
        self._sleepers: list[tuple[float, int, threading.Event]] = []
        self._turn_ended = threading.Semaphore(0)

    def run(self, *programs: Callable[[], None]) -> None:
        """Run programs until all of them have ended."""
        for program in programs:
            self.start(program)
        while self._sleepers:
            self.now, _, turn = heapq.heappop(self._sleepers)
            turn.set()
            self._turn_ended.acquire()

    def start(self, program: Callable[[], None]) -> None:
        """Start another program, which begins when its turn comes."""
        turn = self._queue(0.0)

        def in_turn() -> None:
            turn.wait()
            try:
                program()
            finally:
                self._turn_ended.release()

        threading.Thread(target=in_turn, daemon=True).start()

    @override
    def sleep(self, seconds: float) -> None:
        """Let other programs run until the time has passed."""
        turn = self._queue(seconds)
        self._turn_ended.release()
        turn.wait()

    def _queue(self, seconds: float) -> threading.Event:
        turn = threading.Event()
        place = (self.now + seconds, next(self._numbers), turn)
        heapq.heappush(self._sleepers, place)
        return turn
