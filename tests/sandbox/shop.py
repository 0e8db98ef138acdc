"""The generated shop: its collections and its clock."""

from __future__ import annotations

from functools import cache
from re import sub
from threading import RLock
from typing import TYPE_CHECKING, Literal

from tests.sandbox.desk import Customers, Messages, Surveys, Tickets
from tests.sandbox.dice import words
from tests.sandbox.event_types import FILTERABLE
from tests.sandbox.kinds import FEW, KINDS
from tests.sandbox.layout import Layout, timeline
from tests.sandbox.phone import VoiceCalls, call_events, call_recordings, phone_sizes
from tests.sandbox.times import DAY, iso, micros

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable

    from tests.sandbox.collection import Collection, Row

    Moments = Callable[[], array[int]]

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


class Shop:
    """A helpdesk account with as many rows as wanted, the same for a seed."""

    custom_fields: Collection
    events: Collection
    integrations: Collection
    jobs: Collection
    macros: Collection
    rules: Collection
    tags: Collection
    teams: Collection
    users: Collection
    views: Collection
    widgets: Collection

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
        """Generate the shop.

        Args:
            seed: Another seed gives another shop of the same size.
            tickets: How many tickets there are.
            messages_per_ticket: How many messages a ticket has on average.
            customers: How many customers there are.
            events: How many events there are.
            satisfaction_surveys: How many surveys there are (one per ticket).
            users: How many users there are, the bot among them.
            teams: How many teams there are.
            tags: How many tags there are.
            voice_calls: How many phone calls there are, with 4 events each; half
                of them are recorded.
            custom_fields_archived: What a list of custom fields holds that is not
                told: the active ones, as documented once, or all, as recorded.
            ticket_merged: Which ticket the event of a merge is about; nobody knows.
            now: The present of the shop; only changes to the shop move it.
            days: How many days of history there are.
        """
        self.lock = RLock()
        self.seed = seed
        self.custom_fields_archived = custom_fields_archived
        self.ticket_merged = ticket_merged
        self.moment = micros(now)
        self.end = self.moment
        self.start = self.moment - days * DAY
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
            **FEW,
        }
        self.tickets = Tickets(self)
        self.messages = Messages(self)
        self.customers = Customers(self)
        self.satisfaction_surveys = Surveys(self)
        self.voice_calls = VoiceCalls(self)
        self.voice_call_events = call_events(self)
        self.voice_call_recordings = call_recordings(self)
        self._generate("events", "users", "teams", "tags", *FEW)

    def _generate(self, *names: str) -> None:
        """Generate the collections that are in the table."""
        for name in names:
            setattr(self, name, KINDS[name].collection(self, name))

    @property
    def now(self) -> str:
        """The present of the shop, as the API writes it."""
        return iso(self.moment)

    def tick(self) -> int:
        """Let the moment of the next change come."""
        self.moment += _TICK
        return self.moment

    def advance(self, seconds: float) -> None:
        """Let time pass in the shop."""
        with self.lock:
            self.moment += round(seconds * 1_000_000)

    def by_object_type(self, object_type: str) -> Collection:
        """Return the collection of a kind of object named as in events."""
        collection: Collection = getattr(self, self.name_of(object_type))
        return collection

    def name_of(self, object_type: str) -> str:
        """Return the name of a collection of this shop."""
        return _NAMES[object_type]

    def record_event(
        self, object_type: str, verb: str, object_id: int, data: Row | None = None
    ) -> None:
        """Add an event, if there is a type for it."""
        prefix = sub("(?<=[a-z])(?=[A-Z])", "-", object_type).lower()
        kind = f"{prefix}-{verb}"
        if kind in FILTERABLE:
            self.events.create(
                object_type=object_type, object_id=object_id, type=kind, data=data
            )

    def history(self, name: str) -> tuple[Moments, Moments]:
        """Return when a collection's rows were created and last changed.

        Both are worked out when first asked for. Half of the rows changed at
        once, half later.
        """

        @cache
        def created() -> array[int]:
            return timeline(self.seed, name, self.start, self.end, self.sizes[name])

        @cache
        def updated() -> array[int]:
            moments = created()[:]
            chances = words(self.seed, f"{name} updated", len(moments))
            for position, word in enumerate(chances):
                left = self.end - moments[position]
                moments[position] += left * (word >> 48) >> 16 if word % 2 else 2_345
            return moments

        return created, updated
