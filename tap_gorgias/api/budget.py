"""The account's request budget, shared by all threads."""

from __future__ import annotations

import re
import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_gorgias.api.allowance import Allowance

if TYPE_CHECKING:
    import logging

    from tap_gorgias.clock import Clock

MAX_SLEEP_SECONDS = 1.0
"""A waiting thread checks again after this time, because a response to another thread
may have reported a higher limit."""

OLDEST_WAITER_INTERVAL = 3
"""Every third permit goes to the thread that has waited longest."""

_CALL_LIMIT = re.compile(r"\s*([0-9]{1,6})\s*/\s*([1-9][0-9]{0,5})\s*", re.ASCII)


@dataclass(frozen=True)
class Permit:
    """Permission to send one request."""

    waited_seconds: float
    sent_at: float


@dataclass(eq=False)
class _Waiter:
    """A thread that waits for a permit."""

    stream_name: str
    sent_at: float | None = None
    """When its request was permitted; None while it waits."""


class ApiBudget:
    """Issues permits to send requests at the rate that `Allowance` permits.

    Every third permit goes to the thread that has waited longest, the others to the
    stream with the fewest requests so far. So no thread starves, large streams do not
    delay small ones, and a large stream that begins late catches up.

    Args:
        clock: Returns the time and waits.
        rate_limit_percent: Percentage of the limit that the tap may use, 1 to 100.
    """

    def __init__(self, clock: Clock, rate_limit_percent: int = 100) -> None:
        self._clock = clock
        self._allowance = Allowance(rate_limit_percent)
        self._lock = threading.Lock()
        self._waiters: list[_Waiter] = []
        self._permits: Counter[str] = Counter()
        self._call_limit: str | None = None
        self._granted = 0
        self._pending = 0
        self._pending_seconds = 0.0
        self._updated_at = clock.monotonic()

    @property
    def call_limit(self) -> str | None:
        """The last reported count, for example `38/40 in the last 20 s`.

        None if no response has reported one.
        """
        with self._lock:
            if self._call_limit is None:
                return None
            seconds = self._allowance.window_seconds
            return f"{self._call_limit} in the last {seconds:.0f} s"

    @property
    def utilization(self) -> float:
        """Fraction of the allowed requests that were sent while requests were pending.

        A request is pending while it waits for a permit or for its response. The
        allowed requests are `rate_limit_percent` of the limit for each window of that
        time, and for at least one window.
        """
        with self._lock:
            self._update_pending_seconds()
            windows = self._pending_seconds / self._allowance.window_seconds
            return self._granted / (self._allowance.own_limit * max(windows, 1.0))

    def acquire(self, stream_name: str = "") -> Permit:
        """Wait until a request may be sent, and count it.

        Args:
            stream_name: The stream that sends the request.

        Returns:
            The permit. Pass it to `release` or `refuse` when the request has ended.
        """
        waited = 0.0
        waiter = _Waiter(stream_name)
        with self._lock:
            self._update_pending_seconds()
            self._pending += 1
            self._waiters.append(waiter)
        try:
            while True:
                with self._lock:
                    seconds = self._issue_permits()
                    if waiter.sent_at is not None:
                        return Permit(waited, waiter.sent_at)
                seconds = min(seconds, MAX_SLEEP_SECONDS)
                self._clock.sleep(seconds)
                waited += seconds
        except BaseException:
            with self._lock:
                now = self._end_request()
                if waiter.sent_at is None:
                    self._waiters.remove(waiter)
                else:
                    self._allowance.add_response(waiter.sent_at, now, None, None)
            raise

    def release(self, permit: Permit, call_limit: str | None) -> None:
        """Record that a request has ended, with or without a response.

        Args:
            permit: The permit of the request.
            call_limit: Value of `X-Gorgias-Account-Api-Call-Limit`, for example `10/80`
                (used/limit). None and invalid values are ignored.
        """
        used, limit = _parse_call_limit(call_limit)
        with self._lock:
            now = self._end_request(used, limit)
            self._granted += 1
            self._allowance.add_response(permit.sent_at, now, used, limit)

    def refuse(
        self, permit: Permit, call_limit: str | None, seconds: float | None
    ) -> None:
        """Pause all requests after a 429.

        Args:
            permit: The permit of the refused request.
            call_limit: As in `release`.
            seconds: How long to wait according to the response; None if unknown. The
                pause is longer if the window is full for longer.
        """
        used, limit = _parse_call_limit(call_limit)
        with self._lock:
            now = self._end_request(used, limit)
            self._allowance.add_refusal(permit.sent_at, now, limit, seconds)

    def log(self, logger: logging.Logger) -> None:
        """Log the utilization, unless no response reported the limit.

        Args:
            logger: The logger.
        """
        if call_limit := self.call_limit:
            logger.info(
                "Summary of the budget: %s of the allowed rate used while requests "
                "were pending, %s at the end.",
                f"{self.utilization:.0%}",
                call_limit,
            )

    def _issue_permits(self) -> float:
        """Issue all permits that are possible now, also to other threads.

        Returns:
            Seconds until the next permit is possible.
        """
        now = self._clock.monotonic()
        while (seconds := self._allowance.seconds_to_wait(now)) <= 0 and self._waiters:
            self._allowance.add_request(now)
            self._next_waiter().sent_at = now
        return seconds

    def _next_waiter(self) -> _Waiter:
        index = 0
        if (self._permits.total() + 1) % OLDEST_WAITER_INTERVAL:
            counts = [self._permits[waiter.stream_name] for waiter in self._waiters]
            index = counts.index(min(counts))
        waiter = self._waiters.pop(index)
        self._permits[waiter.stream_name] += 1
        return waiter

    def _end_request(self, used: int | None = None, limit: int | None = None) -> float:
        """Update the figures of the summary, and return the current time."""
        now = self._update_pending_seconds()
        self._pending -= 1
        if used is not None:
            self._call_limit = f"{used}/{limit}"
        return now

    def _update_pending_seconds(self) -> float:
        now = self._clock.monotonic()
        if self._pending:
            self._pending_seconds += now - self._updated_at
        self._updated_at = now
        return now


def _parse_call_limit(call_limit: str | None) -> tuple[int, int] | tuple[None, None]:
    match = _CALL_LIMIT.fullmatch(call_limit or "")
    return (int(match[1]), int(match[2])) if match else (None, None)
