"""The streams, one module for each family of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_gorgias.streams.account import (
    AccountSettingsStream,
    AccountStream,
    JobsStream,
)
from tap_gorgias.streams.details import CustomerDetailsStream, TicketDetailsStream
from tap_gorgias.streams.events import DeletionsStream, EventsStream
from tap_gorgias.streams.messages import MessagesStream, TicketMessagesStream
from tap_gorgias.streams.people import CustomersStream, TeamsStream, UsersStream
from tap_gorgias.streams.phone import (
    VoiceCallEventsStream,
    VoiceCallRecordingsStream,
    VoiceCallsStream,
)
from tap_gorgias.streams.setup import (
    CustomFieldsStream,
    IntegrationsStream,
    MacrosStream,
    RulesStream,
    WidgetsStream,
)
from tap_gorgias.streams.tickets import (
    SatisfactionSurveysStream,
    TagsStream,
    TicketsStream,
)
from tap_gorgias.streams.views import ViewItemsStream, ViewsStream

if TYPE_CHECKING:
    from tap_gorgias.stream_types.stream import GorgiasStream

STREAMS: tuple[type[GorgiasStream], ...] = (
    AccountStream,
    AccountSettingsStream,
    CustomFieldsStream,
    CustomerDetailsStream,
    CustomersStream,
    DeletionsStream,
    EventsStream,
    IntegrationsStream,
    JobsStream,
    MacrosStream,
    MessagesStream,
    RulesStream,
    SatisfactionSurveysStream,
    TagsStream,
    TeamsStream,
    TicketDetailsStream,
    TicketMessagesStream,
    TicketsStream,
    UsersStream,
    ViewItemsStream,
    ViewsStream,
    VoiceCallEventsStream,
    VoiceCallRecordingsStream,
    VoiceCallsStream,
    WidgetsStream,
)
