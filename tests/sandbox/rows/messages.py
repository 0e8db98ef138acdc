"""Messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.dice import Dice
from tests.sandbox.rows.people import customer_stub, user_stub
from tests.sandbox.rows.phrases import SUBJECTS, text
from tests.sandbox.rows.secrets import PERFORMED_ACTION
from tests.sandbox.rows.tickets import Facts
from tests.sandbox.times import iso

if TYPE_CHECKING:
    from tests.sandbox.collection import Row
    from tests.sandbox.shop import Shop

_ATTACHMENT = {
    "url": "https://uploads.example.com/a1b2c3/photo.png",
    "name": "photo 📷.png",
    "size": 482_113,
    "content_type": "image/png",
    "public": False,
    "extra": None,
}


def message(shop: Shop, row_id: int, ticket_id: int, turn: int, created: int) -> Row:
    """Generate the message of a ticket at index `turn`; both sides alternate."""
    dice = Dice(shop.seed, "message", row_id)
    facts = Facts.of(shop, ticket_id)
    from_agent = (turn % 2 == 1) != facts.from_agent
    customer = customer_stub(shop, facts.customer_id)
    user = user_stub(shop, facts.user_id)
    ends = (user, customer) if from_agent else (customer, dice.maybe(80, user))
    body = text(dice)
    failed = from_agent and dice.chance(3)
    return {
        "id": row_id,
        "uri": f"/api/tickets/{ticket_id}/messages/{row_id}/",
        "message_id": dice.maybe(60, f"<{row_id}@mail.example.com>"),
        "ticket_id": ticket_id,
        "external_id": dice.maybe(10, f"ext-{row_id}"),
        "public": not (from_agent and dice.chance(10)),
        "channel": facts.channel,
        "via": "helpdesk" if from_agent else facts.channel,
        "source": _source(facts.channel, *ends),
        "sender": ends[0],
        "receiver": ends[1],
        "auth_customer_identity": {"service": "shopify", "identifier": str(row_id)}
        if dice.chance(3)
        else None,
        "integration_id": dice.maybe(50, 126_640),
        "rule_id": dice.maybe(3, 120977),
        "from_agent": from_agent,
        "intents": _intents(dice),
        "subject": dice.maybe(80, dice.pick(SUBJECTS)),
        "body_text": body,
        "body_html": "<p>" + body.replace("\n", "</p><p>") + "</p>",
        "stripped_text": dice.maybe(70, body),
        "stripped_html": None,
        "stripped_signature": dice.maybe(5, "Sent from my phone"),
        "headers": {"Message-Id": f"<{row_id}@mail.example.com>", "X-Priority": "3"}
        if facts.channel == "email"
        else None,
        "attachments": [_ATTACHMENT] if dice.chance(12) else dice.pick((None, [])),
        "macros": [{"id": 374_001}] if from_agent and dice.chance(20) else [],
        "actions": [
            {"name": "setStatus", "type": "user", "status": "success"},
            PERFORMED_ACTION,
        ]
        if from_agent and dice.chance(10)
        else None,
        "meta": dice.maybe(20, {"is_first_reply": turn == 1}),
        "imported": None,
        "created_datetime": iso(created),
        "processed_datetime": iso(created + 82_000),
        "sent_datetime": iso(created + 3_250_000)
        if from_agent and not failed
        else None,
        "failed_datetime": iso(created + 3_250_000) if failed else None,
        "deleted_datetime": iso(created + 9_000_000) if dice.chance(1) else None,
        "opened_datetime": None,
        "last_sending_error": {"error": "Mailbox unavailable"} if failed else None,
        "is_retriable": dice.pick((True, False, None)),
        "replied_by": _reply(user, row_id) if dice.chance(5) else None,
        "replied_to": _reply(customer, row_id) if dice.chance(5) else None,
    }


def _source(channel: str, sender: Row | None, receiver: Row | None) -> Row:
    """Generate the addresses; keys without a value are omitted."""
    if channel == "phone":
        return {"type": "phone"}
    source: Row = {"type": channel}
    if receiver:
        source["to"] = [{"name": receiver["name"], "address": receiver["email"]}]
    if sender:
        source["from"] = {"name": sender["name"], "address": sender["email"]}
    return source


def _intents(dice: Dice) -> list[Row]:
    """Generate the detected intents of a message."""
    if not dice.chance(25):
        return []
    return [{"name": "shipping/status", "rejected": False, "is_user_feedback": False}]


def _reply(stub: Row | None, row_id: int) -> Row:
    """Generate a reference to another message of the conversation."""
    return {
        "integration_id": None,
        "message_id": row_id,
        "created_datetime": "2026-06-01T10:00:00+00:00",
        "body_text": "👍",
        "source": {"type": "whatsapp"},
        "customer": stub,
        "user": None,
    }
