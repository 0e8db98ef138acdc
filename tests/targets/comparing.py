"""Comparison of rows by canonical form, and the differences that targets may cause."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_gorgias import timestamps

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from tests.targets.target import Row

Schema = dict[str, Any]


@dataclass(frozen=True)
class Difference:
    """A way in which a row may differ from what the tap wrote.

    Attributes:
        reason: Where the difference comes from and why it is not a loss.
        undo: Maps both values to the same one. It takes the schema of a column or of
            a nested value, the value and its depth of nesting.
    """

    reason: str
    undo: Callable[[Schema, Any, int], Any]


EMPTY_TEXTS = Difference(
    "The target loads files that do not distinguish empty strings from nulls.",
    lambda _, value, depth: None if value == "" and not depth else value,
)
NULL_LISTS = Difference(
    "BigQuery has no null lists.",
    lambda schema, value, _: (
        [] if value is None and "array" in schema["type"] else value
    ),
)
ABSENT_FIELDS = Difference(
    "A RECORD of BigQuery has all of its fields.",
    lambda schema, value, _: (
        dict.fromkeys(schema["properties"]) | value
        if isinstance(value, dict) and "properties" in schema
        else value
    ),
)
JSON_TEXTS = Difference(
    "The emulator answers JSON within a RECORD as text.",
    lambda schema, value, depth: (
        json.loads(value)
        if isinstance(value, str) and depth and "object" in schema["type"]
        else value
    ),
)

ALLOWED: Mapping[str, Collection[Difference]] = {
    "target-jsonl": (),
    "target-duckdb": (EMPTY_TEXTS,),
    "target-postgres": (),
    "target-bigquery": (NULL_LISTS, ABSENT_FIELDS, JSON_TEXTS),
    "target-snowflake": (),
}
"""All differences that are allowed for a target, by its name."""


def comparable(schema: Schema, row: Row, allowed: Collection[Difference] = ()) -> Row:
    """Convert a row to a canonical form that does not depend on its writer.

    Date-times become datetime objects, absent columns become null, and columns that
    targets add are dropped.

    Args:
        schema: The schema of the stream.
        row: A row as written by the tap or by a target.
        allowed: Differences to undo.

    Returns:
        The row in canonical form.
    """
    return {
        name: _plain(column, row.get(name), allowed, 0)
        for name, column in schema["properties"].items()
    }


def _plain(
    schema: Schema,
    value: Any,  # noqa: ANN401
    allowed: Collection[Difference],
    depth: int,
) -> Any:  # noqa: ANN401
    for difference in allowed:
        value = difference.undo(schema, value, depth)
    if isinstance(value, dict) and "properties" in schema:
        known = schema["properties"]
        return {
            name: _plain(known[name], part, allowed, depth + 1)
            if name in known
            else part
            for name, part in value.items()
        }
    if isinstance(value, list) and "items" in schema:
        return [_plain(schema["items"], part, allowed, depth + 1) for part in value]
    if isinstance(value, str) and schema.get("format") == "date-time":
        return timestamps.parse(value)
    return value
