"""When the next request may leave: the rules, without clock, threads and HTTP."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tap_gorgias.recognition import CLOCK_SECONDS, STANDARD_SECONDS, WindowRecognition
from tap_gorgias.request_log import Count, RequestLog

if TYPE_CHECKING:
    from tap_gorgias.request_log import SentRequest

INITIAL_LIMIT = 40
"""What an API key allows, the smallest limit; the first answer tells the real one."""

BURST = 0.75
"""Part of the room that leaves at once when a run begins."""

_NOTICED = 2
"""One request of others may be a matter of how the limiter rounds, two are not."""

_ROOM_PER_REQUEST_OF_OTHERS = 4
"""Places that a burst leaves for each request of others, who may be at one, too."""

_FREE_PER_OWN_REQUEST = 0.2
_FREE_PER_REQUEST_OF_OTHERS = 0.3
_FREE_OF_LIMIT = 0.08
"""The least of these three stays free beside others, and one place at least.

The numbers were found by simulation of three taps, and of a tap beside another app."""

_LONGEST_DELAY_SECONDS = 1.0
"""Taps that were refused at the same moment go on at different ones."""

_SOON_SECONDS = 1e-6
"""Less is a matter of rounding here."""


class Allowance:
    """Keeps a sliding window of own requests, and of those of others.

    Recorded headers fit a window over the last 20 seconds. Who keeps to that is never
    refused by a leaky bucket or fixed windows of the same size either, and gets the
    same rate from them. So nobody has to tell which it is.

    Three rules:

    - A request leaves when the window has room for it, whenever the limiter may have
      counted the earlier ones. One place is left to others, to be noticed in. Once
      they are noticed, a few more places stay free. A tap that has many requests in
      the window leaves more than one that has few, so several taps on one account come
      to equal shares.
    - A run begins with a burst. From there on, requests are spread evenly. Under a
      sliding window the places of a burst come back all at once, and a tap that took
      them at once again would shut others out for the rest of each window.
    - A refusal says that the window is full. It counts as a request, because nobody
      knows whether it does. Several taps do not go on at the same moment.

    All moments are seconds of one monotonic clock, and never go back.
    """

    def __init__(
        self, rate_limit_percent: int = 100, dice: random.Random | None = None
    ) -> None:
        """Start with an empty window.

        Args:
            rate_limit_percent: Share of the limit that own requests may use, 1 to 100.
            dice: Say how much longer to wait after a refusal than Gorgias asks.
        """
        self.limit = INITIAL_LIMIT
        self._percent = rate_limit_percent
        self._dice = dice or random.Random()  # noqa: S311 (nothing secret)
        self._log = RequestLog()
        self._recognition = WindowRecognition()
        self._others: list[float] = []
        self._unsure = 0
        """How many of those that were taken for own ones may be requests of others."""
        self._others_told_at = float("-inf")
        self._bursting = True
        self._last_turn = float("-inf")
        self._paused_until = float("-inf")

    @property
    def window_seconds(self) -> float:
        """How long the limiter counts a request, as far as is known."""
        return self._recognition.seconds

    @property
    def share(self) -> float:
        """The tap's part of the limit, in requests; may be below 1."""
        return self.limit * self._percent / 100

    def seconds_to_wait(self, now: float) -> float:
        """Tell when to ask again.

        Args:
            now: The present.

        Returns:
            0 if a request may leave now, otherwise seconds until one may or until the
            next thing is known to change.
        """
        window = self.window_seconds
        self._others = [since for since in self._others if since + window > now]
        longest = max(STANDARD_SECONDS + CLOCK_SECONDS, self._share_seconds)
        self._log.forget(now - longest)
        seconds = max(
            self._paused_until - now,
            self._seconds_to_room(now),
            self._seconds_to_share(now),
        )
        if seconds <= 0:
            seconds = self._turn(now) - now
            return seconds if seconds > _SOON_SECONDS else 0.0
        return max(seconds, _SOON_SECONDS)

    def send(self, now: float) -> SentRequest:
        """Count a request that leaves.

        Args:
            now: The present, at which `seconds_to_wait` is 0.

        Returns:
            The request, to be handed back with its answer.
        """
        # A turn that came while all threads were busy is taken later, but one only, so
        # that no burst is saved up.
        late = now - self._turn(now)
        gap = self.window_seconds / self._room(now)
        self._last_turn = now if self._bursting else now - min(max(late, 0.0), gap)
        return self._log.add(now)

    def answered(
        self, request: SentRequest, now: float, used: int | None, limit: int | None
    ) -> None:
        """Learn from an answer, or from its failure.

        Args:
            request: What `send` gave.
            now: The present.
            used: How many requests the limiter held; None if the answer did not say.
            limit: How many it lets pass in a window; None likewise.
        """
        self._log.answer(now)
        if used is None or limit is None:
            return
        self.limit = limit
        count = Count(request.sent, now, min(used, limit))
        self._recognition.learn(self._log, count, limit)
        self._log.tell(count)
        self._learn_of_others(count)

    def refused(
        self,
        request: SentRequest,
        now: float,
        limit: int | None,
        seconds: float | None,
    ) -> None:
        """Learn from a 429: the window is full, whatever was known of it.

        Args:
            request: What `send` gave.
            now: The present.
            limit: As in `answered`.
            seconds: How long Gorgias asks to wait; None if it does not say.
        """
        self.limit = limit or self.limit
        self._log.answer(now)
        delay = self._dice.uniform(0.0, _LONGEST_DELAY_SECONDS)
        self._paused_until = max(self._paused_until, now + (seconds or 0.0) + delay)
        self._bursting = False
        self._recognition.restart()
        self._learn_of_others(Count(request.sent, now, self.limit))

    def _learn_of_others(self, count: Count) -> None:
        """Take what others used from a count.

        Each of their requests is kept for a window from when it was noticed, unless a
        later request shows that fewer are left.
        """
        window = self.window_seconds
        own = self._log.at_most(count.sent - window) - 1
        others = max(count.used - own, 0)
        self._unsure = 0
        if others >= _NOTICED:
            sure = self._log.at_least(count.answered - window, count.sent)
            self._unsure = own - sure
        more = others - len(self._others)
        if more > 0:
            self._others += [count.answered] * more
        elif count.sent >= self._others_told_at:
            del self._others[:-more]
        self._others_told_at = max(self._others_told_at, count.sent)

    def _seconds_to_room(self, now: float) -> float:
        """Return 0 if the window has room, or seconds until a request leaves it."""
        window = self.window_seconds + CLOCK_SECONDS
        begin = now - window
        others = len(self._others)
        theirs = others + self._unsure if others >= _NOTICED else 0
        full = self._log.at_most(begin) + theirs >= self.limit
        if not full and self._log.probably(begin) + 1 <= self._room(now):
            return 0.0
        leaving = [self._log.next_answered(begin), self._log.next_sent(begin)]
        leaving += self._others[:1]
        return _until(leaving, begin, window)

    def _seconds_to_share(self, now: float) -> float:
        """Return the same for the tap's share."""
        begin = now - self._share_seconds
        if self._log.at_most(begin) < max(int(self.share), 1):
            return 0.0
        return _until([self._log.next_answered(begin)], begin, self._share_seconds)

    @property
    def _share_seconds(self) -> float:
        """Time in which the share is used; longer than a window if it is below 1."""
        return self.window_seconds / min(self.share, 1.0) + CLOCK_SECONDS

    def _room(self, now: float) -> float:
        """Tell how many requests of its own the tap should have in the window."""
        others = len(self._others)
        if others < _NOTICED:
            room = float(self.limit - 1)
        else:
            own = self._log.probably(now - self.window_seconds)
            free = min(
                _FREE_PER_OWN_REQUEST * own,
                _FREE_PER_REQUEST_OF_OTHERS * others,
                _FREE_OF_LIMIT * self.limit,
            )
            room = self.limit - others - max(free, 1.0)
        return max(min(room, self.share), 1.0)

    def _turn(self, now: float) -> float:
        """Tell when the next request may leave, if requests are spread evenly."""
        begin = now - self.window_seconds
        own = self._log.probably(begin)
        if self._bursting:
            others = _ROOM_PER_REQUEST_OF_OTHERS * len(self._others)
            self._bursting = own < BURST * min(self.limit - 1 - others, self.share)
        if self._bursting or own == 0:
            return now
        room = self._room(now)
        gap = self.window_seconds / room
        # What a burst left over has to last until its places come back.
        leaves = self._log.next_sent(begin)
        if leaves is not None and own < room:
            until = leaves + self.window_seconds
            gap = max(gap, (until - self._last_turn) / (room - own + 1))
        return self._last_turn + gap


def _until(moments: list[float | None], begin: float, seconds: float) -> float:
    """Return seconds until the first of some moments leaves a window."""
    known = [moment for moment in moments if moment is not None]
    return min(known, default=begin + seconds) - begin
