"""When a failed request is sent again, and when its failure ends the run."""

from __future__ import annotations

import contextlib
import math
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

import backoff

from tap_gorgias.errors import AccessError, ApiError, RateLimitError, TransientApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_gorgias.clock import Clock

MAX_RETRY_SECONDS = 300.0
MAX_WAIT_SECONDS = 60.0

MAX_REQUESTS = 3
"""Of the first contact, like the following."""
LAST_REQUEST_SECONDS = 10.0
"""When the last request may begin."""
MAX_ANSWER_SECONDS = 15.0
"""When the host must have answered, unless it does so within the following."""
MIN_ANSWER_SECONDS = 3.0

T = TypeVar("T")


class Retries:
    """Sends failing requests again; in an outage, only one of them.

    An outage begins when a request has used up its retries and no other request has
    succeeded since its first failure. It ends with the next success.
    """

    def __init__(self, clock: Clock) -> None:
        self.max_seconds = MAX_RETRY_SECONDS
        """How long a failing request is retried."""
        self._clock = clock
        self._last_success = -math.inf
        self._is_outage = False
        self._has_probed = False

    def may_probe(self) -> bool:
        """Return whether to look for what succeeds: once in an outage."""
        may_probe = not (self._is_outage and self._has_probed)
        self._has_probed = self._is_outage
        return may_probe

    def call(
        self,
        function: Callable[[], T],
        on_retry: Callable[[TransientApiError, float], None],
        max_seconds: float | None = None,
    ) -> T:
        """Call a function until it succeeds or the time for retries is over.

        The waits are 1, 2, 4, ... 32, 60, 60, ... seconds, each plus up to one second
        of jitter. If the rate limiter lets all requests wait, there is no other wait.

        The last wait begins at most `max_seconds` after the first failure, and ends by
        then unless it is that of the rate limiter. `on_retry` gets each failure and the
        seconds until the next call.
        """
        patience = self.max_seconds if max_seconds is None else max_seconds
        waits = backoff.expo(base=2, factor=1, max_value=MAX_WAIT_SECONDS)
        next(waits)
        first_failure: float | None = None
        while True:
            try:
                result = function()
            except TransientApiError as error:  # noqa: PERF203 (waiting costs more)
                now = self._clock.monotonic()
                first_failure = now if first_failure is None else first_failure
                asked = error.wait_seconds if isinstance(error, RateLimitError) else 0.0
                is_paused = isinstance(error, RateLimitError) and error.is_for_all
                wait = backoff.random_jitter(next(waits))
                seconds = asked if is_paused else max(wait, asked)
                # A pause that Gorgias asks for is waited out, however late it ends.
                begins = now if is_paused else now + seconds
                if begins > first_failure + patience or self._is_outage:
                    if patience:  # A single request shows no outage.
                        self._is_outage = self._last_success < first_failure
                    raise
                on_retry(error, seconds)
                if not is_paused:
                    self._clock.sleep(seconds)
            else:
                self._last_success = self._clock.monotonic()
                self._is_outage = self._has_probed = False
                return result


class FirstContact:
    """Lets requests go one at a time until Gorgias has answered one of them in JSON.

    What would fail for all streams fails once, and soon. `describe` turns the failure
    of a request into the one that ends the run. Before that, `ask` sends a small
    request: if there is an answer, the failure may be that of one stream.
    """

    def __init__(
        self,
        clock: Clock,
        describe: Callable[[ApiError], AccessError],
        ask: Callable[[str], None],
    ) -> None:
        self.is_host_there = False
        """Whether the host has answered the small request in any way."""
        self.has_answered = False
        """Whether a response has certainly come from Gorgias."""
        self.is_accepted = False
        """Whether Gorgias has accepted the credentials. Then the contact is made."""
        self._clock = clock
        self._describe = describe
        self._ask = ask
        self._lock = threading.RLock()
        """Signing in is a request within a request."""
        self._requests = 0
        self._start = clock.monotonic()
        self._error: AccessError | None = None

    @property
    def max_seconds(self) -> float:
        """How long the next request may take; no limit once the host has answered."""
        if self.has_answered or self.is_host_there:
            return math.inf
        rest = self._start + MAX_ANSWER_SECONDS - self._clock.monotonic()
        return max(rest, MIN_ANSWER_SECONDS)

    def send(self, send: Callable[[], T]) -> T:
        """Send a request, alone and a few times if the contact is not made yet.

        Raises `ApiError` if Gorgias has answered, and `AccessError` if this or an
        earlier request shows that no stream can be read.
        """
        with self._lock:
            if self._error is not None:
                raise self._error
            if not self.is_accepted:
                try:
                    return self._make(send)
                except AccessError as error:
                    self._error = error
                    raise
        return send()

    def _make(self, send: Callable[[], T]) -> T:
        if not self._requests:
            self._start = self._clock.monotonic()
        while True:
            self._requests += 1
            try:
                return send()
            except ApiError as error:
                is_rejected = error.status == HTTPStatus.UNAUTHORIZED
                if self.has_answered and (self.is_accepted or not is_rejected):
                    raise
                seconds = float(self._requests)
                next_at = self._clock.monotonic() + seconds
                is_late = next_at > self._start + LAST_REQUEST_SECONDS
                is_transient = isinstance(error, TransientApiError)
                may_retry = is_transient and self._requests < MAX_REQUESTS
                if is_late or not may_retry:
                    if not is_rejected:
                        with contextlib.suppress(ApiError):
                            self._ask(error.stream)
                    if self.has_answered and not is_rejected:
                        return send()
                    if self.is_host_there and may_retry:
                        raise
                    raise self._describe(error) from None
            self._clock.sleep(seconds)
