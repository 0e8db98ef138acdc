"""The phone's collections: calls, and what belongs to them."""

from __future__ import annotations

from array import array
from functools import cache
from typing import TYPE_CHECKING, Any

from tests.sandbox.collection import Collection, Row
from tests.sandbox.compat import override
from tests.sandbox.rows.phone import (
    CALLS_PER_RECORDING,
    EVENTS_PER_CALL,
    call_event,
    call_recording,
    call_row,
    voice_call,
)
from tests.sandbox.times import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.shop import Shop

    Make = Callable[[Shop, int, int, int, int], Row]  # id, call, step, created

_PACE = 15 * SECOND  # from one event of a call to the next, at most


def phone_sizes(calls: int) -> dict[str, int]:
    """Return how many rows there are for so many calls."""
    return {
        "voice_calls": calls,
        "voice_call_events": calls * EVENTS_PER_CALL,
        "voice_call_recordings": calls // CALLS_PER_RECORDING,
    }


class VoiceCalls(Collection):
    """The calls, spread over the tickets."""

    def __init__(self, shop: Shop) -> None:
        """Generate the calls of a shop."""
        created, _ = shop.history("voice_calls")
        count = shop.sizes["voice_calls"]
        super().__init__(
            shop,
            "VoiceCall",
            first_id=5_100_001,
            count=count,
            make=lambda n, row_id: voice_call(
                shop,
                row_id,
                shop.tickets.id_at(n * shop.layout.tickets // count),
                created()[n],
            ),
            fresh=call_row,
            moments={"created_datetime": created},
        )

    def of_ticket(self, ticket_id: int) -> list[int]:
        """Return the ids of calls that may be a ticket's, and maybe others."""
        kept = {row["id"] for row in self.kept() if row["ticket_id"] == ticket_id}
        position = self._shop.tickets.position_of(ticket_id)
        if position is None:
            return sorted(kept)
        tickets, count = self._shop.layout.tickets, self._count
        first, end = (-(-n * count // tickets) for n in (position, position + 1))
        return sorted(kept | {self.id_at(n) for n in range(first, end)})


class CallParts(Collection):
    """What belongs to calls: the same number of every call, or of every n-th."""

    def __init__(
        self,
        shop: Shop,
        name: str,
        object_type: str,
        *,
        first_id: int,
        make: Make,
        each: int = 1,
        every: int = 1,
        delay: int = 0,
    ) -> None:
        """Generate the parts.

        Args:
            shop: The shop they belong to.
            name: The name of the collection.
            object_type: The name of the kind.
            first_id: The id of the first one.
            make: Builds a row.
            each: How many parts a call has.
            every: Only one in so many calls has them.
            delay: How many steps the first part comes after the call.
        """
        self._each, self._every = each, every
        count = shop.sizes[name]

        @cache
        def created() -> array[int]:
            calls = shop.history("voice_calls")[0]()
            moments = array("q")
            for call, step in map(self._place, range(count)):
                start = calls[call]
                end = calls[call + 1] if call + 1 < len(calls) else shop.end
                share = (end - start) // (each + delay + 1)
                moments.append(start + min(_PACE, share) * (step + delay))
            return moments

        def generated(position: int, row_id: int) -> Row:
            call, step = self._place(position)
            call_id = shop.voice_calls.id_at(call)
            return make(shop, row_id, call_id, step, created()[position])

        super().__init__(
            shop,
            object_type,
            first_id=first_id,
            count=count,
            make=generated,
            fresh=lambda row_id, moment: make(shop, row_id, 0, 0, moment),
            moments={"created_datetime": created},
        )

    def _place(self, position: int) -> tuple[int, int]:
        """Return a part's call, and its number in the call."""
        call, step = divmod(position, self._each)
        return call * self._every + self._every - 1, step

    def of_call(self, call_id: int) -> list[int]:
        """Return the ids of a call's parts, oldest first."""
        kept = {row["id"] for row in self.kept() if row["call_id"] == call_id}
        position = self._shop.voice_calls.position_of(call_id)
        if position is not None and (position + 1) % self._every == 0:
            first = position // self._every * self._each
            kept |= {self.id_at(n) for n in range(first, first + self._each)}
        return sorted(row_id for row_id in kept if row_id in self)

    @override
    def create(self, call_id: int = 0, **fields: Any) -> int:
        """Add a part to a call; a recording changes the call as well."""
        with self._shop.lock:
            self._shop.voice_calls.row(call_id)  # fails if there is no such call
            row_id = super().create(call_id=call_id, **fields)
            kind = self.row(row_id)["type"]
            if self.object_type == "VoiceCallRecording":
                flag = "has_voicemail" if kind == "voicemail" else "has_call_recording"
                self._shop.voice_calls.update(call_id, **{flag: True})
            return row_id


def call_events(shop: Shop) -> CallParts:
    """Generate the events of a shop's calls."""
    return CallParts(
        shop,
        "voice_call_events",
        "VoiceCallEvent",
        first_id=77_300_001,
        make=call_event,
        each=EVENTS_PER_CALL,
    )


def call_recordings(shop: Shop) -> CallParts:
    """Generate the recordings of a shop's calls."""
    return CallParts(
        shop,
        "voice_call_recordings",
        "VoiceCallRecording",
        first_id=3_020_001,
        make=lambda shop, row_id, call_id, _, created: call_recording(
            shop, row_id, call_id, created
        ),
        every=CALLS_PER_RECORDING,
        delay=EVENTS_PER_CALL,
    )
