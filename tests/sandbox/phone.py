"""The phone's collections: calls, their events and their recordings."""

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

_PACE = 15 * SECOND  # maximum time between two events of a call


def phone_sizes(calls: int) -> dict[str, int]:
    """Return the number of rows of each collection for a number of calls."""
    return {
        "voice_calls": calls,
        "voice_call_events": calls * EVENTS_PER_CALL,
        "voice_call_recordings": calls // CALLS_PER_RECORDING,
    }


class VoiceCalls(Collection):
    """The calls, distributed over the tickets."""

    def __init__(self, shop: Shop) -> None:
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
            make_new=call_row,
            timestamps={"created_datetime": created},
        )

    def of_ticket(self, ticket_id: int) -> list[int]:
        """Return the ids of all calls that may belong to a ticket."""
        stored_rows = {
            row["id"] for row in self.stored_rows() if row["ticket_id"] == ticket_id
        }
        position = self._shop.tickets.position_of(ticket_id)
        if position is None:
            return sorted(stored_rows)
        tickets, count = self._shop.layout.tickets, self._count
        first, end = (-(-n * count // tickets) for n in (position, position + 1))
        return sorted(stored_rows | {self.id_at(n) for n in range(first, end)})


class CallParts(Collection):
    """Rows that belong to calls: a fixed number for every n-th call.

    Args:
        shop: The shop that they belong to.
        name: The name of the collection.
        object_type: The name of the object type.
        first_id: The id of the first one.
        make: Builds a row.
        each: The number of parts of a call.
        every: The distance between two calls that have parts.
        delay: The number of steps between the call and its first part.
    """

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
        self._each, self._every = each, every
        count = shop.sizes[name]

        @cache
        def created() -> array[int]:
            calls = shop.history("voice_calls")[0]()
            timestamps = array("q")
            for call, step in map(self._place, range(count)):
                start = calls[call]
                end = calls[call + 1] if call + 1 < len(calls) else shop.end
                share = (end - start) // (each + delay + 1)
                timestamps.append(start + min(_PACE, share) * (step + delay))
            return timestamps

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
            make_new=lambda row_id, timestamp: make(shop, row_id, 0, 0, timestamp),
            timestamps={"created_datetime": created},
        )

    def _place(self, position: int) -> tuple[int, int]:
        """Return a part's call and its index within the call."""
        call, step = divmod(position, self._each)
        return call * self._every + self._every - 1, step

    def of_call(self, call_id: int) -> list[int]:
        """Return the ids of a call's parts, oldest first."""
        stored_rows = {
            row["id"] for row in self.stored_rows() if row["call_id"] == call_id
        }
        position = self._shop.voice_calls.position_of(call_id)
        if position is not None and (position + 1) % self._every == 0:
            first = position // self._every * self._each
            stored_rows |= {self.id_at(n) for n in range(first, first + self._each)}
        return sorted(row_id for row_id in stored_rows if row_id in self)

    @override
    def create(self, call_id: int = 0, **fields: Any) -> int:
        """Add a part to a call; a recording updates the call too."""
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
