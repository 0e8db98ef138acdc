"""Answers of the sandbox."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

Wire = Literal["whole", "cut", "reset", "hang"]


@dataclass(frozen=True)
class Answer:
    """An answer and how it is transmitted."""

    status: int
    payload: Any = None
    body: bytes | None = None  # replaces the payload
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    wire: Wire = "whole"

    def content(self) -> bytes:
        """Return the body as sent."""
        if self.body is not None:
            return self.body
        if self.payload is None:
            return b""
        text = json.dumps(self.payload, ensure_ascii=False, separators=(",", ":"))
        return text.encode(errors="backslashreplace")  # lone surrogates


class Refusal(Exception):  # noqa: N818 - an answer, not a fault of the program
    """An error answer, raised to end the handling of a request."""

    def __init__(
        self, status: int, message: str, data: dict[str, list[str]] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error: dict[str, Any] = {"msg": message}
        if data:
            self.error["data"] = data

    def answer(self) -> Answer:
        """Return the answer in the API's format."""
        return Answer(self.status, {"error": self.error})


def reject(name: str, problem: str) -> NoReturn:
    """Refuse a query parameter."""
    message = "Invalid query parameters."
    raise Refusal(400, message, {name: [problem]})


def not_found() -> Refusal:
    """Return the refusal of an unknown id or path."""
    return Refusal(404, "Resource not found.")
