"""Cursors: where a page ended, in a form that needs no memory."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any, Literal

from tests.sandbox.answers import reject
from tests.sandbox.index import sort_key


@dataclass(frozen=True)
class Cursor:
    """A place in an order, and the direction to read from there.

    Real cursors hold the first three. The other two let the sandbox tell which
    cursors have expired or came from another request; hand-made cursors may
    leave them out.
    """

    direction: Literal["next", "prev"]
    value: Any
    row_id: int
    generation: int | None = None
    order: str | None = None

    def encode(self) -> str:
        """Write the cursor."""
        value = self.value
        if isinstance(value, str):
            value = value.removesuffix("+00:00")
        parts = [self.direction, value, self.row_id, self.generation, self.order]
        return b64encode(json.dumps(parts).encode()).decode()

    @classmethod
    def decode(cls, text: str, order: str, field: str, generation: int) -> Cursor:
        """Read a cursor given out for an order.

        Raises:
            Refusal: The cursor is broken, expired or for another order.
        """
        try:
            cursor = cls(*json.loads(b64decode(text, validate=True)))
            sort_key(field, cursor.value)
        except (ValueError, TypeError):
            reject("cursor", "Invalid cursor.")
        if cursor.direction not in {"next", "prev"} or type(cursor.row_id) is not int:
            reject("cursor", "Invalid cursor.")
        if cursor.order not in {None, order}:
            reject("cursor", "Cursor of another request.")
        if (cursor.generation or 0) < generation:
            reject("cursor", "Expired cursor.")
        return cursor
