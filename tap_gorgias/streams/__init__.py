"""The streams, one module for each family of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_gorgias.streams import (
    account,
    events,
    messages,
    people,
    phone,
    setup,
    tickets,
    views,
)

if TYPE_CHECKING:
    from tap_gorgias.stream_types.stream import GorgiasStream

STREAMS: tuple[type[GorgiasStream], ...] = (
    account.AccountStream,
    account.AccountSettingsStream,
    setup.CustomFieldsStream,
    people.CustomerDetailsStream,
    people.CustomersStream,
    events.DeletionsStream,
    events.EventsStream,
    setup.IntegrationsStream,
    account.JobsStream,
    setup.MacrosStream,
    messages.MessagesStream,
    setup.RulesStream,
    tickets.SatisfactionSurveysStream,
    tickets.TagsStream,
    people.TeamsStream,
    tickets.TicketDetailsStream,
    messages.TicketMessagesStream,
    tickets.TicketsStream,
    people.UsersStream,
    views.ViewItemsStream,
    views.ViewsStream,
    phone.VoiceCallEventsStream,
    phone.VoiceCallRecordingsStream,
    phone.VoiceCallsStream,
    setup.WidgetsStream,
)
