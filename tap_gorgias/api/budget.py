"""The account's request budget, for any number of threads."""

from __future__ import annotations

import re
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_gorgias.api.allowance import Allowance

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

    from tap_gorgias.api.request_log import SentRequest
    from tap_gorgias.clock import Clock

LONGEST_NAP_SECONDS = 1.0
"""Who waits looks again after this time, as another's answer may have shown room."""

LONGEST_WAITING_EVERY = 3
"""One of so many permits goes to the thread that has waited longest."""

_CALL_LIMIT = re.compile(r"\s*([0-9]{1,6})\s*/\s*([1-9][0-9]{0,5})\s*", re.ASCII)


@dataclass(frozen=True)
class Permit:
    """Leave to send one request."""

    waited_seconds: float
    request: SentRequest


@dataclass(eq=False)
class _Waiter:
    """A thread that waits for its permit."""

    stream_name: str
    request: SentRequest | None = None
    """What may leave; None as long as nothing may."""


class ApiBudget:
    """Lets requests leave, one `Permit` each, as `Allowance` says.

    Every third permit goes to the thread that has waited longest, the others to threads
    whose streams have sent the fewest requests. So no thread starves beside others,
    small streams are not held up by large ones, and a large one that begins late does
    not end long after them.
    """

    def __init__(self, clock: Clock, rate_limit_percent: int = 100) -> None:
        """Start with an unused budget.

        Args:
            clock: Tells the time and waits.
            rate_limit_percent: Share of the account's budget to use, 1 to 100.
        """
        self._clock = clock
        self._allowance = Allowance(rate_limit_percent)
        self._lock = threading.Lock()
        self._waiting: list[_Waiter] = []
        self._sent: Counter[str] = Counter()
        self._permits = 0
        self._call_limit: str | None = None
        self._used = 0
        self._at_work = 0
        self._work_seconds = 0.0
        self._looked_at = clock.monotonic()

    @property
    def call_limit(self) -> str | None:
        """What the last answer said: `38/40 in the last 20 s`; None before it."""
        with self._lock:
            seconds = self._allowance.window_seconds
            said = self._call_limit
        return said and f"{said} in the last {seconds:.0f} s"

    @property
    def used_share(self) -> float:
        """Share of the allowed requests that was used while there was work.

        There is work while a request waits for the budget or for its answer. What is
        allowed is `rate_limit_percent` of the limit for each window of that time, and
        for one window at least.
        """
        with self._lock:
            self._pass_time()
            windows = self._work_seconds / self._allowance.window_seconds
            return self._used / (self._allowance.share * max(windows, 1.0))

    def acquire(self, stream_name: str = "") -> Permit:
        """Wait until a request may leave, and count it.

        Args:
            stream_name: For which stream it is sent.

        Returns:
            The permit, to be handed back with `release` or `refuse`.
        """
        waited = 0.0
        waiter = _Waiter(stream_name)
        with self._lock:
            self._pass_time()
            self._at_work += 1
            self._waiting.append(waiter)
        try:
            while True:
                with self._lock:
                    seconds = self._let_leave()
                    if waiter.request is not None:
                        return Permit(waited, waiter.request)
                seconds = min(seconds, LONGEST_NAP_SECONDS)
                self._clock.sleep(seconds)
                waited += seconds
        except BaseException:
            with self._lock:
                now = self._pass_time()
                self._at_work -= 1
                if waiter.request is None:
                    self._waiting.remove(waiter)
                else:
                    self._allowance.answered(waiter.request, now, None, None)
            raise

    def release(self, permit: Permit, call_limit: str | None) -> None:
        """Learn from an answer, or from the lack of one.

        Args:
            permit: What `acquire` gave for the request.
            call_limit: Value of `X-Gorgias-Account-Api-Call-Limit`, such as `10/80`
                (used/limit); None or anything else when there is none.
        """
        used, limit = _parsed(call_limit)
        with self._answered(used, limit) as now:
            self._used += 1
            self._allowance.answered(permit.request, now, used, limit)

    def refuse(
        self, permit: Permit, call_limit: str | None, seconds: float | None
    ) -> None:
        """Hold all requests back after a 429.

        Args:
            permit: What `acquire` gave for the request.
            call_limit: As in `release`.
            seconds: How long Gorgias asks to wait; None if it does not say. All wait
                longer if the window is known to be full for longer.
        """
        used, limit = _parsed(call_limit)
        with self._answered(used, limit) as now:
            self._allowance.refused(permit.request, now, limit, seconds)

    def log(self, logger: logging.Logger) -> None:
        """Write how fully the budget was used, if any answer told what it is.

        Args:
            logger: Where the line goes.
        """
        if call_limit := self.call_limit:
            logger.info(
                "Summary of the budget: %s of the allowed rate used while there was "
                "work, %s at the end.",
                f"{self.used_share:.0%}",
                call_limit,
            )

    def _let_leave(self) -> float:
        """Permit what may leave now; return seconds until more may.

        A thread may find that another is next, and permits that, as the other may
        sleep a little longer.
        """
        now = self._clock.monotonic()
        while (seconds := self._allowance.seconds_to_wait(now)) <= 0 and self._waiting:
            self._next_waiter().request = self._allowance.send(now)
        return seconds

    def _next_waiter(self) -> _Waiter:
        position = 0
        self._permits += 1
        if self._permits % LONGEST_WAITING_EVERY:
            counts = [self._sent[waiter.stream_name] for waiter in self._waiting]
            position = counts.index(min(counts))
        waiter = self._waiting.pop(position)
        self._sent[waiter.stream_name] += 1
        return waiter

    @contextmanager
    def _answered(self, used: int | None, limit: int | None) -> Iterator[float]:
        with self._lock:
            now = self._pass_time()
            self._at_work -= 1
            if used is not None:
                self._call_limit = f"{used}/{limit}"
            yield now

    def _pass_time(self) -> float:
        now = self._clock.monotonic()
        if self._at_work:
            self._work_seconds += now - self._looked_at
        self._looked_at = now
        return now


def _parsed(call_limit: str | None) -> tuple[int, int] | tuple[None, None]:
    match = _CALL_LIMIT.fullmatch(call_limit or "")
    return (int(match[1]), int(match[2])) if match else (None, None)
