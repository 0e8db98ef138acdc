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
    """Show a single row as in the list."""
    return row


@dataclass(frozen=True)
class Listing:
    """`GET /api/<path>`: pages of a collection; `GET /api/<path>/<id>`: one row."""

    method: ClassVar = "GET"
    collection: str  # an attribute of the shop
    orders: tuple[str, ...]  # the default first; if empty, order_by is refused
    filters: Mapping[str, Filter] = field(default_factory=dict)
    created_range: bool = False  # created_datetime[gt] and so on
    total_resources: bool = False  # adds a null to the meta object
    detail: Callable[[Shop, Row], Row] = _as_listed
    default_limit: int = 30
    max_limit: int = 100  # rows on a page
    relationships: bool = False  # whether details accept the parameter of this name
    order: str = ""  # the fixed order of lists without order_by


@dataclass(frozen=True)
class Document:
    """`GET /api/<path>`: a single object without pages."""

    method: ClassVar = "GET"
    show: Callable[[Shop], Any]
    filters: Mapping[str, Filter] = field(default_factory=dict)


@dataclass(frozen=True)
class Items:
    """`GET /api/views/<id>/items`: pages of the rows that match a view."""

    method: ClassVar = "GET"
    default_limit: int = 30
    max_limit: int = 100

    def orders_of(self, view: Row) -> tuple[str, ...]:
        """Return the orders that a view's items can have."""
        return _CUSTOMER_ORDERS if view["type"] == "customer-list" else _ITEM_ORDERS


@dataclass(frozen=True)
class Report:
    """`POST /api/<path>`: statistics."""

    method: ClassVar = "POST"
    default_limit: int = 30
    max_limit: int = 10_000


def orders_by(*fields: str) -> tuple[str, ...]:
    """Return the orders by these fields, descending before ascending."""
    return tuple(f"{name}:{way}" for name in fields for way in ("desc", "asc"))


_CREATED = orders_by("created_datetime")
_CUSTOMER_ORDERS = orders_by("created_datetime", "updated_datetime")
_ITEM_ORDERS = orders_by(
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
    """Return the default of `archived` for custom fields."""
    return "false" if shop.custom_fields_archived == "documented" else None


def _calls_of_ticket(shop: Shop, values: Values) -> list[int]:
    """Return the calls that may belong to a ticket."""
    return shop.voice_calls.of_ticket(values[0])


def _by_call(parts: Callable[[Shop], CallParts]) -> Filter:
    """Match rows that belong to a call."""
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
        orders_by("priority"),
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
                "object_type", choice(*_EVENT_OBJECTS), requires="object_id"
            ),
            "types": one_of("type", choice(*FILTERABLE)),
            "user_ids": one_of("user_id", max_values=1),
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
        orders_by("created_datetime", "updated_datetime", "name", "usage", "language"),
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
    "tags": Listing("tags", (*_CREATED, *orders_by("name"))),
    "teams": Listing("teams", (*_CREATED, *orders_by("name"))),
    "tickets": Listing(
        "tickets",
        orders_by("created_datetime", "updated_datetime"),
        {
            "customer_id": customer_is(),
            "external_id": equals("external_id", str),
            "ticket_ids": Filter(
                int,
                lambda row, values: row["id"] in values,
                ids=lambda _, values: set(values),
                max_values=100,
            ),
            "trashed": set_unless_false("trashed_datetime"),
        },
        total_resources=True,
        detail=ticket_detail,
        relationships=True,
    ),
    "users": Listing(
        "users",
        ("name:asc", "name:desc", *orders_by("created_datetime", "email", "role.name")),
        {"email": equals("email", str), "external_id": equals("external_id", str)},
        total_resources=True,
    ),
    "views": Listing("views", _CREATED),
    "views/{id}/items": Items(),
    "widgets": Listing(
        "widgets",
        orders_by("created_datetime", "order"),
        {"integration_id": equals("integration_id"), "app_id": equals("app_id", str)},
    ),
}
