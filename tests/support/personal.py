"""Personal data: the marks in the schemas, and what docs/privacy.md makes of them."""

from __future__ import annotations

import json
import textwrap
from importlib import resources
from typing import TYPE_CHECKING, Any

from tap_gorgias import schemas
from tap_gorgias.streams import STREAMS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tests.sandbox import Shop
    from tests.sandbox.collection import Row

NULL = "__NULL__"
PERSONAL = "x-personal"
KINDS = {"person": "persons", "text": "texts"}

TEXT = "The parcel of Zebediah never arrived"
EMAIL = "Zebediah.Quillfeather@Example.COM"
PLANTED = ("Zebediah", "Quillfeather", "zebediah", "+15550199123", "198.51.100.77")
"""A name, an address in any case, a phone number and an IP address, also in texts."""
AGENT = "Ottoline"
"""The name of an agent, who answers the customer."""


def marks(stream: str) -> dict[str, list[str]]:
    """Return the kinds of personal data in each column of a stream."""
    file = resources.files(schemas) / f"{stream}.json"
    properties = json.loads(file.read_text("utf-8"))["properties"]
    return {name: node.get(PERSONAL, []) for name, node in properties.items()}


def columns(stream: str, kinds: Collection[str] = KINDS) -> list[str]:
    """Return the columns of a stream that contain any of these kinds."""
    found = marks(stream).items()
    return [name for name, has in found if not set(kinds).isdisjoint(has)]


def rows_of_table() -> str:
    """Return the table of streams and their columns with personal data."""
    lines = ["| stream | about persons | texts |", "| --- | --- | --- |"]
    for stream in STREAMS:
        if columns(stream.name):
            cells = [
                ", ".join(f"`{name}`" for name in columns(stream.name, [kind])) or "-"
                for kind in KINDS
            ]
            lines.append(f"| `{stream.name}` | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


def _hash(address: str) -> str:
    return f"sha256(config['salt'] + {address}.strip().lower()) if {address} else None"


def _stub(prefix: str, *, address: bool) -> dict[str, str]:
    """Return the columns that replace an object of a person."""
    name = {"assignee": "assignee_user"}.get(prefix, prefix)
    email = f"{name}.get('email')"
    has_id = f"{name} and {name}.get('id')"
    kept = {f"{name}_id": f"int({name}['id']) if {has_id} else None"}
    if address:
        kept[f"{prefix}_email"] = (
            f"sha256(config['salt'] + {email}.strip().lower()) "
            f"if {name} and {email} else None"
        )
    return kept


_STUBS = ("assignee", "customer", "receiver", "sender")


def stream_map(stream: str, kinds: Collection[str]) -> dict[str, str]:
    """Return the map that removes these kinds of personal data from a stream.

    Ids remain, and so do hashes of addresses.
    """
    removed = columns(stream, kinds)
    kept: dict[str, str] = {}
    for prefix in _STUBS:
        name = {"assignee": "assignee_user"}.get(prefix, prefix)
        if name in removed and stream != "customer_details":
            kept |= _stub(prefix, address="person" in kinds)
    if "email" in removed:
        kept["email"] = _hash("email")
        removed.remove("email")
    kept = {name: one for name, one in kept.items() if name not in marks(stream)} | {
        name: one for name, one in kept.items() if name == "email"
    }
    return kept | dict.fromkeys(removed, NULL)


def level(kinds: Collection[str]) -> dict[str, Any]:
    """Return the settings that remove these kinds of personal data from all streams."""
    maps = {stream.name: stream_map(stream.name, kinds) for stream in STREAMS}
    settings: dict[str, Any] = {"stream_maps": {k: v for k, v in maps.items() if v}}
    if "person" in kinds:
        settings["stream_map_config"] = {"salt": "a long random text"}
    return settings


def written(settings: Mapping[str, Any]) -> str:
    """Return the settings as JSON, with several removed columns in a line."""
    blocks = []
    for stream, mapped in settings["stream_maps"].items():
        kept = [
            f"      {json.dumps(name)}: {json.dumps(value)},"
            for name, value in mapped.items()
            if value != NULL
        ]
        removed = [
            f'"{name}":\N{NO-BREAK SPACE}"{NULL}"'
            for name, value in mapped.items()
            if value == NULL
        ]
        lines = [*kept, *_wrapped(", ".join(removed), " " * 6)]
        text = "\n".join(lines).replace("\N{NO-BREAK SPACE}", " ").rstrip(",")
        blocks.append(f'    "{stream}": {{\n{text}\n    }}')
    parts = ['  "stream_maps": {\n' + ",\n".join(blocks) + "\n  }"]
    if "stream_map_config" in settings:
        config = json.dumps(settings["stream_map_config"])
        parts.insert(0, f'  "stream_map_config": {config}')
    text = "{\n" + ",\n".join(parts) + "\n}"
    assert json.loads(text) == settings
    return f"```json\n{text}\n```"


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, 94, initial_indent=indent, subsequent_indent=indent)


OF_CUSTOMER = {
    "tickets": "id IN (SELECT id FROM erased_tickets)",
    "ticket_details": "id IN (SELECT id FROM erased_tickets) OR id IN (\n"
    "  SELECT ticket_id FROM gorgias.ticket_messages\n"
    "  WHERE id IN (SELECT id FROM erased_messages)\n)",
    "view_items": "item_type = 'ticket' AND id IN (SELECT id FROM erased_tickets)",
    "ticket_messages": "id IN (SELECT id FROM erased_messages)",
    "messages": "id IN (SELECT id FROM erased_messages)",
    "satisfaction_surveys": "customer_id IN (SELECT id FROM erased_customers)\n"
    "  OR ticket_id IN (SELECT id FROM erased_tickets)",
    "voice_calls": "customer_id IN (SELECT id FROM erased_customers)\n"
    "  OR ticket_id IN (SELECT id FROM erased_tickets)",
    "voice_call_events": "customer_id IN (SELECT id FROM erased_customers)",
    "voice_call_recordings": "call_id IN (\n  SELECT id FROM gorgias.voice_calls\n"
    "  WHERE customer_id IN (SELECT id FROM erased_customers)\n)",
    "events": "object_type = 'Customer'\n"
    "  AND object_id IN (SELECT id FROM erased_customers)\n"
    "  OR object_type = 'Ticket' AND object_id IN (SELECT id FROM erased_tickets)",
}
"""Which rows of a stream belong to an erased customer."""


def erasure() -> str:
    """Return the statements that empty the columns with personal data of a customer."""
    statements = []
    for stream, condition in OF_CUSTOMER.items():
        emptied = ", ".join(f"{name} = NULL" for name in columns(stream))
        update = f"UPDATE gorgias.{stream} SET {emptied}"  # noqa: S608
        lines = textwrap.wrap(update, 94)
        statements.append("\n  ".join(lines) + f"\nWHERE {condition};")
    return "```sql\n-- DuckDB, PostgreSQL, SQLite\n" + "\n".join(statements) + "\n```"


def plant(shop: Shop) -> int:
    """Write a person into every object that can contain one; return the customer."""
    customer, ticket = shop.customers.ids()[3], shop.tickets.ids()[2]
    person: Row = {
        "email": EMAIL,
        "name": "Zebediah Quillfeather",
        "firstname": "Zebediah",
        "lastname": "Quillfeather",
        "external_id": "zebediah-1",
    }
    more: Row = {
        "note": TEXT,
        "meta": {"phone": PLANTED[3]},
        "data": {"ip": PLANTED[4]},
    }
    fields = {"1": {"id": 1, "value": TEXT}}
    shop.customers.update(customer, **person, **more, custom_fields=fields)
    agent: Row = {"email": f"{AGENT}@example.com", "name": f"{AGENT} Lee"}
    agent |= {"firstname": AGENT, "lastname": AGENT, "external_id": AGENT}
    shop.users.update(shop.users.ids()[2], **agent, bio=AGENT, meta={"of": AGENT})
    stub = {"id": customer, **person, "meta": more["meta"]}
    shop.tickets.update(
        ticket,
        customer=stub,
        subject=TEXT,
        excerpt=TEXT,
        meta={"text": TEXT},
        custom_fields=fields,
        assignee_user={"id": shop.users.ids()[2], **agent},
        summary={"content": TEXT, "triggered_by": None},
    )
    names = ("subject", "body_text", "body_html", "stripped_text", "stripped_html")
    texts: Row = dict.fromkeys((*names, "stripped_signature"), TEXT)
    for message in shop.messages.ids()[:40]:
        shop.messages.update(
            message,
            **texts,
            from_agent=False,
            sender=stub,
            receiver=stub,
            source={"type": "email", "from": {"name": "Zebediah", "address": EMAIL}},
            headers={"From": EMAIL},
            meta={"text": TEXT},
            message_id=f"<{EMAIL}>",
            auth_customer_identity={"identifier": EMAIL},
            attachments=[{"name": "Zebediah.pdf", "url": "https://a.example/Zebediah"}],
            actions=[{"name": "setResponseText", "arguments": {"body_text": TEXT}}],
            last_sending_error={"error": TEXT},
            replied_by={"body_text": TEXT, "customer": stub},
        )
    for survey in shop.satisfaction_surveys.ids()[:5]:
        shop.satisfaction_surveys.update(
            survey, body_text=TEXT, meta={"by": EMAIL}, ticket_id=ticket
        )
    for call in shop.voice_calls.ids()[:5]:
        shop.voice_calls.update(
            call,
            customer_id=customer,
            phone_number_source=PLANTED[3],
            phone_number_destination=PLANTED[3],
            answered_by_external_number=PLANTED[3],
            summaries=[{"id": 1, "recording_id": 1, "summary": TEXT}],
        )
    others: dict[str, Row] = {
        "events": {"data": {"ip": PLANTED[4], "email": EMAIL}, "object_id": customer}
        | {"object_type": "Customer", "type": "customer-updated"},
        "integrations": {
            "name": EMAIL,
            "description": TEXT,
            "meta": {"address": EMAIL},
        },
        "jobs": {"params": {"q": EMAIL}, "info": {"text": TEXT}, "meta": {"by": EMAIL}},
        "macros": {"actions": [{"arguments": {"body_text": TEXT}}]},
        "rules": {"code": f"'{TEXT}'", "settings": {"text": TEXT}},
        "views": {"search": TEXT, "filters": f"eq(ticket.customer.email, '{EMAIL}')"},
    }
    for name, values in others.items():
        rows = getattr(shop, name)
        rows.update(rows.ids()[-1], **values)
    return customer


def found_in(text: str) -> set[str]:
    """Return the planted values in a text."""
    return {value for value in (*PLANTED, AGENT, TEXT) if value in text}
