"""Stateless cursors, which mark where a page ended."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any, Literal

from tests.sandbox.answers import reject
from tests.sandbox.index import sort_key


@dataclass(frozen=True)
class Cursor:
    """A position in an order, and the direction to read from there.

    Real cursors contain the first three fields. The sandbox uses the other two to
    detect cursors that have expired or belong to another request; handwritten
    cursors may omit them.
    """

    direction: Literal["next", "prev"]
    value: Any
    row_id: int
    generation: int | None = None
    order: str | None = None

    def encode(self) -> str:
        """Encode the cursor."""
        value = self.value
        if isinstance(value, str):
            value = value.removesuffix("+00:00")
        parts = [self.direction, value, self.row_id, self.generation, self.order]
        return b64encode(json.dumps(parts).encode()).decode()

    @classmethod
    def decode(cls, text: str, order: str, field: str, generation: int) -> Cursor:
        """Decode a cursor that was issued for an order."""
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
