"""What an account is set up with: macros, rules, views and the like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.dice import Dice
from tests.sandbox.rows.phrases import LANGUAGES, SENTENCES
from tests.sandbox.times import SECOND, iso

if TYPE_CHECKING:
    from tests.sandbox.collection import Row
    from tests.sandbox.shop import Shop

_JOB_TYPES = ("applyMacro", "exportTicket", "exportMacro", "updateTicket")
_RULE_EVENTS = ("ticket-created", "ticket-created, ticket-updated", "ticket-assigned")
_AST = {"type": "Program", "sourceType": "script", "body": [{"type": "IfStatement"}]}
_DEFINITIONS = (
    {
        "data_type": "text",
        "input_settings": {"input_type": "dropdown", "choices": ["Late", "Lost"]},
    },
    {"data_type": "number", "input_settings": {"input_type": "input_number", "min": 0}},
    {"data_type": "boolean", "input_settings": {"input_type": "dropdown"}},
)


def custom_field(shop: Shop, row_id: int, created: int, updated: int) -> Row:
    """Make up the definition of a custom field."""
    dice = Dice(shop.seed, "custom field", row_id)
    number = shop.custom_fields.position_of(row_id) or 0
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
        "deactivated_datetime": dice.maybe(20, iso(updated)),
    }


def integration(shop: Shop, row_id: int, created: int, updated: int) -> Row:
    """Make up an integration; those over HTTP hold secrets."""
    dice = Dice(shop.seed, "integration", row_id)
    kind = dice.pick(("http", "email", "phone", "gorgias_chat"))
    http = {
        "url": "https://hooks.example.com/tickets",
        "method": "POST",
        "headers": {"X-Token": "invented"},
        "form": {},
        "request_content_type": "application/json",
        "response_content_type": "application/json",
        "triggers": {"ticket-created": True, "ticket-updated": False},
        "oauth2": None,
    }
    return {
        "id": row_id,
        "name": f"{kind} {row_id}",
        "type": kind,
        "description": dice.maybe(30, "Do not touch."),
        "created_datetime": iso(created),
        "updated_datetime": iso(updated),
        "deactivated_datetime": dice.maybe(20, iso(updated)),
        "locked_datetime": None,
        "decoration": None,
        "meta": {"address": "help@example.com"} if kind == "email" else {},
        "http": http if kind == "http" else None,
        "user": {"id": shop.users.id_at(1)},
        "uri": f"/api/integrations/{row_id}/",
        "application_id": None,
        "managed": False,
        "business_hours_id": None,
    }


def job(shop: Shop, row_id: int, created: int) -> Row:
    """Make up a job; a job with two endings was cancelled."""
    dice = Dice(shop.seed, "job", row_id)
    status = dice.pick(("done", "done", "pending", "errored", "canceled"))
    end = iso(created + 4 * SECOND)
    return {
        "id": row_id,
        "type": dice.pick(_JOB_TYPES),
        "status": status,
        "params": dice.pick(({}, {"ticket_ids": [shop.tickets.id_at(0)]})),
        "info": {},
        "meta": None,
        "user_id": shop.users.id_at(1),
        "created_datetime": iso(created),
        "scheduled_datetime": None,
        "started_datetime": None if status == "pending" else iso(created + SECOND),
        "ended_datetime": end if status == "done" else None,
        "failed_datetime": end if status == "errored" else None,
        "locked_datetime": None,
        "cancel_requested_datetime": end if status == "canceled" else None,
        "cancelled_datetime": end if status == "canceled" else None,
        "uri": f"/api/jobs/{row_id}/",
    }


def macro(shop: Shop, row_id: int, created: int, updated: int) -> Row:
    """Make up a macro; updated_datetime is null until it is edited."""
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
            }
        ],
        "created_datetime": iso(created),
        "updated_datetime": dice.maybe(30, iso(updated)),
        "archived_datetime": dice.maybe(25, iso(updated)),
        "uri": f"/api/macros/{row_id}/",
    }


def rule(shop: Shop, row_id: int, created: int, updated: int) -> Row:
    """Make up a rule."""
    dice = Dice(shop.seed, "rule", row_id)
    return {
        "id": row_id,
        "name": f"[Auto Tag] {row_id}",
        "description": dice.maybe(50, "Tags tickets by what they are about."),
        "code": 'if (contains(message.body, "refund")) { addTags("refund") }',
        "code_ast": _AST,
        "event_types": dice.pick(_RULE_EVENTS),
        "priority": dice.roll(10),
        "type": "user",
        "settings": None,
        "created_datetime": iso(created),
        "updated_datetime": iso(updated),
        "deactivated_datetime": dice.maybe(30, iso(updated)),
        "uri": f"/api/rules/{row_id}/",
    }


def view(shop: Shop, row_id: int, created: int) -> Row:
    """Make up a view."""
    dice = Dice(shop.seed, "view", row_id)
    return {
        "id": row_id,
        "category": dice.pick(("system", "user")),
        "created_datetime": iso(created),
        "deactivated_datetime": None,
        "decoration": dice.maybe(30, {"emoji": "⭐"}),
        "fields": ["name", "created", "updated"],
        "filters": dice.pick(("", "eq(ticket.spam, true)")),
        "filters_ast": _AST,
        "name": f"View {row_id}",
        "order_by": "updated_datetime",
        "order_dir": dice.pick(("asc", "desc")),
        "search": None,
        "shared_with_teams": [],
        "shared_with_users": [],
        "section_id": dice.maybe(20, 12),
        "slug": f"view-{row_id}",
        "type": dice.pick(("ticket-list", "ticket-list", "customer-list")),
        "uri": f"/api/views/{row_id}/",
        "visibility": dice.pick(("public", "shared", "private")),
    }


def widget(shop: Shop, row_id: int, created: int, updated: int) -> Row:
    """Make up a widget."""
    dice = Dice(shop.seed, "widget", row_id)
    return {
        "id": row_id,
        "type": dice.pick(("shopify", "http", "custom")),
        "context": dice.pick(("ticket", "customer")),
        "integration_id": dice.maybe(60, shop.integrations.id_at(0)),
        "app_id": None,
        "order": dice.maybe(80, dice.roll(5)),
        "template": {"type": "wrapper", "widgets": [{"type": "text", "path": "name"}]},
        "created_datetime": iso(created),
        "updated_datetime": iso(updated),
        "deactivated_datetime": None,
        "uri": f"/api/widgets/{row_id}/",
    }
