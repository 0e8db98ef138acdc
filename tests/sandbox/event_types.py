"""The event types that the list of events can be filtered by, as published."""

from __future__ import annotations

from typing import Final

_VERBS: Final = {
    "account": "created deactivated setting-updated updated",
    "action": "executed",
    "custom-field-condition": "created deleted disabled enabled updated",
    "custom-field": "created updated",
    "customer": "created deleted merged updated",
    "integration": "created deactivated deleted reactivated updated",
    "macro": "created deleted updated",
    "rule": "created deleted executed priority-updated updated",
    "satisfaction-survey": "responded sent",
    "tag": "created deleted merged renamed updated",
    "team": "created deleted updated",
    "ticket": "assigned closed created customer-updated deleted"
    " excluded-from-auto-merge excluded-from-csat marked-spam merged"
    " message-created message-deleted message-failed message-summary-created"
    " message-updated reopened satisfaction-survey-skipped self-unsnoozed"
    " sla-policy-assigned snoozed split subject-updated tags-added"
    " tags-removed team-assigned team-unassigned trashed unassigned"
    " unmarked-spam untrashed updated",
    "user": "2fa-changed created deleted impersonated invited logged-in logged-out"
    " password-changed password-reset updated",
    "view": "created deactivated deleted updated",
    "widget": "created deleted updated",
}

FILTERABLE: Final = tuple(
    f"{noun}-{verb}" for noun, verbs in _VERBS.items() for verb in verbs.split()
)
