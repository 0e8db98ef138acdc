"""Phone calls, their events and recordings."""

from __future__ import annotations

from abc import ABC
from http import HTTPStatus

from tap_gorgias.stream_types.replication import (
    CursorStream,
    FeedStream,
    OptionalStream,
)


class PhoneStream(OptionalStream, ABC):
    """A stream without rows if the account has no phone."""

    # The documentation does not say which scope covers the phone.
    scope = "tickets:read"
    unavailable_statuses = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
    unavailable_reason = "no phone, or a missing permission."


class PhoneFeedStream(PhoneStream, FeedStream, ABC):
    """A list that is always ordered newest first."""

    replication_key = "created_datetime"

    lookback = "voice_lookback"


class VoiceCallsStream(PhoneFeedStream):
    """A row for each phone call.

    Calls change until their recordings are processed, and the API cannot order them by
    their last change. A change after the look-back is not read.
    """

    name = "voice_calls"
    path = "/api/phone/voice-calls"


class VoiceCallEventsStream(PhoneStream, CursorStream):
    """A row for each step of a phone call, such as ringing or answering."""

    name = "voice_call_events"
    path = "/api/phone/voice-call-events"


class VoiceCallRecordingsStream(PhoneFeedStream):
    """A row for each recording or voicemail.

    A transcription or deletion after the look-back is not read.
    """

    name = "voice_call_recordings"
    path = "/api/phone/voice-call-recordings"
