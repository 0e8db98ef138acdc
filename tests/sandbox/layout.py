"""When everything in a freshly generated shop happened.

Time is cut into slots. Ticket t is created in slot t, and its further messages
arrive every `stride` slots. So a message's ticket, and a ticket's messages, are
found by arithmetic, however large the shop is.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import accumulate

from tests.sandbox.dice import words
from tests.sandbox.times import SECOND

_TIES = 20  # one row in so many shares the moment of the row before it
_WHOLE_SECONDS = 64  # one row in so many has no fraction of a second


def timeline(seed: int, name: str, start: int, end: int, count: int) -> array[int]:
    """Return moments spread over a period, which never go back."""
    gap = max((end - start) // max(count, 1), 1)
    moments = array("q")
    last = start
    for position, word in enumerate(words(seed, name, count)):
        if word % _TIES:
            moment = start + position * gap + (word >> 16) % gap
            if word % _WHOLE_SECONDS == 1:
                moment -= moment % SECOND
            if moment > last:  # noqa: PLR1730 - max() is slow a million times
                last = moment
        moments.append(last)
    return moments


class Layout:
    """The moments of all tickets and messages."""

    def __init__(
        self, seed: int, tickets: int, mean: float, period: tuple[int, int]
    ) -> None:
        """Lay out the tickets, with `mean` messages each on average."""
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
        """How many messages there are."""
        return self._first[-1]

    def updated(self, seed: int, now: int) -> array[int]:
        """Return when each ticket last changed: after its last message.

        Some were touched again later, and some of these by the same bulk action;
        the last of these was a while ago.
        """
        moments = array("q")
        slots, counts, stride = self.slots, self.counts, self.stride
        grid = max((now - slots[0]) // max(self.tickets // 100, 1), 1)
        last_bulk = now - grid // 2
        for ticket, word in enumerate(words(seed, "updated", self.tickets)):
            last = ticket + stride * max(counts[ticket] - 1, 0)
            moment = slots[last + 1] + 200_000 + word % 300_000
            fate = (word >> 32) % 100
            if fate < 4:
                if moment < last_bulk:
                    moment = last_bulk - (last_bulk - moment) // grid * grid
            elif fate < 30:
                moment += (now - moment) * (word >> 48) >> 16
            moments.append(moment)
        return moments

    def message_moments(self) -> array[int]:
        """Return the moments of all messages, which never go back."""
        moments = array("q")
        for slot in range(len(self.slots) - 1):
            first = self._first[slot]
            size = self._first[slot + 1] - first
            if size:
                start = self.slots[slot]
                step = (self.slots[slot + 1] - start) // (size + 1)
                moments.extend([start + step * rank for rank in range(size)])
        return moments

    def _of_slot(self, slot: int) -> list[int]:
        """Return which message (0 = first) of its ticket each of a slot's is."""
        return [
            turn
            for turn in range(self.longest)
            if 0 <= (ticket := slot - turn * self.stride) < self.tickets
            and self.counts[ticket] > turn
        ]

    def _moment(self, slot: int, rank: int) -> int:
        """Return the moment of a slot's message."""
        size = self._first[slot + 1] - self._first[slot]
        start = self.slots[slot]
        return start + (self.slots[slot + 1] - start) // (size + 1) * rank

    def message(self, position: int) -> tuple[int, int, int]:
        """Return a message's ticket, its turn in the ticket, and its moment."""
        slot = bisect_right(self._first, position) - 1
        rank = position - self._first[slot]
        turn = self._of_slot(slot)[rank]
        return slot - turn * self.stride, turn, self._moment(slot, rank)

    def message_at(self, ticket: int, turn: int) -> int:
        """Return the position of a ticket's message."""
        slot = ticket + turn * self.stride
        return self._first[slot] + self._of_slot(slot).index(turn)

    def moment_of(self, ticket: int, turn: int) -> int:
        """Return the moment of a ticket's message."""
        slot = ticket + turn * self.stride
        return self._moment(slot, self._of_slot(slot).index(turn))


def _message_counts(seed: int, tickets: int, mean: float) -> array[int]:
    """Return how many messages each ticket has: 1 and more, `mean` on average."""
    if mean < 1:
        chance = int(mean * 65_536)
        drawn = (word % 65_536 < chance for word in words(seed, "counts", tickets))
        return array("H", drawn)
    spread = int((2 * mean - 1) * 65_536)
    drawn_counts = words(seed, "counts", tickets)
    return array("H", [1 + (word % 65_536 * spread >> 32) for word in drawn_counts])
