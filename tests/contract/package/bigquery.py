"""BigQuery's limits, checked without a server.

A target creates a column for each property: RECORD for an object with properties, JSON
for an object without, REPEATED for an array.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from tap_gorgias import timestamps

if TYPE_CHECKING:
    from collections.abc import Iterator

Schema = dict[str, Any]

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,299}")
RESERVED = (
    "_CHANGE_SEQUENCE_NUMBER",
    "_CHANGE_TYPE",
    "_COLIDENTIFIER",
    "_FILE_",
    "_PARTITION",
    "_ROW_TIMESTAMP",
    "_TABLE_",
    "__ROOT__",
)
DEEPEST_RECORD = 15
MOST_COLUMNS = 10_000
LARGEST_ROW = 10_000_000  # bytes in one request of the Storage Write API
INTEGERS = range(-(2**63), 2**63)
JSON_INTEGERS = range(-(2**63), 2**64)
DEEPEST_JSON = 500
TYPES = {"array", "boolean", "integer", "number", "object", "string"}
FORBIDDEN = ("$ref", "allOf", "anyOf", "enum", "not", "oneOf", "pattern", "const")
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


def kind_of(schema: Schema) -> str | None:
    """Return the only type other than null, or None if there is not exactly one."""
    named = schema.get("type", [])
    kinds = set([named] if isinstance(named, str) else named) - {"null"}
    return kinds.pop() if len(kinds) == 1 and kinds <= TYPES else None


def is_record(schema: Schema) -> bool:
    """Return whether an object has columns of its own."""
    return kind_of(schema) == "object" and bool(schema.get("properties"))


def problems_in_schema(message: Schema) -> list[str]:
    """Return everything in a SCHEMA message that BigQuery or a target refuses.

    Args:
        message: The message with `schema` and `key_properties`.

    Returns:
        A line for each fault, with the path of the column.
    """
    schema = message["schema"]
    return [
        *_key_problems(schema, message["key_properties"]),
        *_columns_problems(schema, "", depth=0),
        *(["too many columns"] if _count(schema) > MOST_COLUMNS else []),
    ]


def _key_problems(schema: Schema, keys: list[str]) -> Iterator[str]:
    if not keys:
        yield "no key to update rows by"
    for key in keys:
        column = schema["properties"].get(key)
        if column is None:
            yield f"{key}: key without a column"
        elif kind_of(column) not in {"integer", "string"} or "format" in column:
            yield f"{key}: no type for a key"


def _columns_problems(schema: Schema, path: str, depth: int) -> Iterator[str]:
    if depth > DEEPEST_RECORD:
        yield f"{path}: nested too deep"
    if path == "" and schema.get("additionalProperties") is False:
        yield "closed: a new column would end the load"
    known: set[str] = set()
    for name, column in schema["properties"].items():
        here = f"{path}.{name}".lstrip(".")
        if not NAME.fullmatch(name):
            yield f"{here}: no name for a column"
        if name.upper().startswith(RESERVED):
            yield f"{here}: reserved prefix"
        if name.lower() in known:
            yield f"{here}: differs from another column in case alone"
        known.add(name.lower())
        yield from _column_problems(column, here, depth)


def _column_problems(column: Schema, path: str, depth: int) -> Iterator[str]:
    kind = kind_of(column)
    for keyword in FORBIDDEN:
        if keyword in column:
            yield f"{path}: {keyword}"
    if kind is None:
        yield f"{path}: not of one type"
    elif kind == "array":
        items = column.get("items", {"type": "object"})
        if kind_of(items) == "array":
            yield f"{path}: array of arrays"
        yield from _column_problems(items, f"{path}[]", depth)
    elif is_record(column):
        yield from _columns_problems(column, path, depth + 1)
    elif column.get("format", "date-time") != "date-time":
        yield f"{path}: format {column['format']}"


def _count(schema: Schema) -> int:
    children = schema.get("properties", {}).values()
    if "items" in schema:
        children = [schema["items"]]
    return sum(1 + _count(child) for child in children)


def problems_in_record(schema: Schema, record: dict[str, Any]) -> list[str]:
    """Return everything in a record that BigQuery or a target refuses.

    Args:
        schema: The stream's schema, which must be valid.
        record: The record of a RECORD message.

    Returns:
        A line for each problem with the path of the column, but without values.
    """
    return list(_value_problems(schema, record, ""))


def _value_problems(schema: Schema, value: object, path: str) -> Iterator[str]:
    kind = str(kind_of(schema))
    if value is None:
        if "null" not in schema["type"]:
            yield f"{path}: null in a required column"
    elif not _fits(kind, value):
        yield f"{path}: not of type {kind}"
    elif isinstance(value, list):
        yield from _item_problems(schema.get("items", {"type": "object"}), value, path)
    elif isinstance(value, dict) and is_record(schema):
        yield from _field_problems(schema["properties"], value, path)
    elif isinstance(value, dict):
        yield from _json_problems(value, path, 1)
    else:
        yield from _scalar_problems(schema, value, path)


def _fits(kind: str, value: object) -> bool:
    return {
        "array": isinstance(value, list),
        "boolean": isinstance(value, bool),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "object": isinstance(value, dict),
        "string": isinstance(value, str),
    }[kind]


def _item_problems(items: Schema, values: list[object], path: str) -> Iterator[str]:
    for item in values:
        if item is None:
            yield f"{path}[]: null in an array"
        else:
            yield from _value_problems(items, item, f"{path}[]")


def _field_problems(columns: Schema, row: Schema, path: str) -> Iterator[str]:
    for name, value in row.items():
        here = f"{path}.{name}".lstrip(".")
        if name in columns:
            yield from _value_problems(columns[name], value, here)
        else:
            yield f"{here}: no such column"


def _scalar_problems(schema: Schema, value: object, path: str) -> Iterator[str]:
    if isinstance(value, str):
        if "\0" in value:
            yield f"{path}: NUL in a text"
        try:
            value.encode()
        except UnicodeEncodeError:
            yield f"{path}: half of a surrogate pair"
        if schema.get("format") == "date-time" and not _is_timestamp(value):
            yield f"{path}: no timestamp"
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{path}: not finite"
    elif isinstance(value, int) and value not in INTEGERS:
        yield f"{path}: beyond INT64"


def _json_problems(value: object, path: str, depth: int) -> Iterator[str]:
    """Check a value in a JSON column, where names are free and types may vary."""
    if depth > DEEPEST_JSON:
        yield f"{path}: nested too deep"
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _scalar_problems({}, name, f"{path}.*")
            yield from _json_problems(part, f"{path}.*", depth + 1)
    elif isinstance(value, list):
        for part in value:
            yield from _json_problems(part, f"{path}[]", depth + 1)
    elif isinstance(value, int) and not isinstance(value, bool):
        if value not in JSON_INTEGERS:
            yield f"{path}: beyond what JSON holds"
    else:
        yield from _scalar_problems({}, value, path)


def _is_timestamp(text: str) -> bool:
    if not DATE_TIME.fullmatch(text):
        return False
    try:
        timestamps.parse(text)  # limited to the years 1 to 9999, as in BigQuery
    except ValueError:
        return False
    return True
