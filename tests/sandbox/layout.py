"""Timestamps of all tickets and messages of a newly generated shop.

Time is divided into slots. Ticket t is created in slot t, and its further messages
arrive every `stride` slots. The ticket of a message and the messages of a ticket can
therefore be computed, however large the shop is.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import accumulate

from tests.sandbox.dice import words
from tests.sandbox.times import SECOND

_TIES = 20  # one row in this many shares the timestamp of the row before it
_WHOLE_SECONDS = 64  # one row in this many has no fraction of a second


def timeline(seed: int, name: str, start: int, end: int, count: int) -> array[int]:
    """Return ascending timestamps spread over a period."""
    gap = max((end - start) // max(count, 1), 1)
    timestamps = array("q")
    last = start
    for position, word in enumerate(words(seed, name, count)):
        if word % _TIES:
            timestamp = start + position * gap + (word >> 16) % gap
            if word % _WHOLE_SECONDS == 1:
                timestamp -= timestamp % SECOND
            if timestamp > last:  # noqa: PLR1730 - max() is slow a million times
                last = timestamp
        timestamps.append(last)
    return timestamps


class Layout:
    """The timestamps of all tickets and messages."""

    def __init__(
        self, seed: int, tickets: int, mean: float, period: tuple[int, int]
    ) -> None:
        """Distribute the tickets, with `mean` messages each on average."""
        start, end = period
        self.tickets = tickets
        self.stride = max(1, tickets // 200)
        self.counts = _message_counts(seed, tickets, mean)
        self.longest = max(self.counts, default=0)
        slots = tickets + self.stride * self.longest + 2
        self.slots = timeline(seed, "slots", start, end - 10 * SECOND, slots)
        self._first = self._first_positions(slots)

    def _first_positions(self, slots: int) -> array[int]:
        """Return the position of each slot's first message."""
        sizes = array("q", bytes(8 * (slots + 1)))
        stride = self.stride
        for ticket, count in enumerate(self.counts):
            for slot in range(ticket, ticket + stride * count, stride):
                sizes[slot + 1] += 1
        return array("q", accumulate(sizes))

    @property
    def messages(self) -> int:
        """The number of messages."""
        return self._first[-1]

    def updated(self, seed: int, now: int) -> array[int]:
        """Return when each ticket last changed, which is after its last message.

        Some tickets changed again later. Of those, some changed in a bulk action and
        therefore share a timestamp; the last bulk action was some time ago.
        """
        timestamps = array("q")
        slots, counts, stride = self.slots, self.counts, self.stride
        grid = max((now - slots[0]) // max(self.tickets // 100, 1), 1)
        last_bulk = now - grid // 2
        for ticket, word in enumerate(words(seed, "updated", self.tickets)):
            last = ticket + stride * max(counts[ticket] - 1, 0)
            timestamp = slots[last + 1] + 200_000 + word % 300_000
            fate = (word >> 32) % 100
            if fate < 4:
                if timestamp < last_bulk:
                    timestamp = last_bulk - (last_bulk - timestamp) // grid * grid
            elif fate < 30:
                timestamp += (now - timestamp) * (word >> 48) >> 16
            timestamps.append(timestamp)
        return timestamps

    def message_timestamps(self) -> array[int]:
        """Return the ascending timestamps of all messages."""
        timestamps = array("q")
        for slot in range(len(self.slots) - 1):
            first = self._first[slot]
            size = self._first[slot + 1] - first
            if size:
                start = self.slots[slot]
                step = (self.slots[slot + 1] - start) // (size + 1)
                timestamps.extend([start + step * rank for rank in range(size)])
        return timestamps

    def _of_slot(self, slot: int) -> list[int]:
        """Return the index within its ticket (0 = first) of each message in a slot."""
        return [
            turn
            for turn in range(self.longest)
            if 0 <= (ticket := slot - turn * self.stride) < self.tickets
            and self.counts[ticket] > turn
        ]

    def _timestamp(self, slot: int, rank: int) -> int:
        """Return the timestamp of a slot's message."""
        size = self._first[slot + 1] - self._first[slot]
        start = self.slots[slot]
        return start + (self.slots[slot + 1] - start) // (size + 1) * rank

    def message(self, position: int) -> tuple[int, int, int]:
        """Return a message's ticket, its index in the ticket, and its timestamp."""
        slot = bisect_right(self._first, position) - 1
        rank = position - self._first[slot]
        turn = self._of_slot(slot)[rank]
        return slot - turn * self.stride, turn, self._timestamp(slot, rank)

    def message_at(self, ticket: int, turn: int) -> int:
        """Return the position of a ticket's message."""
        slot = ticket + turn * self.stride
        return self._first[slot] + self._of_slot(slot).index(turn)

    def timestamp_of(self, ticket: int, turn: int) -> int:
        """Return the timestamp of a ticket's message."""
        slot = ticket + turn * self.stride
        return self._timestamp(slot, self._of_slot(slot).index(turn))


def _message_counts(seed: int, tickets: int, mean: float) -> array[int]:
    """Return how many messages each ticket has; `mean` on average."""
    if mean < 1:
        chance = int(mean * 65_536)
        drawn = (word % 65_536 < chance for word in words(seed, "counts", tickets))
        return array("H", drawn)
    spread = int((2 * mean - 1) * 65_536)
    drawn_counts = words(seed, "counts", tickets)
    return array("H", [1 + (word % 65_536 * spread >> 32) for word in drawn_counts])
