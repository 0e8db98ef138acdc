"""Every schema can be loaded by all common targets without loss."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft7Validator

from tap_gorgias import schemas
from tap_gorgias.streams import STREAMS
from tap_gorgias.tap import TapGorgias

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_gorgias.stream_types.stream import GorgiasStream

SCHEMAS: dict[str, dict[str, Any]] = {
    file.name.removesuffix(".json"): json.loads(file.read_text("utf-8"))
    for file in resources.files(schemas).iterdir()
    if file.name.endswith(".json")
}
TYPES = {"array", "boolean", "integer", "number", "object", "string"}
KEYWORDS = {
    "additionalProperties",
    "description",
    "format",
    "items",
    "maximum",
    "maxLength",
    "minimum",
    "properties",
    "type",
}
PERSONAL = "x-personal"
"""The mark of personal data, which catalogs and SCHEMA messages do not contain."""
MARKS: tuple[list[str], ...] = ([], ["person"], ["text"], ["person", "text"])
LONGEST_NAME = 63  # PostgreSQL truncates longer names
ORDERS = {"custom_fields": "priority"}  # where Gorgias offers no other order
DOCUMENTED: dict[str, list[str]] = json.loads(
    (Path(__file__).parent / "documented_fields.json").read_text("utf-8")
)

per_schema = pytest.mark.parametrize("name", sorted(SCHEMAS))
per_stream = pytest.mark.parametrize("stream", STREAMS, ids=lambda one: one.name)


def nodes(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every schema node with its path, the root first."""
    yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from nodes(inner, f"{path}.{name}")
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")


def kinds(schema: dict[str, Any]) -> list[str]:
    """Return the types of a value."""
    kind = schema["type"]
    return [kind] if isinstance(kind, str) else list(kind)


def keys_of(name: str) -> tuple[str, ...]:
    """Return the primary key of the stream that a schema belongs to."""
    return next(tuple(one.primary_keys) for one in STREAMS if one.name == name)


def properties_of(name: str, *, root: bool = False) -> Iterator[tuple[str, Any]]:
    """Yield the properties of a schema at any depth."""
    yield from ((path, node) for path, node in nodes(SCHEMAS[name]) if path or root)


def test_every_stream_has_a_schema_and_every_schema_a_stream() -> None:
    """A schema without a stream is unused, and a stream without one cannot start."""
    assert set(SCHEMAS) == {stream.name for stream in STREAMS}


def test_streams_are_listed_once_and_in_alphabetical_order() -> None:
    """The code shows the order in which the SDK reads them."""
    names = [stream.name for stream in STREAMS]
    assert names == sorted(set(names))


@per_schema
def test_a_schema_is_valid(name: str) -> None:
    """It is valid JSON Schema, and its root is an object."""
    Draft7Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["type"] == "object"


@per_schema
def test_only_keywords_that_survive_the_catalog_are_used(name: str) -> None:
    """`enum`, `oneOf`, `anyOf`, `pattern`, `required` and others break some target."""
    found = {
        f"{path}: {keyword}"
        for path, node in properties_of(name, root=True)
        for keyword in node.keys() - KEYWORDS - {PERSONAL}
    }
    assert not found


@per_schema
def test_every_property_has_one_type(name: str) -> None:
    """Targets treat several types other than null in different ways."""
    wrong = {
        path
        for path, node in properties_of(name)
        if len([kind for kind in kinds(node) if kind != "null"]) != 1
        or not set(kinds(node)) <= TYPES | {"null"}
    }
    assert not wrong


@per_schema
def test_every_integer_has_the_bounds_of_64_bits(name: str) -> None:
    """Targets make BIGINT of it, not NUMERIC or HUGEINT, which exports round."""
    for path, node in properties_of(name):
        bounds = node.get("minimum"), node.get("maximum")
        expected = (-(2**63), 2**63 - 1) if "integer" in kinds(node) else (None, None)
        assert bounds == expected, path


@per_stream
def test_a_text_has_a_length_only_if_it_is_a_key(stream: type[GorgiasStream]) -> None:
    """MySQL and SQL Server need it in a key; elsewhere it would refuse long texts."""
    for path, node in properties_of(stream.name):
        is_key = path.removeprefix(".") in stream.primary_keys
        assert ("maxLength" in node) is (is_key and "string" in kinds(node)), path


@per_schema
def test_everything_but_keys_and_items_may_be_null(name: str) -> None:
    """Gorgias may omit any field; some warehouses have no nulls in arrays."""
    for path, node in properties_of(name):
        fixed = path.endswith("[]") or path.removeprefix(".") in keys_of(name)
        assert ("null" in kinds(node)) is not fixed, path


@per_schema
def test_date_time_is_the_only_format(name: str) -> None:
    """Targets create columns for other formats that do not fit the values."""
    formats = {node["format"] for _, node in properties_of(name) if "format" in node}
    assert formats <= {"date-time"}


@per_schema
def test_a_column_named_like_a_date_time_is_one(name: str) -> None:
    """Otherwise it would be loaded as text, or not be converted."""
    for column, node in SCHEMAS[name]["properties"].items():
        assert column.endswith("_datetime") is (node.get("format") == "date-time"), (
            column
        )


@per_schema
def test_a_date_time_inside_a_value_is_a_text(name: str) -> None:
    """A nested format has no column, and crashes singer-check-tap on a null object."""
    for path, node in properties_of(name):
        if path.removeprefix(".") not in SCHEMAS[name]["properties"]:
            assert "format" not in node, path
            assert not path.endswith("_datetime") or kinds(node)[0] == "string", path


@per_schema
def test_formats_belong_to_strings(name: str) -> None:
    """The converter checks the format first."""
    assert all(
        "string" in kinds(node) for _, node in properties_of(name) if "format" in node
    )


@per_schema
def test_arrays_declare_their_items(name: str) -> None:
    """An array without items breaks BigQuery and the SDK."""
    for path, node in properties_of(name):
        assert ("array" in kinds(node)) is ("items" in node), path


@per_schema
def test_a_free_form_object_has_no_properties(name: str) -> None:
    """Some targets silently drop a column with an empty list of properties."""
    for path, node in properties_of(name):
        if path.endswith("[]") and node.get("properties") == {}:
            assert node["additionalProperties"] is True, path
        elif "properties" in node:
            assert kinds(node)[0] == "object", path
            assert node["properties"], path


@per_schema
def test_objects_in_arrays_have_properties(name: str) -> None:
    """The SDK requires them, even if the list is empty."""
    for path, node in properties_of(name):
        if path.endswith("[]") and "object" in kinds(node):
            assert "properties" in node, path


@per_schema
def test_no_object_forbids_additional_properties(name: str) -> None:
    """A new field of Gorgias must not make a target refuse the record."""
    for path, node in properties_of(name, root=True):
        assert node.get("additionalProperties", True) is True, path


@per_schema
def test_everything_is_described(name: str) -> None:
    """The catalog documents the columns."""
    for path, node in properties_of(name, root=True):
        if not path.endswith("[]"):
            text = node.get("description", "")
            assert text == text.strip(), path
            assert re.search(r"[A-Za-z]{3}.*\.$", text), path


@per_schema
def test_column_names_fit_every_warehouse(name: str) -> None:
    """They have lower-case letters, digits and underscores, at most 63 characters."""
    for column in SCHEMAS[name]["properties"]:
        assert re.fullmatch(r"[a-z_][a-z0-9_]*", column, re.ASCII), column
        assert len(column) <= LONGEST_NAME, column


@per_schema
def test_nested_names_fit_every_warehouse_when_flattened(name: str) -> None:
    """Flattening joins them with two underscores."""
    for path, _ in properties_of(name):
        if "[]" not in path:
            flat = path.removeprefix(".").replace(".", "__")
            assert re.fullmatch(r"[a-z_][a-z0-9_]*", flat, re.ASCII), path
            assert len(flat) <= LONGEST_NAME, path


@per_stream
def test_primary_keys_are_never_null(stream: type[GorgiasStream]) -> None:
    """A target finds the row to update by them; a date-time would crash one target."""
    assert stream.primary_keys
    for key in stream.primary_keys:
        node = SCHEMAS[stream.name]["properties"][key]
        assert kinds(node) in (["integer"], ["string"])
        assert "format" not in node


@per_stream
def test_the_replication_key_is_a_date_time(stream: type[GorgiasStream]) -> None:
    """Bookmarks are timestamps."""
    if stream.replication_key is not None:
        node = SCHEMAS[stream.name]["properties"][stream.replication_key]
        assert node["format"] == "date-time"


@per_stream
def test_an_order_is_by_a_property_of_the_stream(stream: type[GorgiasStream]) -> None:
    """An incremental stream is sorted by its replication key."""
    if stream.order_by is None:
        return
    key, direction = stream.order_by.split(":")
    only = ORDERS.get(stream.name, "created_datetime")
    assert key == (stream.replication_key or only)
    assert key in SCHEMAS[stream.name]["properties"]
    assert direction in {"asc", "desc"}


@per_stream
def test_a_stream_declares_its_path_and_scope(
    stream: type[GorgiasStream],
) -> None:
    """Refusals name the scope, and the docstring is the description."""
    assert re.fullmatch(r"/api/[a-z_{}/-]+", stream.path)
    assert re.fullmatch(r"[a-z_]+:read", stream.scope)
    assert (stream.__doc__ or "").strip()


@per_schema
def test_every_documented_field_is_declared(name: str) -> None:
    """The list is taken from Gorgias' documentation and observed answers."""
    missing = set(DOCUMENTED[name]) - SCHEMAS[name]["properties"].keys()
    assert not missing


def test_the_documented_fields_are_those_of_the_streams() -> None:
    """Every list belongs to an existing stream."""
    assert DOCUMENTED.keys() == SCHEMAS.keys()
    assert all(fields == sorted(set(fields)) for fields in DOCUMENTED.values())


@per_stream
def test_masked_parts_are_properties(stream: type[GorgiasStream]) -> None:
    """A misspelled path would mask nothing."""
    paths = {path.replace("[]", "") for path, _ in nodes(SCHEMAS[stream.name])}
    assert {f".{path}" for path in stream.masks if path} <= paths


@per_schema
def test_every_column_says_whether_it_is_personal(name: str) -> None:
    """Numbers, booleans and date-times are not, ids are only with another table."""
    for column, node in SCHEMAS[name]["properties"].items():
        is_plain = not {"string", "object", "array"}.intersection(kinds(node))
        if is_plain or node.get("format") == "date-time":
            assert PERSONAL not in node, column
        else:
            assert node.get(PERSONAL) in MARKS, f"`{column}` needs a mark"


def test_marks_stay_inside_the_tap() -> None:
    """Targets do not know the keyword."""
    assert PERSONAL in json.dumps(SCHEMAS)
    assert PERSONAL not in json.dumps(TapGorgias(validate_config=False).catalog_dict)
