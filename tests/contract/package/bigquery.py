"""What BigQuery accepts, for lack of a server to try it on.

A target makes a column of each property: RECORD of an object with properties, JSON of
an object without, REPEATED of an array.
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
    """Return the one type beside null; None if there is none, or more than one."""
    named = schema.get("type", [])
    kinds = set([named] if isinstance(named, str) else named) - {"null"}
    return kinds.pop() if len(kinds) == 1 and kinds <= TYPES else None


def is_record(schema: Schema) -> bool:
    """Tell whether an object has columns of its own."""
    return kind_of(schema) == "object" and bool(schema.get("properties"))


def wrong_in_schema(message: Schema) -> list[str]:
    """Name everything that BigQuery, or a target for it, refuses in a SCHEMA message.

    Args:
        message: With `schema` and `key_properties`.

    Returns:
        A line for each fault, with the path of the column.
    """
    schema = message["schema"]
    return [
        *_wrong_keys(schema, message["key_properties"]),
        *_wrong_columns(schema, "", depth=0),
        *(["too many columns"] if _count(schema) > MOST_COLUMNS else []),
    ]


def _wrong_keys(schema: Schema, keys: list[str]) -> Iterator[str]:
    if not keys:
        yield "no key to update rows by"
    for key in keys:
        column = schema["properties"].get(key)
        if column is None:
            yield f"{key}: key without a column"
        elif kind_of(column) not in {"integer", "string"} or "format" in column:
            yield f"{key}: no type for a key"


def _wrong_columns(schema: Schema, path: str, depth: int) -> Iterator[str]:
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
        yield from _wrong_column(column, here, depth)


def _wrong_column(column: Schema, path: str, depth: int) -> Iterator[str]:
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
        yield from _wrong_column(items, f"{path}[]", depth)
    elif is_record(column):
        yield from _wrong_columns(column, path, depth + 1)
    elif column.get("format", "date-time") != "date-time":
        yield f"{path}: format {column['format']}"


def _count(schema: Schema) -> int:
    children = schema.get("properties", {}).values()
    if "items" in schema:
        children = [schema["items"]]
    return sum(1 + _count(child) for child in children)


def wrong_in_record(schema: Schema, record: dict[str, Any]) -> list[str]:
    """Name everything that BigQuery, or a target for it, refuses in a record.

    Args:
        schema: That of the stream, without faults.
        record: As in a RECORD message.

    Returns:
        A line for each fault, with the path of the column. Values are not shown.
    """
    return list(_wrong_value(schema, record, ""))


def _wrong_value(schema: Schema, value: object, path: str) -> Iterator[str]:
    kind = str(kind_of(schema))
    if value is None:
        if "null" not in schema["type"]:
            yield f"{path}: null in a required column"
    elif not _fits(kind, value):
        yield f"{path}: not of type {kind}"
    elif isinstance(value, list):
        yield from _wrong_items(schema.get("items", {"type": "object"}), value, path)
    elif isinstance(value, dict) and is_record(schema):
        yield from _wrong_fields(schema["properties"], value, path)
    elif isinstance(value, dict):
        yield from _wrong_json(value, path, 1)
    else:
        yield from _wrong_scalar(schema, value, path)


def _fits(kind: str, value: object) -> bool:
    return {
        "array": isinstance(value, list),
        "boolean": isinstance(value, bool),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "object": isinstance(value, dict),
        "string": isinstance(value, str),
    }[kind]


def _wrong_items(items: Schema, values: list[object], path: str) -> Iterator[str]:
    for item in values:
        if item is None:
            yield f"{path}[]: null in an array"
        else:
            yield from _wrong_value(items, item, f"{path}[]")


def _wrong_fields(columns: Schema, row: Schema, path: str) -> Iterator[str]:
    for name, value in row.items():
        here = f"{path}.{name}".lstrip(".")
        if name in columns:
            yield from _wrong_value(columns[name], value, here)
        else:
            yield f"{here}: no such column"


def _wrong_scalar(schema: Schema, value: object, path: str) -> Iterator[str]:
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


def _wrong_json(value: object, path: str, depth: int) -> Iterator[str]:
    """Check a value within a JSON column, where names are free and types are mixed."""
    if depth > DEEPEST_JSON:
        yield f"{path}: nested too deep"
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _wrong_scalar({}, name, f"{path}.*")
            yield from _wrong_json(part, f"{path}.*", depth + 1)
    elif isinstance(value, list):
        for part in value:
            yield from _wrong_json(part, f"{path}[]", depth + 1)
    elif isinstance(value, int) and not isinstance(value, bool):
        if value not in JSON_INTEGERS:
            yield f"{path}: beyond what JSON holds"
    else:
        yield from _wrong_scalar({}, value, path)


def _is_timestamp(text: str) -> bool:
    if not DATE_TIME.fullmatch(text):
        return False
    try:
        timestamps.parse(text)  # which knows the years 1 to 9999, as BigQuery does
    except ValueError:
        return False
    return True
