"""The table of endpoints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from tests.sandbox.event_types import FILTERABLE
from tests.sandbox.filters import (
    Filter,
    choice,
    customer_is,
    equals,
    one_of,
    set_as,
    set_unless_false,
)
from tests.sandbox.rows.account import account, settings
from tests.sandbox.rows.people import customer_detail
from tests.sandbox.rows.setup import JOB_STATUSES, JOB_TYPES
from tests.sandbox.rows.tickets import ticket_detail

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.sandbox.collection import Row
    from tests.sandbox.filters import Values
    from tests.sandbox.phone import CallParts
    from tests.sandbox.shop import Shop


def _as_listed(_: Shop, row: Row) -> Row:
    """Show one row just as in the list."""
    return row


@dataclass(frozen=True)
class Listing:
    """`GET /api/<path>`: pages of a collection; `GET /api/<path>/<id>`: one row."""

    method: ClassVar = "GET"
    collection: str  # the attribute of the shop
    orders: tuple[str, ...]  # the default first; none: order_by is refused
    filters: Mapping[str, Filter] = field(default_factory=dict)
    created_range: bool = False  # created_datetime[gt] and so on
    total_resources: bool = False  # a null in the meta object
    detail: Callable[[Shop, Row], Row] = _as_listed
    default_limit: int = 30
    most: int = 100  # rows on a page
    relationships: bool = False  # whether a detail may ask for custom_fields
    order: str = ""  # the only order, where there is no order_by


@dataclass(frozen=True)
class Document:
    """`GET /api/<path>`: one object, without pages."""

    method: ClassVar = "GET"
    show: Callable[[Shop], Any]
    filters: Mapping[str, Filter] = field(default_factory=dict)


@dataclass(frozen=True)
class Items:
    """`GET /api/views/<id>/items`: pages of what a view lets through."""

    method: ClassVar = "GET"
    default_limit: int = 30
    most: int = 100

    def orders_of(self, view: Row) -> tuple[str, ...]:
        """Return the orders of a view's items."""
        return _CUSTOMER_ORDERS if view["type"] == "customer-list" else _ITEM_ORDERS


@dataclass(frozen=True)
class Report:
    """`POST /api/<path>`: statistics."""

    method: ClassVar = "POST"
    default_limit: int = 30
    most: int = 10_000


def both(*fields: str) -> tuple[str, ...]:
    """Return the orders by fields, newest first before oldest first."""
    return tuple(f"{name}:{way}" for name in fields for way in ("desc", "asc"))


_CREATED = both("created_datetime")
_CUSTOMER_ORDERS = both("created_datetime", "updated_datetime")
_ITEM_ORDERS = both(
    "created_datetime",
    "updated_datetime",
    "last_message_datetime",
    "last_received_message_datetime",
    "closed_datetime",
    "snooze_datetime",
    "priority",
)
_EVENT_OBJECTS = (
    "Account",
    "Macro",
    "Tag",
    "Customer",
    "Team",
    "View",
    "Widget",
    "User",
    "TicketMessage",
    "Ticket",
    "Rule",
    "Integration",
    "SatisfactionSurvey",
    "AccountSetting",
    "CustomField",
    "CustomFieldCondition",
)


def _archived_fields(shop: Shop) -> str | None:
    """Tell which custom fields are meant when the request does not say."""
    return "false" if shop.custom_fields_archived == "documented" else None


def _calls_of_ticket(shop: Shop, values: Values) -> list[int]:
    """Return the calls that may be a ticket's."""
    return shop.voice_calls.of_ticket(values[0])


def _by_call(parts: Callable[[Shop], CallParts]) -> Filter:
    """Keep what belongs to a call."""
    return equals("call_id", ids=lambda shop, values: parts(shop).of_call(values[0]))


ENDPOINTS: Mapping[str, Listing | Document | Items | Report] = {
    "account": Document(account),
    "account/settings": Document(
        lambda _: {"data": settings()}, {"type": equals("type", str)}
    ),
    "customers": Listing(
        "customers",
        _CUSTOMER_ORDERS,
        {"email": equals("email", str), "external_id": equals("external_id", str)},
        detail=lambda _, row: customer_detail(row),
        relationships=True,
    ),
    "custom-fields": Listing(
        "custom_fields",
        both("priority"),
        {
            "object_type": equals(
                "object_type", choice("Ticket", "Customer"), required=True
            ),
            "archived": set_as("deactivated_datetime", _archived_fields),
        },
        total_resources=True,
    ),
    "events": Listing(
        "events",
        _CREATED,
        {
            "object_id": equals("object_id"),
            "object_type": equals(
                "object_type", choice(*_EVENT_OBJECTS), needs="object_id"
            ),
            "types": one_of("type", choice(*FILTERABLE)),
            "user_ids": one_of("user_id", most=1),
        },
        created_range=True,
    ),
    "integrations": Listing(
        "integrations", _CREATED, {"type": equals("type", choice("http"))}
    ),
    "jobs": Listing(
        "jobs",
        _CREATED,
        {
            "status": equals("status", choice(*JOB_STATUSES)),
            "type": equals("type", choice(*JOB_TYPES)),
        },
    ),
    "macros": Listing(
        "macros",
        both("created_datetime", "updated_datetime", "name", "usage", "language"),
        {
            "archived": set_as("archived_datetime", lambda _: "false"),
            "languages": one_of("language", str),
        },
    ),
    "messages": Listing(
        "messages",
        _CREATED,
        {
            "ticket_id": equals(
                "ticket_id",
                ids=lambda shop, values: shop.messages.of_ticket(values[0]),
            )
        },
    ),
    "phone/voice-calls": Listing(
        "voice_calls",
        (),
        {"ticket_id": equals("ticket_id", ids=_calls_of_ticket)},
        order="created_datetime:desc",
    ),
    "phone/voice-call-events": Listing(
        "voice_call_events",
        (),
        {"call_id": _by_call(lambda shop: shop.voice_call_events)},
        order="created_datetime:asc",
    ),
    "phone/voice-call-recordings": Listing(
        "voice_call_recordings",
        (),
        {"call_id": _by_call(lambda shop: shop.voice_call_recordings)},
        order="created_datetime:desc",
    ),
    "reporting/stats": Report(),
    "rules": Listing("rules", _CREATED),
    "satisfaction-surveys": Listing(
        "satisfaction_surveys",
        _CREATED,
        {
            "ticket_id": equals(
                "ticket_id",
                ids=lambda shop, values: shop.satisfaction_surveys.of_ticket(values[0]),
            )
        },
    ),
    "tags": Listing("tags", (*_CREATED, *both("name"))),
    "teams": Listing("teams", (*_CREATED, *both("name"))),
    "tickets": Listing(
        "tickets",
        both("created_datetime", "updated_datetime"),
        {
            "customer_id": customer_is(),
            "external_id": equals("external_id", str),
            "ticket_ids": Filter(
                int,
                lambda row, values: row["id"] in values,
                ids=lambda _, values: set(values),
                most=100,
            ),
            "trashed": set_unless_false("trashed_datetime"),
        },
        total_resources=True,
        detail=ticket_detail,
        relationships=True,
    ),
    "users": Listing(
        "users",
        ("name:asc", "name:desc", *both("created_datetime", "email", "role.name")),
        {"email": equals("email", str), "external_id": equals("external_id", str)},
        total_resources=True,
    ),
    "views": Listing("views", _CREATED),
    "views/{id}/items": Items(),
    "widgets": Listing(
        "widgets",
        both("created_datetime", "order"),
        {"integration_id": equals("integration_id"), "app_id": equals("app_id", str)},
    ),
}
