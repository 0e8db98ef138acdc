"""The output of the tap can be loaded into BigQuery and Snowflake."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from tap_gorgias.streams import STREAMS
from tests.contract.package.bigquery import (
    LARGEST_ROW,
    problems_in_record,
    problems_in_schema,
)
from tests.sandbox import Sandbox
from tests.support.runs import everything, run
from tests.targets import shop

if TYPE_CHECKING:
    from tests.support.runs import Output

LARGEST_SNOWFLAKE_VALUE = 16_000_000  # bytes in a VARIANT or VARCHAR

TEXT = {"type": ["string", "null"]}
JSON = {"type": ["object", "null"]}
DATE_TIME = {"type": ["string", "null"], "format": "date-time"}


@cache
def output() -> Output:
    """The output of a read of the whole shop, including rows that are hard to load."""
    filled, _ = shop.planted_shop()
    with Sandbox(filled) as sandbox:
        return run(sandbox.config, catalog=everything())


def schema_of(properties: dict[str, Any], *keys: str) -> dict[str, Any]:
    """Return a SCHEMA message."""
    properties = {"id": {"type": "integer"}, **properties}
    schema = {"type": "object", "properties": properties}
    return {"schema": schema, "key_properties": list(keys) or ["id"]}


def nested(depth: int, inmost: dict[str, Any]) -> dict[str, Any]:
    """Nest a column in a number of records."""
    for _ in range(depth):
        inmost = {"type": ["object", "null"], "properties": {"a": inmost}}
    return inmost


@pytest.mark.parametrize("stream", [stream.name for stream in STREAMS])
def test_schemas_become_tables(stream: str) -> None:
    """Names, types, nesting and keys are within BigQuery's limits."""
    assert problems_in_schema(output().schemas[stream]) == []


@pytest.mark.parametrize("stream", [stream.name for stream in STREAMS])
def test_records_become_rows(stream: str) -> None:
    """Each value matches its column, and each row fits into a request."""
    schema, records = output().schemas[stream]["schema"], output().records(stream)

    assert records
    for record in records:
        assert problems_in_record(schema, record) == []
        assert len(json.dumps(record, ensure_ascii=False).encode()) < LARGEST_ROW


@pytest.mark.parametrize("stream", [stream.name for stream in STREAMS])
def test_records_fit_into_snowflake(stream: str) -> None:
    """Column names are unique regardless of case, and each value fits into a cell."""
    names = [name.upper() for name in output().schemas[stream]["schema"]["properties"]]

    assert len(set(names)) == len(names)
    for record in output().records(stream):
        for value in record.values():
            text = json.dumps(value, ensure_ascii=False)
            assert len(text.encode()) < LARGEST_SNOWFLAKE_VALUE


@pytest.mark.parametrize(
    ("properties", "fault"),
    [
        ({"a-b": TEXT}, "a-b: no name for a column"),
        ({"1a": TEXT}, "1a: no name for a column"),
        ({"a" * 301: TEXT}, f"{'a' * 301}: no name for a column"),
        ({"größe": TEXT}, "größe: no name for a column"),
        ({"_table_x": TEXT}, "_table_x: reserved prefix"),
        ({"_PARTITIONTIME": TEXT}, "_PARTITIONTIME: reserved prefix"),
        ({"a": TEXT, "A": TEXT}, "A: differs from another column in case alone"),
        ({"ID": TEXT}, "ID: differs from another column in case alone"),
        ({"a": {}}, "a: not of one type"),
        ({"a": {"type": ["string", "integer"]}}, "a: not of one type"),
        ({"a": {**TEXT, "enum": ["x"]}}, "a: enum"),
        ({"a": {**TEXT, "anyOf": [TEXT]}}, "a: anyOf"),
        ({"a": {**TEXT, "format": "email"}}, "a: format email"),
        (
            {"a": {"type": "array", "items": {"type": "array", "items": TEXT}}},
            "a: array of arrays",
        ),
        (
            {"a": {"type": "array", "items": nested(1, {"type": "x"})}},
            "a[].a: not of one type",
        ),
        ({"a": nested(16, TEXT)}, f"{'.'.join('a' * 16)}: nested too deep"),
        ({"a": nested(1, {**TEXT, "oneOf": []})}, "a.a: oneOf"),
    ],
)
def test_an_invalid_column_is_reported(properties: dict[str, Any], fault: str) -> None:
    """Each case has one problem."""
    assert problems_in_schema(schema_of(properties)) == [fault]


def test_an_invalid_table_is_reported() -> None:
    """A table may lack a key, have an invalid one, be closed, or be too wide."""
    good = schema_of({"at": DATE_TIME})
    closed = {**good, "schema": good["schema"] | {"additionalProperties": False}}
    wide = schema_of({f"c{n}": TEXT for n in range(10_000)})

    assert problems_in_schema(good) == []
    assert problems_in_schema({**good, "key_properties": []})
    assert problems_in_schema(schema_of({}, "a")) == ["a: key without a column"]
    assert problems_in_schema(schema_of({"at": DATE_TIME}, "at")) == [
        "at: no type for a key"
    ]
    assert problems_in_schema(closed) == ["closed: a new column would end the load"]
    assert problems_in_schema(wide) == ["too many columns"]


@pytest.mark.parametrize(
    ("column", "value", "fault"),
    [
        ({"type": "integer"}, None, "a: null in a required column"),
        ({"type": "integer"}, 2**63, "a: beyond INT64"),
        ({"type": "integer"}, 5.0, "a: not of type integer"),
        ({"type": "integer"}, True, "a: not of type integer"),
        ({"type": "number"}, float("inf"), "a: not finite"),
        ({"type": "boolean"}, "false", "a: not of type boolean"),
        (TEXT, 7, "a: not of type string"),
        (TEXT, "a\0b", "a: NUL in a text"),
        (TEXT, "\ud83d", "a: half of a surrogate pair"),
        (DATE_TIME, "", "a: no timestamp"),
        (DATE_TIME, "0000-01-01T00:00:00Z", "a: no timestamp"),
        (DATE_TIME, "2026-02-30T00:00:00Z", "a: no timestamp"),
        (DATE_TIME, "2026-02-03T00:00:00.1234567Z", "a: no timestamp"),
        (DATE_TIME, "2026-02-03T00:00:00", "a: no timestamp"),
        ({"type": "array", "items": TEXT}, ["x", None], "a[]: null in an array"),
        ({"type": "array", "items": TEXT}, [7], "a[]: not of type string"),
        (nested(1, TEXT), {"b": "x"}, "a.b: no such column"),
        (nested(1, TEXT), "x", "a: not of type object"),
        (JSON, {"x": [2**64]}, "a.*[]: beyond what JSON holds"),
        (JSON, {"x": float("nan")}, "a.*: not finite"),
        (JSON, {"x\0": 1}, "a.*: NUL in a text"),
    ],
)
def test_an_invalid_value_is_reported(
    column: dict[str, Any],
    value: Any,  # noqa: ANN401
    fault: str,
) -> None:
    """Each case has one problem, which does not show the value."""
    schema = schema_of({"a": column})["schema"]
    assert problems_in_record(schema, {"id": 1, "a": value}) == [fault]


def test_free_form_objects_may_have_any_names() -> None:
    """They become JSON, so their names are not columns."""
    schema = schema_of({"a": JSON})["schema"]
    record = {"id": 1, "a": {"x-y": 1, "X-Y": None, "": [1, "2", [None]]}}
    assert problems_in_record(schema, record) == []
