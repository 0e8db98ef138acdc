"""The streams, one module for each family of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_gorgias.streams.account import AccountStream
from tap_gorgias.streams.events import EventsStream
from tap_gorgias.streams.people import CustomersStream, TeamsStream, UsersStream
from tap_gorgias.streams.tickets import (
    MessagesStream,
    SatisfactionSurveysStream,
    TagsStream,
    TicketsStream,
)

if TYPE_CHECKING:
    from tap_gorgias.stream import GorgiasStream

STREAMS: tuple[type[GorgiasStream], ...] = (
    AccountStream,
    CustomersStream,
    EventsStream,
    MessagesStream,
    SatisfactionSurveysStream,
    TagsStream,
    TeamsStream,
    TicketsStream,
    UsersStream,
)
