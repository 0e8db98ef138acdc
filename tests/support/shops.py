"""What a run must bring of the shop of a sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.rows.account import settings

if TYPE_CHECKING:
    from tests.sandbox import Shop


def count_rows(shop: Shop, name: str) -> int:
    """Return the number of rows of a stream in the shop."""
    if name == "deletions":
        types = [shop.events.row(number)["type"] for number in shop.events.ids()]
        return sum(kind.endswith(("-deleted", "-merged")) for kind in types)
    if name in {"account", "account_settings"}:
        return 1 if name == "account" else len(settings())
    return len(getattr(shop, name.removeprefix("ticket_")))
