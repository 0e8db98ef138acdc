"""Compares the fields of rows with the schema of their stream."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tap_gorgias.connection_test.differences import Difference, quoted
from tap_gorgias.replication import ordering

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from tap_gorgias.replication.pages import Row

_DOCUMENTED_FORMAT = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?(\+00:00|Z)", re.ASCII
)
_DIGIT = re.compile(r"\d", re.ASCII)

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


def field_differences(
    stream: str, schema: Mapping[str, Any], keys: Collection[str], rows: Sequence[Row]
) -> Iterator[Difference]:
    """Compare the names of fields and the format of date-times with the schema.

    Fields within objects are not compared, because customers may have named them.

    Args:
        stream: Name of the stream.
        schema: JSON schema of the stream.
        keys: Names of the primary and replication keys.
        rows: Rows as Gorgias sent them.

    Yields:
        Each difference. Missing keys are not harmless, nor are date-times that cannot
        be parsed.
    """
    properties = schema["properties"]
    found = {name for row in rows for name in row}
    if unknown := found - properties.keys():
        yield Difference(f"unknown fields: {quoted(unknown)}.", is_harmless=True)
    required = set(_REQUIRED_FIELDS.get(stream, properties))
    required -= set(_OPTIONAL_FIELDS.get(stream, ()))
    missing = required - found if rows else set()
    if missing_keys := missing & set(keys):
        yield Difference(f"missing keys: {quoted(missing_keys)}.")
    if others := missing - set(keys):
        names = quoted(others)
        yield Difference(
            f"missing fields, whose columns are null: {names}.", is_harmless=True
        )
    yield from _date_time_formats(properties, rows)


def _date_time_formats(
    properties: Mapping[str, Any], rows: Sequence[Row]
) -> Iterator[Difference]:
    formats: dict[tuple[str, bool], set[str]] = {}
    for name, schema in properties.items():
        if schema.get("format") != "date-time" and not name.endswith("_datetime"):
            continue
        for value in filter(None, (row.get(name) for row in rows)):
            if not (isinstance(value, str) and _DOCUMENTED_FORMAT.fullmatch(value)):
                formats.setdefault(_format_of(value), set()).add(name)
    for (description, is_readable), names in sorted(formats.items()):
        yield Difference(
            f"date-times {description}: {quoted(names)}.", is_harmless=is_readable
        )


def _format_of(value: Any) -> tuple[str, bool]:  # noqa: ANN401
    """Describe the format of a date-time, and whether the tap can parse it."""
    if ordering.timestamp_of(value) is None:
        return "that cannot be parsed and become null", False
    return f"in the format {_DIGIT.sub('0', value)}", True
