"""Compares the fields of rows with the schema of their stream."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tap_gorgias.connection_test.differences import Surprise, quoted
from tap_gorgias.replication import ordering

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from tap_gorgias.replication.pages import Row

_USUAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?(\+00:00|Z)", re.ASCII)
_DIGIT = re.compile(r"\d", re.ASCII)

_MAY_LACK: Mapping[str, Collection[str]] = {
    # A ticket without values lacks the key (observed in recordings).
    "ticket_details": {"custom_fields"},
}
"""Fields that rows of a stream may lack."""

_ALWAYS_HELD: Mapping[str, Collection[str]] = {
    # Tickets lack what only customers have, and the other way round.
    "view_items": {"id", "created_datetime", "updated_datetime"},
    # Required by the published OpenAPI document.
    "voice_calls": {
        *("id", "integration_id", "external_id", "provider", "status", "direction"),
        "created_datetime",
    },
}
"""The only fields that rows of a stream are sure to have; others may be missing."""


def surprises_of(
    stream: str, schema: Mapping[str, Any], keys: Collection[str], rows: Sequence[Row]
) -> Iterator[Surprise]:
    """Compare the names of fields and the form of date-times.

    Args:
        stream: Name of the stream.
        schema: JSON schema of the stream.
        keys: The fields without which the stream cannot be read.
        rows: Rows as Gorgias sent them.

    Yields:
        What is otherwise. Fields within objects are not looked at: their names may be
        customers' text.
    """
    properties = schema["properties"]
    found = {name for row in rows for name in row}
    if unknown := found - properties.keys():
        told = quoted(unknown)
        yield Surprise(
            f"fields that this version does not know: {told}.", is_harmless=True
        )
    expected = set(_ALWAYS_HELD.get(stream, properties))
    missing = expected - found - set(_MAY_LACK.get(stream, ())) if rows else set()
    if keys_missing := missing & set(keys):
        yield Surprise(f"missing keys: {quoted(keys_missing)}.")
    if others := missing - set(keys):
        told = quoted(others)
        yield Surprise(
            f"missing fields, whose columns are null: {told}.", is_harmless=True
        )
    yield from _date_forms(properties, rows)


def _date_forms(
    properties: Mapping[str, Any], rows: Sequence[Row]
) -> Iterator[Surprise]:
    forms: dict[tuple[str, bool], set[str]] = {}
    for name, schema in properties.items():
        if schema.get("format") != "date-time" and not name.endswith("_datetime"):
            continue
        for value in filter(None, (row.get(name) for row in rows)):
            if not (isinstance(value, str) and _USUAL.fullmatch(value)):
                forms.setdefault(_form(value), set()).add(name)
    for (form, is_readable), names in sorted(forms.items()):
        yield Surprise(f"date-times {form}: {quoted(names)}.", is_harmless=is_readable)


def _form(value: Any) -> tuple[str, bool]:  # noqa: ANN401
    """Describe a date-time without its digits, and whether the tap can read it."""
    if ordering.moment_of(value) is None:
        return "that cannot be read, and become null", False
    return f"of the form {_DIGIT.sub('0', value)}", True
