"""Phone calls, and what belongs to them."""

from __future__ import annotations

from abc import ABC
from http import HTTPStatus
from typing import TYPE_CHECKING

from tap_gorgias.compat import override
from tap_gorgias.replication.walks import FEED_OVERLAP
from tap_gorgias.stream_types.optional import OptionalStream
from tap_gorgias.stream_types.replication import CursorStream, FeedStream

if TYPE_CHECKING:
    from datetime import timedelta


class PhoneStream(OptionalStream, ABC):
    """A stream that has no rows if the merchant does not use the phone."""

    # Which scope covers the phone is not documented.
    scope = "tickets:read"
    unavailable_statuses = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
    unavailable_reason = (
        "probably because the account has no phone. If it has, check the permissions "
        "of the API key or app."
    )


class PhoneFeedStream(PhoneStream, FeedStream, ABC):
    """A list that comes newest first, without being asked to."""

    replication_key = "created_datetime"

    @property
    @override
    def overlap(self) -> timedelta:
        return max(FEED_OVERLAP, self.run.settings.voice_lookback)


class VoiceCallsStream(PhoneFeedStream):
    """A row for each phone call.

    Calls change until their recordings are processed, and cannot be ordered by their
    last change. A change behind the look-back is not seen.
    """

    name = "voice_calls"
    path = "/api/phone/voice-calls"


class VoiceCallEventsStream(PhoneStream, CursorStream):
    """A row for each step of a phone call, such as ringing or answering."""

    name = "voice_call_events"
    path = "/api/phone/voice-call-events"


class VoiceCallRecordingsStream(PhoneFeedStream):
    """A row for each recording or voicemail.

    A transcription or deletion behind the look-back is not seen.
    """

    name = "voice_call_recordings"
    path = "/api/phone/voice-call-recordings"
