"""The entity diagrams match the schemas."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pytest

from tap_gorgias.tap import TapGorgias
from tests.support.documents import blocks

RELATION = re.compile(r'^  (\w+) [|}][|o]--[|o][|{] (\w+) : "(\S+) = (\S+)"$')
STREAMS = TapGorgias(validate_config=False).streams


class Relation(NamedTuple):
    """Two tables and the column of one that refers to the other."""

    left: str
    right: str
    left_path: str
    right_path: str


def diagram() -> list[str]:
    """Return the lines of all diagrams of tables, without their first."""
    found = [one.splitlines() for one in blocks("mermaid")]
    return [line for head, *lines in found if head == "erDiagram" for line in lines]


def relations() -> list[Relation]:
    """Return the relations of the diagram."""
    return [Relation(*m.groups()) for line in diagram() if (m := RELATION.match(line))]


def types(schema: dict[str, Any]) -> set[str]:
    """Return the types of a property other than null."""
    named = schema["type"]
    return set([named] if isinstance(named, str) else named) - {"null"}


def key_type(stream: str, path: str) -> str | None:
    """Return the type of the property at a path, or None if there is none."""
    schema: Any = STREAMS[stream].schema
    for part in path.split("."):
        if part == "*":  # names that serve as ids
            free = types(schema) == {"object"} and "properties" not in schema
            return "integer" if free else None
        name = part.removesuffix("[]")
        schema = schema.get("properties", {}).get(name)
        if schema is None or part.endswith("[]") != (types(schema) == {"array"}):
            return None
        schema = schema["items"] if part.endswith("[]") else schema
    (kind,) = types(schema)
    return kind


def test_every_line_of_the_diagrams_is_understood() -> None:
    """It is a relation."""
    assert len(relations()) == len(diagram())
    assert len(relations()) > 20


@pytest.mark.parametrize("relation", relations(), ids=" ".join)
def test_relations_name_columns_of_both_sides(relation: Relation) -> None:
    """Both columns are ids and therefore have the same type."""
    for stream, path in (relation[::2], relation[1::2]):
        assert key_type(stream, path) == "integer", (stream, path)


def test_every_table_that_refers_to_another_is_in_the_diagram() -> None:
    """These are the tables of a default run that have a foreign id."""
    drawn = {name for relation in relations() for name in relation[:2]}
    naming = {
        name
        for name, stream in STREAMS.items()
        if stream.selected_by_default
        for column in stream.schema["properties"]
        if column in {"ticket_id", "customer_id", "user_id", "call_id", "view_id"}
    }
    assert naming <= drawn
