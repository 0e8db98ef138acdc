"""Query parameters that lists have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tests.sandbox.answers import Refusal, reject

if TYPE_CHECKING:
    from collections.abc import Sequence

Query = dict[str, list[str]]


class Limited(Protocol):
    """A list with pages of a limited size."""

    @property
    def default_limit(self) -> int:
        """Rows on a page unless told otherwise."""

    @property
    def most(self) -> int:
        """Rows on a page at most."""


def reject_unknown(query: Query, *known: str) -> None:
    """Refuse parameters the endpoint does not have, all at once.

    Raises:
        Refusal: There are some.
    """
    unknown = {name: ["Unknown field."] for name in query if name not in known}
    if unknown:
        message = "Invalid query parameters."
        raise Refusal(400, message, unknown)


def read_limit(endpoint: Limited, query: Query) -> int:
    """Read how many rows a page may have."""
    text = query.get("limit", [str(endpoint.default_limit)])[-1]
    if not text.isdecimal() or not 1 <= int(text) <= endpoint.most:
        reject("limit", f"Must be an integer from 1 to {endpoint.most}.")
    return int(text)


def read_order(orders: Sequence[str], query: Query, default: str) -> str:
    """Read the order of the rows."""
    order = query.get("order_by", [default])[-1]
    if order != default and order not in orders:
        reject("order_by", f"Must be one of: {', '.join(orders)}.")
    return order
