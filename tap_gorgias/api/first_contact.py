"""The first contact of a run: what would fail for all streams fails once, and soon."""

from __future__ import annotations

import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from tap_gorgias.errors import AccessError, ApiError, TransientApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_gorgias.clock import Clock

MAX_REQUESTS = 3
LAST_REQUEST_SECONDS = 10.0
"""When the last request may begin, except for the probe."""
MAX_ANSWER_SECONDS = 15.0
"""When the requests must have been answered, except for the probe."""
MAX_PROBE_SECONDS = 5.0

T = TypeVar("T")


class FirstContact:
    """Lets requests go one at a time until Gorgias has answered one of them in JSON.

    `describe` turns the failure of a request into the one that ends the run. `probe`
    sends a small request if there is no answer in time, because sign-ins and reports
    can take longer. It sets `has_answered` if Gorgias is there.
    """

    def __init__(
        self,
        clock: Clock,
        describe: Callable[[ApiError], AccessError],
        probe: Callable[[ApiError], None],
    ) -> None:
        self.has_answered = False
        """Whether a response has certainly come from Gorgias."""
        self.is_accepted = False
        """Whether Gorgias has accepted the credentials. Then the contact is made."""
        self._clock = clock
        self._describe = describe
        self._probe = probe
        self._lock = threading.Lock()
        self._requests = 0
        self._start = clock.monotonic()
        self._error: AccessError | None = None

    @property
    def max_seconds(self) -> float | None:
        """How long the next request may take; None if Gorgias has answered one."""
        if self.has_answered:
            return None
        return max(self._start + MAX_ANSWER_SECONDS - self._clock.monotonic(), 1.0)

    def in_turn(self, send: Callable[[], T]) -> T:
        """Send a request, alone and a few times if the contact is not made yet.

        Raises `ApiError` if Gorgias has answered, and `AccessError` if this or an
        earlier request shows that no stream can be read.
        """
        if not self.is_accepted:
            with self._lock:
                if self._error is not None:
                    raise self._error
                if not self.is_accepted:
                    try:
                        return self.make(send)
                    except AccessError as error:
                        self._error = error
                        raise
        return send()

    def make(self, send: Callable[[], T]) -> T:
        """Send a request like `in_turn`, if no other thread does."""
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
                may_retry = (
                    isinstance(error, TransientApiError)
                    and self._requests < MAX_REQUESTS
                )
                if may_retry and is_late:
                    self._probe(error)
                    if self.has_answered:
                        raise
                if is_late or not may_retry:
                    raise self._describe(error) from None
            self._clock.sleep(seconds)
