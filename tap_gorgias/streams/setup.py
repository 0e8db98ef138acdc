"""What a helpdesk is set up with. These tables are small and read whole."""

from __future__ import annotations

from tap_gorgias.records import masking
from tap_gorgias.stream_types.replication import SnapshotStream


class CustomFieldsStream(SnapshotStream):
    """A row for each custom field of tickets and customers, archived ones included.

    Active and archived ones come together unless one kind is asked for (published
    OpenAPI document, and as recorded).
    """

    name = "custom_fields"
    path = "/api/custom-fields"
    scope = "custom_fields:read"
    order_by = "priority:asc"
    reads = ({"object_type": "Ticket"}, {"object_type": "Customer"})


class IntegrationsStream(SnapshotStream):
    """A row for each connected channel, shop, app or webhook.

    What a webhook sends to sign in, or signs with, is masked: headers, form, OAuth2 and
    HMAC secret. No order is asked for, because none of this list was ever seen to work.
    """

    name = "integrations"
    path = "/api/integrations"
    scope = "integrations:read"
    order_by = None
    masks = (
        ("http.headers", masking.any_name),
        ("http.form", masking.any_name),
        ("http.oauth2", masking.any_name_except_client_id),
        ("http.hmac_secret", masking.any_name),
    )


class MacrosStream(SnapshotStream):
    """A row for each macro, archived ones included.

    They are never ordered by `updated_datetime`, which is null until the first edit.
    """

    name = "macros"
    path = "/api/macros"
    scope = "macros:read"
    reads = ({"archived": "false"}, {"archived": "true"})


class RulesStream(SnapshotStream):
    """A row for each rule, with its code.

    The syntax tree of the code is large: it is left out unless it is selected in the
    catalog.
    """

    name = "rules"
    path = "/api/rules"
    scope = "rules:read"
    deselected_by_default = ("code_ast",)


class WidgetsStream(SnapshotStream):
    """A row for each panel that shows data beside a ticket or customer.

    No order is asked for, because none of this list was ever seen to work.
    """

    name = "widgets"
    path = "/api/widgets"
    scope = "integrations:read"
    order_by = None
