"""The generated shop: its collections and its clock."""

from __future__ import annotations

from functools import cache
from re import sub
from threading import RLock
from typing import TYPE_CHECKING, Literal

from tests.sandbox.desk import Customers, Messages, Surveys, Tickets
from tests.sandbox.dice import words
from tests.sandbox.event_types import FILTERABLE
from tests.sandbox.kinds import KINDS, SimpleCollections
from tests.sandbox.layout import Layout, timeline
from tests.sandbox.phone import VoiceCalls, call_events, call_recordings, phone_sizes
from tests.sandbox.times import DAY, iso, micros

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable

    from tests.sandbox.collection import Collection, Row

    Timestamps = Callable[[], array[int]]

Archived = Literal["documented", "recorded"]
TicketMerged = Literal["survivor", "vanished"]

_TICK = 1_009  # microseconds between two changes

_NAMES = {
    "Ticket": "tickets",
    "Customer": "customers",
    "TicketMessage": "messages",
    "SatisfactionSurvey": "satisfaction_surveys",
    "VoiceCall": "voice_calls",
    "VoiceCallEvent": "voice_call_events",
    "VoiceCallRecording": "voice_call_recordings",
    **{kind.object_type: name for name, kind in KINDS.items()},
}


class Shop(SimpleCollections):
    """A helpdesk account of any size; equal arguments generate equal rows.

    Args:
        seed: Determines the generated rows.
        tickets: The number of tickets.
        messages_per_ticket: The mean number of messages per ticket.
        customers: The number of customers.
        events: The number of events.
        satisfaction_surveys: The number of surveys, at most one per ticket.
        users: The number of users, including the bot.
        teams: The number of teams.
        tags: The number of tags.
        voice_calls: The number of phone calls, with 4 events each; half of them
            are recorded.
        custom_fields_archived: Whether custom fields requested without `archived`
            are the active ones, as documented, or all, as observed.
        ticket_merged: Which ticket the event of a merge names, which is unknown.
        now: The current time of the shop, which advances with each change.
        days: The number of days of history.
    """

    def __init__(  # noqa: PLR0913 - all are given by name
        self,
        *,
        seed: int = 1,
        tickets: int = 200,
        messages_per_ticket: float = 3.6,
        customers: int = 120,
        events: int = 400,
        satisfaction_surveys: int = 60,
        users: int = 12,
        teams: int = 3,
        tags: int = 25,
        voice_calls: int = 30,
        custom_fields_archived: Archived = "recorded",
        ticket_merged: TicketMerged = "survivor",
        now: str = "2026-11-02T08:00:00.500000+00:00",
        days: int = 180,
    ) -> None:
        self.lock = RLock()
        self.seed = seed
        self.custom_fields_archived = custom_fields_archived
        self.ticket_merged = ticket_merged
        self.timestamp = micros(now)
        self.end = self.timestamp
        self.start = self.timestamp - days * DAY
        self.layout = Layout(seed, tickets, messages_per_ticket, (self.start, self.end))
        self.sizes = {
            "tickets": tickets,
            "messages": self.layout.messages,
            "customers": customers,
            "events": events,
            "satisfaction_surveys": min(satisfaction_surveys, tickets),
            "users": users,
            "teams": teams,
            "tags": tags,
            **phone_sizes(voice_calls),
            **{name: kind.count for name, kind in KINDS.items() if kind.count},
        }
        self.tickets = Tickets(self)
        self.messages = Messages(self)
        self.customers = Customers(self)
        self.satisfaction_surveys = Surveys(self)
        self.voice_calls = VoiceCalls(self)
        self.voice_call_events = call_events(self)
        self.voice_call_recordings = call_recordings(self)

    @property
    def now(self) -> str:
        """The current time of the shop, as the API formats it."""
        return iso(self.timestamp)

    def tick(self) -> int:
        """Advance to the timestamp of the next change."""
        self.timestamp += _TICK
        return self.timestamp

    def advance(self, seconds: float) -> None:
        """Advance the shop's clock."""
        with self.lock:
            self.timestamp += round(seconds * 1_000_000)

    def by_object_type(self, object_type: str) -> Collection:
        """Return the collection of an object type, as named in events."""
        collection: Collection = getattr(self, self.name_of(object_type))
        return collection

    def name_of(self, object_type: str) -> str:
        """Return the name of the collection of an object type."""
        return _NAMES[object_type]

    def record_event(
        self, object_type: str, verb: str, object_id: int, data: Row | None = None
    ) -> None:
        """Add an event if there is a type for it."""
        prefix = sub("(?<=[a-z])(?=[A-Z])", "-", object_type).lower()
        kind = f"{prefix}-{verb}"
        if kind in FILTERABLE:
            self.events.create(
                object_type=object_type, object_id=object_id, type=kind, data=data
            )

    def history(self, name: str) -> tuple[Timestamps, Timestamps]:
        """Return functions for the created and updated timestamps of a collection.

        Both compute their result on first use. Half of the rows changed immediately
        after their creation, the other half later.
        """

        @cache
        def created() -> array[int]:
            return timeline(self.seed, name, self.start, self.end, self.sizes[name])

        @cache
        def updated() -> array[int]:
            timestamps = created()[:]
            chances = words(self.seed, f"{name} updated", len(timestamps))
            for position, word in enumerate(chances):
                left = self.end - timestamps[position]
                timestamps[position] += left * (word >> 48) >> 16 if word % 2 else 2_345
            return timestamps

        return created, updated
