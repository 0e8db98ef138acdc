"""The account and its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.rows.people import SUBDOMAIN
from tests.sandbox.rows.secrets import CONNECTIONS, SSO_PROVIDERS
from tests.sandbox.times import SECOND, iso

if TYPE_CHECKING:
    from tests.sandbox.collection import Row
    from tests.sandbox.shop import Shop


def settings() -> list[Row]:
    """Return the settings, each with `data` of a different shape."""
    hours = {"days": "1,2,3,4,5", "from_time": "09:00", "to_time": "17:00"}
    return [
        {
            "id": 360952,
            "type": "business-hours",
            "data": {"timezone": "Europe/Paris", "business_hours": [hours]},
        },
        {
            "id": 360953,
            "type": "ticket-assignment",
            "data": {
                "assignment_channels": ["chat", "sms", "whatsapp"],
                "auto_assign_to_teams": False,
                "max_user_chat_ticket": 3,
                "unassign_on_reply": True,
            },
        },
        {
            "id": 360954,
            "type": "views-ordering",
            "data": {"views": {"1001": {"display_order": 1}}, "view_sections": {}},
        },
        {
            "id": 360955,
            "type": "access",
            "data": {
                "signup_mode": "invite",
                "allowed_domains": [],
                "google_sso_enabled": True,
                "office365_sso_enabled": False,
                "two_fa_enforced_datetime": None,
                "custom_sso_providers": SSO_PROVIDERS,
            },
        },
        {"id": 360956, "type": "views-visibility", "data": {"hidden_views": []}},
        {
            "id": 360957,
            "type": "auto-merge",
            "data": {"tickets": {"enabled": False, "merging_window_days": 5}},
        },
        {"id": 360959, "type": "default-integration", "data": {"email": 126_654}},
        {"id": 360960, "type": "connections", "data": CONNECTIONS},
    ]


def account(shop: Shop) -> Row:
    """Return the account as a single document."""
    start = shop.start // SECOND * SECOND
    return {
        "domain": SUBDOMAIN,
        "created_datetime": iso(shop.start + 143_793),
        "deactivated_datetime": None,
        "status": {"status": "active"},
        "settings": settings(),
        "current_subscription": {
            "plan": None,
            "status": "trialing",
            "start_datetime": iso(start),
            "trial_start_datetime": iso(start),
            "trial_end_datetime": iso(start + 30 * 86_400 * SECOND),
        },
        "meta": {"company_domain": "example.com", "hasCreditCard": False},
    }
