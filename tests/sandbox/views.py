"""The contents of views: the rows that match their filters."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from tests.sandbox.rows.trees import parse, value_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.collection import Collection, Row
    from tests.sandbox.shop import Shop

    Test = Callable[[Row], bool]

_LEFT_OUT = {"custom_fields"}

# Each gets the value of a field and the value to compare with.
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, other: bool(value == other),
    "neq": lambda value, other: bool(value != other),
    "gte": lambda value, other: value is not None and value >= other,
    "lte": lambda value, other: value is not None and value <= other,
    "containsAny": lambda value, others: value in others,
    "isEmpty": lambda value, _: value in (None, "", []),
    "isNotEmpty": lambda value, _: value not in (None, "", []),
}


def collection_of(shop: Shop, view: Row) -> Collection:
    """Return the collection that a view lists: tickets or customers."""
    return shop.customers if view["type"] == "customer-list" else shop.tickets


def as_item(view: Row, row: Row) -> Row:
    """Return a row as a view shows it."""
    if view["type"] == "customer-list":
        return row
    item = {name: value for name, value in row.items() if name not in _LEFT_OUT}
    user, team = row["assignee_user"], row["assignee_team"]
    return item | {
        "requester": row["customer"],
        "assignee_user_id": user and user["id"],
        "assignee_team_id": team and team["id"],
    }


def row_filter(view: Row) -> tuple[Test | None, list[int] | None]:
    """Return a view's predicate, and the ids if its filters name one."""
    if not view["filters"]:
        return None, None
    expression = parse(view["filters"])
    ids = None
    if isinstance(expression, ast.Call) and _path(expression) == ["id"]:
        ids = [value_of(expression.args[1])]
    return _test(expression), ids


def _test(node: ast.expr) -> Test:
    """Convert an expression to a predicate."""
    if isinstance(node, ast.BoolOp):
        tests = [_test(value) for value in node.values]
        join = all if isinstance(node.op, ast.And) else any
        return lambda row: join(test(row) for test in tests)
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    operator, path = _OPERATORS[node.func.id], _path(node)
    other = value_of(node.args[1]) if len(node.args) > 1 else None
    return lambda row: operator(_dig(row, path), other)


def _path(call: ast.Call) -> list[str]:
    """Return the path in `eq(ticket.a.b, ...)` without the first name."""
    return ast.unparse(call.args[0]).split(".")[1:]


def _dig(row: Row, path: list[str]) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value at a path, or None if the path does not exist."""
    value: Any = row
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value
