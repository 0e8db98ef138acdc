"""Expressions such as `eq(ticket.spam, true) && ...`, and their syntax trees."""

from __future__ import annotations

import ast
import json
from functools import reduce
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Node = dict[str, Any]

_WORDS = {"true": True, "false": False, "null": None}


def parse(text: str) -> ast.expr:
    """Parse an expression, whose syntax is close enough to Python's."""
    spelled = text.replace("&&", "and").replace("||", "or")
    return ast.parse(spelled, mode="eval").body


def program(*body: Node) -> Node:
    """Build the tree of a list of statements."""
    return {"type": "Program", "sourceType": "script", "body": list(body)} | _at()


def statement(text: str, line: int = 1) -> Node:
    """Build the tree of an expression statement."""
    return {"type": "ExpressionStatement", "expression": tree(text, line)} | _at(
        line, 0, len(text)
    )


def tree(text: str, line: int = 1) -> Node:
    """Build the tree of an expression."""
    return _node(parse(text), line)


def block(texts: Sequence[str], line: int) -> Node:
    """Build the tree of statements in braces."""
    body = [statement(text, line + number) for number, text in enumerate(texts)]
    return {"type": "BlockStatement", "body": body} | _at(line, 0, 1)


def branch(test: str, then: Sequence[str], otherwise: Node | None, line: int) -> Node:
    """Build the tree of an `if`."""
    return {
        "type": "IfStatement",
        "test": tree(test, line),
        "consequent": block(then, line + 1),
        "alternate": otherwise,
    } | _at(line, 0, len(test) + 5)


def value_of(node: ast.expr) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value of a literal."""
    if isinstance(node, ast.Name):
        return _WORDS[node.id]
    return ast.literal_eval(node)


def _at(line: int = 0, start: int = 0, end: int = 0) -> Node:
    """Return the location of a node."""
    return {
        "loc": {
            "start": {"line": line, "column": start},
            "end": {"line": line, "column": end},
        }
    }


def _node(node: ast.expr, line: int) -> Node:
    """Convert a node of Python's syntax tree to one of JavaScript's."""
    for kind, shape in _SHAPES.items():
        if isinstance(node, kind):
            end = node.end_col_offset or 0
            return shape(node, line) | _at(line, node.col_offset, end)
    raise TypeError(node)


def _logical(node: Any, line: int) -> Node:  # noqa: ANN401 - see _SHAPES
    """Convert a chain of operands to nested binary expressions."""
    operator = "&&" if isinstance(node.op, ast.And) else "||"

    def join(left: Node, right: Node) -> Node:
        sides = {"operator": operator, "left": left, "right": right}
        return {"type": "LogicalExpression"} | sides | {"loc": left["loc"]}

    return reduce(join, (_node(value, line) for value in node.values))


_SHAPES: dict[type[ast.expr], Callable[[Any, int], Node]] = {
    ast.BoolOp: _logical,
    ast.Call: lambda node, line: {
        "type": "CallExpression",
        "callee": _node(node.func, line),
        "arguments": [_node(argument, line) for argument in node.args],
    },
    ast.Attribute: lambda node, line: {
        "type": "MemberExpression",
        "computed": False,
        "object": _node(node.value, line),
        "property": {"type": "Identifier", "name": node.attr} | _at(line),
    },
    ast.List: lambda node, line: {
        "type": "ArrayExpression",
        "elements": [_node(element, line) for element in node.elts],
    },
    ast.Name: lambda node, _: (
        {"type": "Literal", "value": _WORDS[node.id]} | {"raw": node.id}
        if node.id in _WORDS
        else {"type": "Identifier", "name": node.id}
    ),
    ast.Constant: lambda node, _: {
        "type": "Literal",
        "value": node.value,
        "raw": json.dumps(node.value),
    },
}
