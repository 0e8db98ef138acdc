"""The configuration of a helpdesk: small tables that are read completely."""

from __future__ import annotations

from tap_gorgias.records import masking
from tap_gorgias.stream_types.replication import SnapshotStream


class CustomFieldsStream(SnapshotStream):
    """A row for each custom field of tickets and customers, including archived ones.

    Active and archived fields come together unless the request asks for one kind
    (published OpenAPI document, and observed in recordings).
    """

    name = "custom_fields"
    path = "/api/custom-fields"
    scope = "custom_fields:read"
    order_by = "priority:asc"
    queries = ({"object_type": "Ticket"}, {"object_type": "Customer"})


class IntegrationsStream(SnapshotStream):
    """A row for each connected channel, shop, app or webhook.

    The credentials of webhooks are masked, also those in their URLs. The request asks
    for no order, because no order of this list has been observed to work.
    """

    name = "integrations"
    path = "/api/integrations"
    scope = "integrations:read"
    order_by = None
    masks = (masking.WHOLE,)


class MacrosStream(SnapshotStream):
    """A row for each macro, including archived ones.

    They are not ordered by `updated_datetime`, which is null until the first edit.
    """

    name = "macros"
    path = "/api/macros"
    scope = "macros:read"
    queries = ({"archived": "false"}, {"archived": "true"})
    masks = (masking.WHOLE,)


class RulesStream(SnapshotStream):
    """A row for each rule, with its code.

    The syntax tree of the code is large: it is read only if a catalog selects it.
    """

    name = "rules"
    path = "/api/rules"
    scope = "rules:read"
    deselected_by_default = ("code_ast",)
    masks = (masking.WHOLE,)


class WidgetsStream(SnapshotStream):
    """A row for each panel that shows data next to a ticket or customer.

    The request asks for no order, because no order of this list has been observed to
    work.
    """

    name = "widgets"
    path = "/api/widgets"
    scope = "integrations:read"
    order_by = None
    masks = (masking.WHOLE,)
