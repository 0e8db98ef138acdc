"""The entity diagram matches the schemas."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pytest

from tap_gorgias.tap import TapGorgias
from tests.support.documents import ANALYSTS, blocks

RELATION = re.compile(r'^  (\w+) [|}][|o]--[|o][|{] (\w+) : "(\S+) = (\S+)"$')
ENTITY = re.compile(r"^  (\w+) \{\n(.*?)^  \}$", re.MULTILINE | re.DOTALL)
ATTRIBUTE = re.compile(r'^    (\w+) (\w+)( PK)?(?: "[^"]+")?$')
STREAMS = TapGorgias(validate_config=False).streams


class Relation(NamedTuple):
    """Two tables and the column of one that refers to the other."""

    left: str
    right: str
    left_path: str
    right_path: str


def diagram() -> list[str]:
    """Return the lines of the diagram."""
    (one,) = blocks("mermaid", ANALYSTS)
    return one.splitlines()


def relations() -> list[Relation]:
    """Return the relations of the diagram."""
    return [Relation(*m.groups()) for line in diagram() if (m := RELATION.match(line))]


def entities() -> dict[str, list[str]]:
    """Return the lines that describe the columns of each table."""
    found = ENTITY.findall("\n".join(diagram()))
    return {name: columns.splitlines() for name, columns in found}


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


def test_every_line_of_the_diagram_is_understood() -> None:
    """It is a relation or a column of a table."""
    columns = [line for lines in entities().values() for line in lines]
    around = 1 + sum(2 if lines else 0 for lines in entities().values())
    empty = sum(not line.strip() for line in diagram())
    understood = len(relations()) + len(columns) + around + empty
    assert understood == len(diagram())
    assert len(relations()) > 20


@pytest.mark.parametrize("relation", relations(), ids=" ".join)
def test_relations_name_columns_of_both_sides(relation: Relation) -> None:
    """Both columns are ids and therefore have the same type."""
    for stream, path in (relation[::2], relation[1::2]):
        assert key_type(stream, path) == "integer", (stream, path)


@pytest.mark.parametrize("entity", entities())
def test_columns_are_those_of_the_schema(entity: str) -> None:
    """The types match, and all key columns are marked."""
    properties = STREAMS[entity].schema["properties"]
    keys = []
    for line in entities()[entity]:
        match = ATTRIBUTE.match(line)
        assert match, line
        kind, name, key = match.groups()
        assert types(properties[name]) == {kind}
        keys += [name] if key else []
    assert keys == list(STREAMS[entity].primary_keys)


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
