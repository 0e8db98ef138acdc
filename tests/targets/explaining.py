"""Reasons why a value that was read back differs from what the tap wrote."""

from __future__ import annotations

import ast
import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tap_gorgias import timestamps

if TYPE_CHECKING:
    from collections.abc import Callable

Schema = dict[str, Any]

_DECIMAL = re.compile(r"Decimal\('([^']*)'\)")
_TRUTHS = {"true": True, "false": False, "1": True, "0": False}


def difference(schema: Schema, written: Any, found: Any) -> str | None:  # noqa: ANN401
    """Explain how a value of a column differs from the one that was written.

    Args:
        schema: JSON schema of the column.
        written: The value that the tap wrote.
        found: The value that was read back, in whatever form the target stores it.

    Returns:
        A reason; None if both are the same value, even if one is its text.
    """
    written, found = _value(schema, written), _value(schema, found)
    if written == found:
        return None
    for reason, undo in _REASONS:
        if undo(schema, written) == undo(schema, found):
            return reason
    return "null" if found is None else "another value"


def _value(schema: Schema, value: Any) -> Any:  # noqa: ANN401
    """Undo what is only a matter of form: the text of a value that is not text."""
    types = schema["type"]
    if value is None or (isinstance(value, str) and not value):
        return value
    try:
        if schema.get("format") == "date-time":
            return timestamps.parse(str(value).replace(" ", "T", 1))
        if "boolean" in types:
            return _TRUTHS[str(value).lower()]
        if "integer" in types:
            return int(value)
        if "number" in types:
            return float(value)
        if ("object" in types or "array" in types) and isinstance(value, str):
            return json.loads(value)
    except (KeyError, TypeError, ValueError):
        return value
    return _of_flattened(value) if "string" in types else value


def _of_flattened(value: Any) -> Any:  # noqa: ANN401
    """Decode the text of an object, which spaces may set apart."""
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _python(_: Schema, value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            return ast.literal_eval(_DECIMAL.sub(r"\1", value))
        except (SyntaxError, ValueError):
            return value
    return value


def _whole_seconds(_: Schema, value: Any) -> Any:  # noqa: ANN401
    return value.replace(microsecond=0) if isinstance(value, datetime) else value


def _milliseconds(_: Schema, value: Any) -> Any:  # noqa: ANN401
    if not isinstance(value, datetime):
        return value
    return value.replace(microsecond=value.microsecond // 1000 * 1000)


def _escapes(_: Schema, value: Any) -> Any:  # noqa: ANN401
    if not isinstance(value, str):
        return value
    for escape, character in (("\\n", "\n"), ("\\r", "\r"), ("\\t", "\t")):
        value = value.replace(character, escape)
    return value.replace("\\", "")


def _zero(schema: Schema, value: Any) -> Any:  # noqa: ANN401
    is_number = not {"integer", "number", "boolean"}.isdisjoint(schema["type"])
    return value or 0 if is_number else value


_REASONS: tuple[tuple[str, Callable[[Schema, Any], Any]], ...] = (
    ("null and empty text are one", lambda _, value: None if value == "" else value),
    ("an object in Python's notation", _python),
    ("milliseconds only", _milliseconds),
    ("seconds only", _whole_seconds),
    ("line breaks, tabs or backslashes as other characters", _escapes),
    ("NULL is null", lambda _, value: None if value == "NULL" else value),
    ("missing numbers and booleans are 0", _zero),
    (
        "spaces at the end are cut",
        lambda _, value: value.rstrip() if isinstance(value, str) else value,
    ),
)
