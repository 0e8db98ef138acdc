"""Query parameters that all lists share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tests.sandbox.answers import Refusal, reject

if TYPE_CHECKING:
    from collections.abc import Sequence

Query = dict[str, list[str]]


class PagedEndpoint(Protocol):
    """An endpoint with a default and a maximum page size."""

    @property
    def default_limit(self) -> int:
        """The number of rows on a page by default."""

    @property
    def max_limit(self) -> int:
        """The maximum number of rows on a page."""


def reject_unknown(query: Query, *known: str) -> None:
    """Refuse all unknown parameters at once."""
    unknown = {name: ["Unknown field."] for name in query if name not in known}
    if unknown:
        message = "Invalid query parameters."
        raise Refusal(400, message, unknown)


def read_limit(endpoint: PagedEndpoint, query: Query) -> int:
    """Parse the number of rows per page."""
    text = query.get("limit", [str(endpoint.default_limit)])[-1]
    if not text.isdecimal() or not 1 <= int(text) <= endpoint.max_limit:
        reject("limit", f"Must be an integer from 1 to {endpoint.max_limit}.")
    return int(text)


def read_order(orders: Sequence[str], query: Query, default: str) -> str:
    """Parse the sort order."""
    order = query.get("order_by", [default])[-1]
    if order != default and order not in orders:
        reject("order_by", f"Must be one of: {', '.join(orders)}.")
    return order
