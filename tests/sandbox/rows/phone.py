"""Phone calls, their events and their recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tests.sandbox.dice import Dice
from tests.sandbox.rows.tickets import Facts
from tests.sandbox.times import SECOND, iso

if TYPE_CHECKING:
    from tests.sandbox.collection import Row
    from tests.sandbox.shop import Shop

ACCOUNT_ID: Final = 41_507
_NUMBERS = ("+14791234567", "+33612345678", "+819012345678")
_COUNTRIES = ("US", "FR", "JP")


class Outcome(NamedTuple):
    """The result of a call and the types of its events."""

    status: str
    termination: str
    inbound: bool
    events: tuple[str, ...]
    duration: int = 0

    @property
    def answered(self) -> bool:
        """Whether the call was answered."""
        return self.termination == "answered"

    @classmethod
    def of(cls, shop: Shop, call_id: int) -> Outcome:
        """Generate the outcome of a call."""
        dice = Dice(shop.seed, "outcome", call_id)
        outcome = dice.pick(_OUTCOMES)
        return outcome._replace(duration=3 + dice.roll(600 if outcome.answered else 40))


_INCOMING = "incoming-phone-call"
_OUTGOING = "outgoing-phone-call"
_TALK = ("phone-call-answered", "phone-call-conversation-started")
_DONE = "completed-phone-call"
_OUTCOMES = (
    Outcome("completed", "answered", inbound=True, events=(_INCOMING, *_TALK, _DONE)),
    Outcome("completed", "answered", inbound=False, events=(_OUTGOING, *_TALK, _DONE)),
    Outcome(
        "missed",
        "missed",
        inbound=True,
        events=(_INCOMING, "message-played", "missed-phone-call", _DONE),
    ),
    Outcome(
        "completed",
        "abandoned",
        inbound=True,
        events=(_INCOMING, "message-played", "phone-call-forwarded", _DONE),
    ),
    Outcome(
        "no-answer",
        "cancelled",
        inbound=False,
        events=(_OUTGOING, "monitoring-updated", "missed-phone-call", _DONE),
    ),
)
EVENTS_PER_CALL: Final = 4
CALLS_PER_RECORDING: Final = 2
_META: tuple[str | Row | None, ...] = (
    "{}",
    "{}",
    {},
    None,
    {"integration": {"id": 126_661, "name": "Support line"}, "attempts": [1, 2]},
)


def call_row(row_id: int, created: int) -> Row:
    """Return the row of a call that has just come in."""
    number = row_id % len(_NUMBERS)
    return {
        "id": row_id,
        "integration_id": 126_661,
        "ticket_id": None,
        "phone_number_id": 4_001 + number,
        "external_id": f"CA{row_id:032x}",
        "provider": "twilio",
        "status": "in-progress",
        "direction": "inbound",
        "phone_number_source": _NUMBERS[number],
        "country_source": _COUNTRIES[number],
        "phone_number_destination": _NUMBERS[0],
        "country_destination": _COUNTRIES[0],
        "duration": None,
        "started_datetime": iso(created),
        "created_datetime": iso(created),
        "updated_datetime": iso(created),
        "initiated_by_agent_id": None,
        "last_answered_by_agent_id": None,
        "last_rang_agent_id": None,
        "customer_id": None,
        "has_voicemail": False,
        "has_call_recording": False,
        "summaries": None,
        "termination_status": None,
        "queue_id": None,
        "status_in_queue": None,
        "answered_by_external_number": None,
        "answered_by_external_customer_id": None,
        "monitoring_status": "none",
        "last_monitoring_agent_id": None,
    }


def voice_call(shop: Shop, row_id: int, ticket_id: int, created: int) -> Row:
    """Generate a call that has ended."""
    dice = Dice(shop.seed, "call", row_id)
    outcome = Outcome.of(shop, row_id)
    facts = Facts.of(shop, ticket_id)
    ended = min(created + outcome.duration * SECOND + 1_200_000, shop.end)
    recordings = shop.voice_call_recordings.of_call(row_id)
    summary = {
        "id": row_id + 9,
        "recording_id": recordings[0] if recordings else None,
        "summary": "The customer asks where the parcel is. 📦",
        "created_datetime": iso(ended),
    }
    empty: tuple[list[Row] | None, ...] = (None, [])
    agent, outside = facts.user_id, dice.chance(5)
    answered = outcome.answered and outcome.inbound
    return call_row(row_id, created) | {
        "ticket_id": dice.maybe(90, ticket_id),
        "status": outcome.status,
        "direction": "inbound" if outcome.inbound else "outbound",
        "duration": outcome.duration,
        "updated_datetime": dice.maybe(95, iso(ended)),
        "initiated_by_agent_id": None if outcome.inbound else agent,
        "last_answered_by_agent_id": agent if answered and not outside else None,
        "last_rang_agent_id": agent if outcome.inbound else None,
        "customer_id": shop.customers.survivor(facts.customer_id),
        "has_voicemail": bool(recordings) and not outcome.answered,
        "has_call_recording": bool(recordings) and outcome.answered,
        "summaries": [summary] if recordings and outcome.answered else dice.pick(empty),
        "termination_status": outcome.termination,
        "queue_id": dice.maybe(40, 142),
        "status_in_queue": dice.maybe(40, "answered" if answered else "timeout"),
        "answered_by_external_number": _NUMBERS[1] if answered and outside else None,
        "answered_by_external_customer_id": facts.customer_id
        if answered and outside
        else None,
        "monitoring_status": dice.pick(("none", "none", "listening", None)),
        "last_monitoring_agent_id": dice.maybe(10, agent),
    }


def call_event(shop: Shop, row_id: int, call_id: int, step: int, created: int) -> Row:
    """Generate an event of a call; meta is an object, or a string of one."""
    dice = Dice(shop.seed, "call event", row_id)
    events = Outcome.of(shop, call_id).events
    call = shop.voice_calls.row(call_id) if call_id in shop.voice_calls else {}
    return {
        "id": row_id,
        "type": events[step % len(events)],
        "account_id": ACCOUNT_ID,
        "call_id": call_id,
        "user_id": call.get("last_rang_agent_id"),
        "customer_id": call.get("customer_id"),
        "created_datetime": iso(created),
        "meta": dice.pick(_META),
    }


def call_recording(shop: Shop, row_id: int, call_id: int, created: int) -> Row:
    """Generate the recording or the voicemail of a call."""
    dice = Dice(shop.seed, "recording", row_id)
    outcome = Outcome.of(shop, call_id)
    kind = "call-recording" if outcome.answered else "voicemail"
    statuses = ("completed", "completed", "requested", "failed", "recording_too_short")
    deleted = dice.chance(10)
    return {
        "id": row_id,
        "call_id": call_id,
        "external_id": f"RE{row_id:032x}",
        "url": None if deleted else f"https://uploads.example.com/phone-{row_id}.mp3",
        "duration": outcome.duration,
        "type": kind,
        "created_datetime": iso(created),
        "deleted_datetime": iso(created + 40 * SECOND) if deleted else None,
        "deleted_by_user_id": shop.users.id_at(1) if deleted else None,
        "error_code": dice.maybe(5, "RECORDING_IS_PRIVATE"),
        "transcription_status": dice.pick(statuses),
    }
