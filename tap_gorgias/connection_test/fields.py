"""Finds the fields of a schema that Gorgias does not send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

_OPTIONAL_FIELDS: Mapping[str, Collection[str]] = {
    # Observed only in older integrations.
    "integrations": {"deleted_datetime", "facebook", "mappings", "smooch"},
    # Without values, a ticket does not have the field (observed in recordings).
    "ticket_details": {"custom_fields"},
}
"""Fields of the schema that may be missing, by stream."""

_REQUIRED_FIELDS: Mapping[str, Collection[str]] = {
    # The other fields belong either to tickets or to customers.
    "view_items": {"id", "created_datetime", "updated_datetime"},
    # Required by the published OpenAPI document.
    "voice_calls": {
        *("id", "integration_id", "external_id", "provider", "status", "direction"),
        "created_datetime",
    },
}
"""The only fields that must not be missing, by stream. By default, none must."""


def missing_fields(
    stream: str, schema: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> Sequence[str]:
    """Return the names of fields that no row has, none if there are no rows.

    Fields within objects are not compared, because customers may have named them.
    """
    if not rows:
        return []
    required = set(_REQUIRED_FIELDS.get(stream, schema["properties"]))
    required -= set(_OPTIONAL_FIELDS.get(stream, ()))
    return sorted(required - {name for row in rows for name in row})
