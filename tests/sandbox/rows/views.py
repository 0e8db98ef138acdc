"""Views, and the rules that automate the work of agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tests.sandbox.dice import Dice
from tests.sandbox.rows.secrets import RULE_CODE
from tests.sandbox.rows.trees import Node, branch, program, statement
from tests.sandbox.times import DAY, iso

if TYPE_CHECKING:
    from tests.sandbox.collection import Row
    from tests.sandbox.shop import Shop


class Plan(NamedTuple):
    """The properties that distinguish one view from another."""

    name: str
    filters: str = ""
    type: str = "ticket-list"
    order: str = "updated_datetime"
    active: bool = True


PLANS: Final = (
    Plan("All tickets"),
    Plan("All customers", type="customer-list"),
    Plan("Open", "eq(ticket.status, 'open')", order="created_datetime"),
    Plan("Spam", "eq(ticket.spam, true)"),
    Plan("Trash", "isNotEmpty(ticket.trashed_datetime)"),
    Plan(
        "Urgent ☎️",
        "containsAny(ticket.priority, ['critical', 'high']) && "
        "eq(ticket.status, 'open') && eq(ticket.spam, false) && "
        "isEmpty(ticket.trashed_datetime) && neq(ticket.channel, 'chat') && "
        "(isEmpty(ticket.assignee_user.id) || isNotEmpty(ticket.assignee_team.id) "
        "|| containsAny(ticket.language, ['fr', 'de', 'ja']))",
    ),
    Plan("Nobody's any more", "eq(ticket.id, 0)"),
    Plan("Old campaign", "eq(ticket.channel, 'email')", active=False),
    Plan("日本", "eq(customer.language, 'ja')", "customer-list", "created_datetime"),
    Plan("Ghosts", "eq(customer.id, 0)", "customer-list"),
)
_COLUMNS = {
    "ticket-list": ("priority", "details", "tags", "customer", "last_message"),
    "customer-list": ("name", "email", "created", "updated"),
}
_RULE_EVENTS = (
    "ticket-created",
    "ticket-created, ticket-updated",
    "ticket-message-created",
    "ticket-assigned",
    "satisfaction-survey-responded",
)
_TESTS = (
    "containsAny(message.intents.name, ['shipping/status', 'order/cancel'])",
    "contains(message.body, 'refund')",
    "eq(ticket.customer.email, 'vip@example.com')",
    "isNotEmpty(ticket.assignee_team.id)",
    "gte(ticket.created_datetime, '2026-05-01T00:00:00')",
    "neq(message.from_agent, true)",
)
_ACTIONS = (
    "Action('addTags', 'urgent')",
    "Action('setStatus', 'closed')",
    "Action('setAssignee', 519000008)",
    "Action('replyToTicket', 'Merci 🙏')",
)
_BRANCHES = 5


def view(shop: Shop, row_id: int, created: int) -> Row:
    """Generate a view."""
    dice = Dice(shop.seed, "view", row_id)
    number = shop.views.position_of(row_id) or 0
    plan = PLANS[number % len(PLANS)]
    return {
        "id": row_id,
        "category": "system" if number < 4 else "user",
        "created_datetime": iso(created),
        "deactivated_datetime": None if plan.active else iso(created + DAY),
        "decoration": dice.maybe(30, {"emoji": "⭐"}),
        "fields": list(_COLUMNS[plan.type]),
        "filters": plan.filters,
        "filters_ast": program(*([statement(plan.filters)] if plan.filters else [])),
        "name": plan.name,
        "order_by": plan.order,
        "order_dir": dice.pick(("asc", "desc")),
        "search": None,
        "shared_with_teams": dice.pick(([], [shop.teams.id_at(0)])),
        "shared_with_users": dice.pick(
            ([], [{"id": shop.users.id_at(1), "name": "Someone"}])
        ),
        "section_id": dice.maybe(20, 12),
        "slug": f"view-{row_id}",
        "type": plan.type,
        "uri": f"/api/views/{row_id}/",
        "visibility": dice.pick(("public", "shared", "private")),
    }


def rule(shop: Shop, row_id: int, created: int, updated: int) -> Row:
    """Generate a rule with its code and the large syntax tree of that code."""
    dice = Dice(shop.seed, "rule", row_id)
    code, tree = _code(dice)
    return {
        "id": row_id,
        "name": f"[Auto Tag] {row_id}",
        "description": dice.maybe(50, "Tags tickets by what they are about."),
        "code": f"{RULE_CODE}\n{code}",
        "code_ast": tree,
        "event_types": dice.pick(_RULE_EVENTS),
        "priority": dice.roll(10),
        "type": "user",
        "settings": None,
        "created_datetime": iso(created),
        "updated_datetime": iso(updated),
        "deactivated_datetime": dice.maybe(30, iso(updated)),
        "uri": f"/api/rules/{row_id}/",
    }


def _code(dice: Dice) -> tuple[str, Node]:
    """Generate code: an `if`, an `else if`, and so on."""
    code, node = "", None
    for line in range(4 * _BRANCHES, 0, -4):
        test = " && ".join(dice.pick(_TESTS) for _ in range(3))
        then = [dice.pick(_ACTIONS) for _ in range(2)]
        body = "\n  ".join(then)
        code = f"if ({test}) {{\n  {body}\n}}" + (code and f" else {code}")
        node = branch(test, then, node, line)
    return code, program(*([node] if node else []))
