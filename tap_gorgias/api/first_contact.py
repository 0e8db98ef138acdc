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
MAX_SECONDS = 20.0
LAST_REQUEST_SECONDS = 10.0
"""When the last request may begin."""
MAX_ANSWER_SECONDS = 15.0
"""How long a request may take to connect and be answered."""

T = TypeVar("T")


class FirstContact:
    """Lets requests go one at a time until Gorgias has answered one of them in JSON.

    `describe` turns the failure of a request into the one that ends the run.
    """

    def __init__(
        self, clock: Clock, describe: Callable[[ApiError], AccessError]
    ) -> None:
        self.has_answered = False
        """Whether a response has certainly come from Gorgias."""
        self.is_accepted = False
        """Whether Gorgias has accepted the credentials. Then the contact is made."""
        self._clock = clock
        self._describe = describe
        self._lock = threading.Lock()
        self._requests = 0
        self._start = clock.monotonic()
        self._error: AccessError | None = None

    @property
    def max_seconds(self) -> float | None:
        """How long the next request may take; None if Gorgias has answered one."""
        if self.has_answered:
            return None
        rest = self._start + MAX_SECONDS - self._clock.monotonic()
        return min(MAX_ANSWER_SECONDS, max(rest, 1.0))

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
                if (
                    not isinstance(error, TransientApiError)
                    or self._requests >= MAX_REQUESTS
                    or next_at > self._start + LAST_REQUEST_SECONDS
                ):
                    raise self._describe(error) from None
            self._clock.sleep(seconds)
