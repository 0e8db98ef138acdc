"""Records match their schema, whatever values arrive."""

from __future__ import annotations

import json
import logging
from functools import cache
from importlib import resources
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, FormatChecker

from tap_gorgias import schemas, timestamps
from tap_gorgias.records.converter import RecordConverter
from tap_gorgias.records.decoding import decode
from tests.support.cases import table
from tests.support.json_values import JSON_VALUES

LOGGER = logging.getLogger("tests.records")
DATE_TIME = {"type": ["string", "null"], "format": "date-time"}
TEXT = {"type": ["string", "null"]}
WHOLE = {"type": ["integer", "null"]}
NUMBER = {"type": ["number", "null"]}
TRUTH = {"type": ["boolean", "null"]}
FREE = {"type": ["object", "null"]}
WHOLE_LIST = {"type": ["array", "null"], "items": {"type": "integer"}}
TEXT_LIST = {"type": ["array", "null"], "items": {"type": "string"}}
OBJECT_LIST = {
    "type": ["array", "null"],
    "items": {"type": "object", "properties": {"id": WHOLE, "at": DATE_TIME}},
}
NESTED = {
    "type": ["object", "null"],
    "properties": {"at": DATE_TIME, "deep": OBJECT_LIST},
}

CONVERTED: dict[str, tuple[dict[str, Any], object, object]] = {
    "a date without fraction gets six digits": (
        DATE_TIME,
        "2026-08-26T12:46:06+00:00",
        "2026-08-26T12:46:06.000000Z",
    ),
    "a naive date is UTC": (
        DATE_TIME,
        "2026-08-26T12:46:06.5",
        "2026-08-26T12:46:06.500000Z",
    ),
    "a text stays": (TEXT, "12", "12"),
    "an empty text stays": (TEXT, "", ""),
    "a number becomes text": (TEXT, 12, "12"),
    "a boolean becomes JSON text": (TEXT, True, "true"),
    "an object becomes JSON text": (TEXT, {"a": "\u00e9"}, '{"a": "\u00e9"}'),
    "a list becomes JSON text": (TEXT, [1, None], "[1, null]"),
    "a whole number stays": (WHOLE, 12, 12),
    "zero stays": (WHOLE, 0, 0),
    "a whole number in text is a number": (WHOLE, "12", 12),
    "a whole float is a whole number": (WHOLE, 5.0, 5),
    "the largest whole number stays": (WHOLE, 2**63 - 1, 2**63 - 1),
    "the smallest whole number stays": (WHOLE, -(2**63), -(2**63)),
    "a float stays": (NUMBER, 1.5, 1.5),
    "a float in text is a number": (NUMBER, "1.5", 1.5),
    "a boolean stays": (TRUTH, False, False),
    "false in text is false": (TRUTH, "False", False),
    "one is true": (TRUTH, 1, True),
    "zero is false": (TRUTH, 0, False),
    "a free object stays as it is": (
        FREE,
        {"a": [None, {"b": 1}]},
        {"a": [None, {"b": 1}]},
    ),
    "an object in text is an object": (FREE, '{"a": 1}', {"a": 1}),
    "a text for an object is wrapped": (FREE, "x", {"value": "x"}),
    "a list for an object is wrapped": (FREE, [1], {"value": [1]}),
    "a list in text is wrapped as text": (FREE, "[1]", {"value": "[1]"}),
    "a date within an object is converted": (
        NESTED,
        {"at": "2026-08-26"},
        {"at": "2026-08-26T00:00:00.000000Z"},
    ),
    "a date-time within an object is known by its name": (
        {"type": ["object", "null"], "properties": {"sent_datetime": TEXT}},
        {"sent_datetime": "2026-08-26 12:46:06"},
        {"sent_datetime": "2026-08-26T12:46:06.000000Z"},
    ),
    "a new field within an object stays": (NESTED, {"new": 1}, {"new": 1}),
    "a new field beside known ones stays": (
        NESTED,
        {"at": None, "new": 1},
        {"at": None, "new": 1},
    ),
    "lists within objects are converted": (
        NESTED,
        {"deep": [{"id": "7", "at": "2026-08-26"}]},
        {"deep": [{"id": 7, "at": "2026-08-26T00:00:00.000000Z"}]},
    ),
    "a list stays": (WHOLE_LIST, [1, 2], [1, 2]),
    "an empty list stays": (WHOLE_LIST, [], []),
    "nulls leave a list": (WHOLE_LIST, [1, None, 2], [1, 2]),
    "nulls leave a list of texts": (TEXT_LIST, ["a", None], ["a"]),
    "nulls leave a list of objects": (OBJECT_LIST, [None, {"id": 1}], [{"id": 1}]),
    "a single value becomes a list": (WHOLE_LIST, 1, [1]),
    "a single object becomes a list": (OBJECT_LIST, {"id": 1}, [{"id": 1}]),
    "null stays null": (DATE_TIME, None, None),
    "a null object stays null": (NESTED, None, None),
}

BECOMES_NULL: dict[str, tuple[dict[str, Any], object, str]] = {
    "empty date": (DATE_TIME, "", "not valid date-times"),
    "words for a date": (DATE_TIME, "soon", "not valid date-times"),
    "the word now": (DATE_TIME, "now", "not valid date-times"),
    "number for a date": (DATE_TIME, 5, "not valid date-times"),
    "words for a whole number": (WHOLE, "many", "not 64-bit integers"),
    "empty text for a whole number": (WHOLE, "", "not 64-bit integers"),
    "fraction for a whole number": (WHOLE, 1.5, "not 64-bit integers"),
    "too large a number": (WHOLE, 2**63, "not 64-bit integers"),
    "infinity for a whole number": (WHOLE, "inf", "not 64-bit integers"),
    "list for a whole number": (WHOLE, [1], "not 64-bit integers"),
    "true for a whole number": (WHOLE, True, "not 64-bit integers"),
    "true for a number": (NUMBER, True, "not finite numbers"),
    "words for a number": (NUMBER, "much", "not finite numbers"),
    "object for a number": (NUMBER, {}, "not finite numbers"),
    "too large a number in digits": (NUMBER, "1" * 400, "not finite numbers"),
    "infinity in words": (NUMBER, "inf", "not finite numbers"),
    "two for a boolean": (TRUTH, 2, "neither true nor false"),
    "words for a boolean": (TRUTH, "maybe", "neither true nor false"),
    "list for a boolean": (TRUTH, [True], "neither true nor false"),
}


@cache
def schema_of(stream: str) -> dict[str, Any]:
    """Load the schema of a stream."""
    text = (resources.files(schemas) / f"{stream}.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


STREAMS = sorted(
    file.name.removesuffix(".json")
    for file in resources.files(schemas).iterdir()
    if file.name.endswith(".json")
)


def convert(schema: dict[str, Any], value: object) -> object:
    """Convert the value of a property `field` as a response brings it."""
    converter = RecordConverter({"properties": {"field": schema}}, LOGGER)
    return converter.convert(decode(json.dumps({"field": value}).encode()))["field"]


def fits(schema: dict[str, Any], value: object) -> bool:
    """Return whether a strict target would accept a value."""
    checker = FormatChecker(formats=())
    checker.checks("date-time", raises=ValueError)(
        lambda text: text is None or timestamps.render(timestamps.parse(text)) == text
    )
    return Draft7Validator(schema, format_checker=checker).is_valid(value)


@table(CONVERTED)
def test_a_value_is_converted(case: tuple[dict[str, Any], object, object]) -> None:
    """Targets are strict where the API is not."""
    schema, value, converted = case
    result = convert(schema, value)
    assert result == converted
    assert type(result) is type(converted)


@table(BECOMES_NULL)
def test_a_value_that_cannot_be_converted_becomes_null(
    case: tuple[dict[str, Any], object, str], caplog: pytest.LogCaptureFixture
) -> None:
    """A warning names the field and the reason, but not the value."""
    schema, value, reason = case
    assert convert(schema, value) is None
    assert caplog.messages == [
        f"Some values of `field` are {reason}; they become null."
    ]


def test_a_repeated_problem_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    """The number of log lines does not grow with the rows."""
    converter = RecordConverter(
        {"properties": {"a": DATE_TIME, "b": DATE_TIME}}, LOGGER
    )
    for _ in range(3):
        converter.convert({"a": "", "b": "soon", "new": 1})
    assert len(caplog.messages) == 3


def test_a_problem_within_a_list_is_reported_with_its_path(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The path leads to the value through lists and objects."""
    assert convert(NESTED, {"deep": [{"at": "x"}]}) == {"deep": [{"at": None}]}
    (warning,) = caplog.messages
    assert "`field.deep[].at`" in warning


def test_an_invalid_item_is_removed_from_its_list(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Some warehouses have no nulls in arrays."""
    assert convert(WHOLE_LIST, [1, "x", 2]) == [1, 2]
    assert len(caplog.messages) == 1


def test_an_unknown_field_is_dropped_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No data is dropped silently, and the log does not show the value."""
    converter = RecordConverter({"properties": {"id": WHOLE}}, LOGGER)
    assert converter.convert({"id": 1, "mood": "private"}) == {"id": 1}
    (warning,) = caplog.messages
    assert "`mood`" in warning
    assert "left out" in warning
    assert "private" not in warning


def test_a_record_has_all_columns_in_the_order_of_the_schema() -> None:
    """Some targets take the columns of a row by their position."""
    columns = {"id": WHOLE, "a": TEXT, "b": TEXT}
    converter = RecordConverter({"properties": columns}, LOGGER, ["b"])
    record = converter.convert({"b": "x", "id": 1})
    assert list(record.items()) == [("id", 1), ("a", None)]


def test_the_input_row_is_not_modified() -> None:
    """Positions are derived from it afterwards."""
    row = {"at": "2026-08-26", "deep": [{"id": "7"}, None]}
    before = json.dumps(row)
    convert(NESTED, row)
    assert json.dumps(row) == before


@pytest.mark.parametrize("stream", STREAMS)
@given(st.data())
def test_any_value_fits_its_property_once_converted(
    stream: str, data: st.DataObject
) -> None:
    """No value of Gorgias breaks a load; at worst a key becomes null."""
    properties = schema_of(stream)["properties"]
    row = cast("dict[str, object]", data.draw(like(schema_of(stream))))
    for name, value in row.items():
        converted = convert(properties[name], value)
        assert converted is None or fits(properties[name], converted)


@pytest.mark.parametrize(
    "schema",
    [NUMBER, WHOLE_LIST, NESTED],
    ids=["number", "list of numbers", "nested object"],
)
@given(JSON_VALUES)
def test_any_value_fits_types_that_no_stream_has_yet(
    schema: dict[str, Any], value: object
) -> None:
    """Future streams may have them."""
    assert fits(schema, convert(schema, value))


def like(schema: dict[str, Any]) -> st.SearchStrategy[object]:
    """Generate values that resemble a schema, so that nested conversion is covered."""
    if properties := schema.get("properties"):
        near = {name: JSON_VALUES | like(item) for name, item in properties.items()}
        return st.fixed_dictionaries({}, optional=near)
    if items := schema.get("items"):
        return st.lists(JSON_VALUES | like(items), max_size=3)
    return JSON_VALUES
