"""The configuration of an account: macros, integrations, jobs and the like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.sandbox.dice import Dice
from tests.sandbox.rows.phrases import LANGUAGES, SENTENCES
from tests.sandbox.rows.secrets import (
    BUTTON,
    EXPORT_URL,
    FORM,
    HEADERS,
    HMAC_SECRET,
    HTTP_ACTION,
    OAUTH2,
    WEBHOOK_URL,
)
from tests.sandbox.times import SECOND, iso

if TYPE_CHECKING:
    from tests.sandbox.collection import Row
    from tests.sandbox.shop import Shop

JOB_TYPES: Final = (
    "applyMacro",
    "deleteTicket",
    "exportTicket",
    "importMacro",
    "exportMacro",
    "updateTicket",
    "exportTicketDrilldown",
    "exportConvertCampaignSalesDrilldown",
)
JOB_STATUSES: Final = (
    "pending",
    "scheduled",
    "running",
    "done",
    "cancel_requested",
    "canceled",
    "errored",
    "fatal_errored",
)
_JOB_STATUSES = (*JOB_STATUSES, "done", "done", "done")
_NOT_STARTED = {"pending", "scheduled", "canceled"}
_HTTP: Row = {
    "url": "https://hooks.example.com/tickets",
    "method": "POST",
    "headers": {},
    "form": {},
    "request_content_type": "application/json",
    "response_content_type": "application/json",
    "triggers": {
        "ticket-created": True,
        "ticket-updated": False,
        "ticket-message-created": True,
        "ticket-self-unsnoozed": False,
        "ticket-message-failed": False,
        "ticket-assignment-updated": False,
        "ticket-status-updated": False,
        "ticket-handed-over": False,
    },
    "oauth2": None,
}
_INTEGRATIONS: tuple[tuple[str, Row], ...] = (
    ("shopify", {}),
    ("http", {"headers": HEADERS, "hmac_secret": HMAC_SECRET}),
    ("email", {}),
    ("phone", {}),
    ("http", {"form": FORM, "headers": None}),
    (
        "http",
        {"oauth2": OAUTH2, "method": "GET", "form": None, "url": WEBHOOK_URL},
    ),
    ("gorgias_chat", {}),
)
_MAPPING = {
    "id": 1,
    "source_key": "args.name",
    "destination_key": "customer.data.name",
    "order": 0,
}
_WIDGET_TYPES = ("shopify", "http", "customer_external_data", "recharge", "custom")
_DEFINITIONS = (
    {
        "data_type": "text",
        "input_settings": {"input_type": "dropdown", "choices": ["Late", "Lost"]},
    },
    {"data_type": "number", "input_settings": {"input_type": "input_number", "min": 0}},
    {"data_type": "boolean", "input_settings": {"input_type": "dropdown"}},
)


def custom_field(shop: Shop, row_id: int, created: int, updated: int) -> Row:
    """Generate the definition of a custom field."""
    dice = Dice(shop.seed, "custom field", row_id)
    number = shop.custom_fields.position_of(row_id) or 0
    deactivated = (updated + 100 * SECOND) // SECOND * SECOND  # whole seconds
    return {
        "id": row_id,
        "external_id": None,
        "object_type": "Customer" if number % 4 == 3 else "Ticket",
        "label": f"Field {row_id}",
        "description": dice.maybe(50, "Filled in by agents."),
        "priority": dice.maybe(90, dice.roll(5_000)),
        "required": dice.chance(20),
        "requirement_type": dice.pick(("visible", "conditional", "required")),
        "managed_type": dice.maybe(20, "contact_reason"),
        "definition": _DEFINITIONS[number % len(_DEFINITIONS)],
        "created_datetime": iso(created),
        "updated_datetime": iso(updated),
        "deactivated_datetime": iso(deactivated) if number % 6 in {2, 3} else None,
    }


def integration(shop: Shop, row_id: int, created: int, updated: int) -> Row:
    """Generate an integration; HTTP integrations contain secrets."""
    dice = Dice(shop.seed, "integration", row_id)
    number = shop.integrations.position_of(row_id) or 0
    kind, secrets = _INTEGRATIONS[number % len(_INTEGRATIONS)]
    return {
        "id": row_id,
        "name": f"{kind} {row_id}",
        "type": kind,
        "description": dice.maybe(30, "Do not touch."),
        "created_datetime": iso(created),
        "updated_datetime": iso(updated),
        "deactivated_datetime": dice.maybe(20, iso(updated)),
        "locked_datetime": dice.maybe(10, iso(updated)),
        "decoration": dice.maybe(10, {"emoji": "🔌"}),
        "meta": {"address": "help@example.com"} if kind == "email" else {},
        "deleted_datetime": None,
        "mappings": [_MAPPING] if kind == "http" else None,
        "http": _HTTP | secrets if kind == "http" else None,
        "facebook": None,
        "smooch": None,
        "user": dice.maybe(90, {"id": shop.users.id_at(1)}),
        "uri": f"/api/integrations/{row_id}/",
        "application_id": dice.maybe(20, "65a1c0ffee"),
        "managed": dice.chance(10),
        "business_hours_id": dice.maybe(20, 12),
    }


def job(shop: Shop, row_id: int, created: int) -> Row:
    """Generate a job."""
    dice = Dice(shop.seed, "job", row_id)
    status = dice.pick(_JOB_STATUSES)
    planned = dice.chance(25) or status == "scheduled"
    start, end = iso(created + SECOND), iso(created + 4 * SECOND)
    return {
        "id": row_id,
        "type": dice.pick(JOB_TYPES),
        "status": status,
        "params": dice.pick(_job_params(shop)),
        "info": dice.pick(({}, None, {"progress": 100, "errors": []})),
        "meta": dice.maybe(20, {"source": "helpdesk"}),
        "user_id": dice.maybe(90, shop.users.id_at(1)),
        "created_datetime": iso(created),
        "scheduled_datetime": iso(created + 3_600 * SECOND) if planned else None,
        "started_datetime": None if status in _NOT_STARTED else start,
        "ended_datetime": end if status == "done" else None,
        "failed_datetime": end if status.endswith("errored") else None,
        "locked_datetime": start if status == "running" else None,
        "cancel_requested_datetime": end if status.startswith("cancel") else None,
        "cancelled_datetime": end if status == "canceled" else None,
        "uri": f"/api/jobs/{row_id}/",
    }


def _job_params(shop: Shop) -> list[Row]:
    """Return the parameters of jobs."""
    return [
        {},
        {"ticket_ids": [shop.tickets.id_at(0), shop.tickets.id_at(1)]},
        {
            "view_id": shop.views.id_at(0),
            "context": "helpdesk",
            "updates": {"tags": []},
        },
        {"macro_id": shop.macros.id_at(0), "apply_and_close": True},
        {
            "start_datetime": iso(shop.start),
            "end_datetime": iso(shop.end),
            "url": EXPORT_URL,
            "view": {"type": "ticket-list", "filters": "eq(ticket.spam, true)"},
        },
    ]


def macro(shop: Shop, row_id: int, created: int, updated: int) -> Row:
    """Generate a macro; updated_datetime is null until it is edited."""
    dice = Dice(shop.seed, "macro", row_id)
    body = dice.pick(SENTENCES)
    return {
        "id": row_id,
        "external_id": None,
        "name": f"Generic: {dice.pick(SENTENCES)[:20]} {row_id}",
        "intent": dice.maybe(30, "other/thanks"),
        "language": dice.pick(LANGUAGES),
        "usage": dice.roll(900),
        "actions": [
            {
                "name": "setResponseText",
                "title": "Add response text",
                "type": "user",
                "arguments": {"body_text": body, "body_html": f"<div>{body}</div>"},
            },
            HTTP_ACTION,
        ],
        "created_datetime": iso(created),
        "updated_datetime": dice.maybe(30, iso(updated)),
        "archived_datetime": dice.maybe(25, iso(updated)),
        "uri": f"/api/macros/{row_id}/",
    }


def widget(shop: Shop, row_id: int, created: int, updated: int) -> Row:
    """Generate a widget with nested templates."""
    dice = Dice(shop.seed, "widget", row_id)
    kind = dice.pick(_WIDGET_TYPES)
    of_app = kind == "customer_external_data"
    return {
        "id": row_id,
        "type": kind,
        "context": dice.pick(("ticket", "customer", "user")),
        "integration_id": None
        if of_app
        else dice.maybe(75, shop.integrations.id_at(0)),
        "app_id": "65a1c0ffee" if of_app else None,
        "order": dice.maybe(80, dice.roll(5)),
        "template": _box(dice, 3),
        "created_datetime": iso(created),
        "updated_datetime": iso(updated),
        "deactivated_datetime": dice.maybe(20, iso(updated)),
        "uri": f"/api/widgets/{row_id}/",
    }


def _box(dice: Dice, depth: int) -> Row:
    """Generate the template of a widget."""
    if not depth:
        return {"type": dice.pick(("text", "date")), "path": "name", "title": "Name"}
    inner = [_box(dice, depth - 1) for _ in range(1 + dice.roll(2))]
    kind = dice.pick(("wrapper", "card", "list"))
    meta = {"custom": {"links": [], "buttons": [BUTTON]}} if depth == 1 else {}
    return {"type": kind, "path": "", "title": "", "widgets": inner, "meta": meta}
