"""What a helpdesk is set up with. These tables are small and read whole."""

from __future__ import annotations

from tap_gorgias import masking
from tap_gorgias.ways import SnapshotStream


class CustomFieldsStream(SnapshotStream):
    """A row for each custom field of tickets and customers, archived ones included.

    Whether a read that does not ask for archived fields brings them is documented
    otherwise than recorded, so both reads are made.
    """

    name = "custom_fields"
    path = "/api/custom-fields"
    scope = "custom_fields:read"
    order_by = "priority:asc"
    reads = (
        {"object_type": "Ticket"},
        {"object_type": "Ticket", "archived": "true"},
        {"object_type": "Customer"},
        {"object_type": "Customer", "archived": "true"},
    )


class IntegrationsStream(SnapshotStream):
    """A row for each connected channel, shop, app or webhook.

    What a webhook sends to sign in is masked: headers, form and OAuth2.
    """

    name = "integrations"
    path = "/api/integrations"
    scope = "integrations:read"
    masks = (
        ("http.headers", masking.every_name),
        ("http.form", masking.every_name),
        ("http.oauth2", masking.every_name_but_client_id),
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
    """A row for each panel that shows data beside a ticket or customer."""

    name = "widgets"
    path = "/api/widgets"
    scope = "integrations:read"
