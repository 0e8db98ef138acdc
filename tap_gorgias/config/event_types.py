"""Event types that Gorgias can filter by (published OpenAPI document, 2026-08).

Events of other types exist as well. Gorgias returns them only without a filter.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

EVENT_TYPES = (
    "account-created",
    "account-deactivated",
    "account-setting-updated",
    "account-updated",
    "action-executed",
    "custom-field-condition-created",
    "custom-field-condition-deleted",
    "custom-field-condition-disabled",
    "custom-field-condition-enabled",
    "custom-field-condition-updated",
    "custom-field-created",
    "custom-field-updated",
    "customer-created",
    "customer-deleted",
    "customer-merged",
    "customer-updated",
    "integration-created",
    "integration-deactivated",
    "integration-deleted",
    "integration-reactivated",
    "integration-updated",
    "macro-created",
    "macro-deleted",
    "macro-updated",
    "rule-created",
    "rule-deleted",
    "rule-executed",
    "rule-priority-updated",
    "rule-updated",
    "satisfaction-survey-responded",
    "satisfaction-survey-sent",
    "tag-created",
    "tag-deleted",
    "tag-merged",
    "tag-renamed",
    "tag-updated",
    "team-created",
    "team-deleted",
    "team-updated",
    "ticket-assigned",
    "ticket-closed",
    "ticket-created",
    "ticket-customer-updated",
    "ticket-deleted",
    "ticket-excluded-from-auto-merge",
    "ticket-excluded-from-csat",
    "ticket-marked-spam",
    "ticket-merged",
    "ticket-message-created",
    "ticket-message-deleted",
    "ticket-message-failed",
    "ticket-message-summary-created",
    "ticket-message-updated",
    "ticket-reopened",
    "ticket-satisfaction-survey-skipped",
    "ticket-self-unsnoozed",
    "ticket-sla-policy-assigned",
    "ticket-snoozed",
    "ticket-split",
    "ticket-subject-updated",
    "ticket-tags-added",
    "ticket-tags-removed",
    "ticket-team-assigned",
    "ticket-team-unassigned",
    "ticket-trashed",
    "ticket-unassigned",
    "ticket-unmarked-spam",
    "ticket-untrashed",
    "ticket-updated",
    "user-2fa-changed",
    "user-created",
    "user-deleted",
    "user-impersonated",
    "user-invited",
    "user-logged-in",
    "user-logged-out",
    "user-password-changed",
    "user-password-reset",
    "user-updated",
    "view-created",
    "view-deactivated",
    "view-deleted",
    "view-updated",
    "widget-created",
    "widget-deleted",
    "widget-updated",
)


def event_type_warnings(names: Iterable[str]) -> list[str]:
    """Find event types that Gorgias may reject.

    Args:
        names: Values of the setting `event_types`.

    Returns:
        A warning for each undocumented type, with the closest documented one.
    """
    warnings: list[str] = []
    for name in names:
        if name not in EVENT_TYPES:
            matches = difflib.get_close_matches(name, EVENT_TYPES, n=1)
            hint = f" Did you mean `{matches[0]}`?" if matches else ""
            warnings.append(
                f"Setting `event_types`: `{name[:80]}` is not a documented event "
                f"type.{hint}"
            )
    return warnings
