"""Deviations from the API's documentation, as the live API may have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.sandbox.answers import reject
from tests.sandbox.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.sandbox.collection import Row
    from tests.sandbox.sandbox import Request, Sandbox
    from tests.sandbox.shop import Shop

_ALWAYS = 1_000_000


def refused_parameter(sandbox: Sandbox) -> None:
    """Refuse `order_by` for customers."""

    def refuse(_: Shop, request: Request) -> None:
        if request.path == "/api/customers" and "order_by" in request.query:
            reject("order_by", "Unknown field.")

    sandbox.before_request(refuse)


def other_order(sandbox: Sandbox) -> None:
    """Sort surveys from oldest to newest."""
    _rewrite(sandbox, "satisfaction-surveys", _list(lambda rows: rows[::-1]))


def unknown_field(sandbox: Sandbox) -> None:
    """Add an unknown field to tickets."""
    _rewrite(sandbox, "tickets", _rows(lambda row: {**row, "brand_new": "A secret."}))


def missing_field(sandbox: Sandbox) -> None:
    """Remove `description` from teams."""
    _rewrite(sandbox, "teams", _rows(lambda row: _without(row, "description")))


def other_call_limit(sandbox: Sandbox) -> None:
    """Report the call limit of an undocumented plan."""
    fault = Fault.header("X-Gorgias-Account-Api-Call-Limit", "3/200")
    sandbox.faults.add(fault, "/api/*", times=_ALWAYS)


DEVIATIONS: tuple[Callable[[Sandbox], None], ...] = (
    refused_parameter,
    other_order,
    unknown_field,
    missing_field,
    other_call_limit,
)


def _rewrite(sandbox: Sandbox, name: str, change: Callable[[Any], Any]) -> None:
    sandbox.faults.add(Fault.rewrite(change), f"/api/{name}", times=_ALWAYS)


def _list(change: Callable[[list[Row]], list[Row]]) -> Callable[[Row], Row]:
    return lambda answer: {**answer, "data": change(answer["data"])}


def _rows(change: Callable[[Row], Row]) -> Callable[[Row], Row]:
    return _list(lambda rows: [change(row) for row in rows])


def _without(row: Mapping[str, Any], name: str) -> Row:
    return {other: value for other, value in row.items() if other != name}
