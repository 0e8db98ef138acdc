"""From the bytes of an answer to values that every target can take."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNLOADABLE = re.compile("[\x00\ud800-\udfff]")


def decode(body: bytes) -> Any:  # noqa: ANN401
    """Read JSON, without the characters that no warehouse stores.

    Args:
        body: The whole body of an answer.

    Returns:
        Its value. NUL characters and lone surrogates are removed from texts, which
        PostgreSQL and UTF-8 refuse.

    Raises:
        ValueError: If the body is not JSON.
    """
    try:
        try:
            value = msgspec.json.decode(body)
        except msgspec.DecodeError:
            # It refuses lone surrogates; the standard library lets them pass.
            return _loadable(json.loads(body))
        # Within JSON a NUL can only be written as this escape.
        return _loadable(value) if b"\\u0000" in body else value
    except RecursionError:
        message = "nested too deeply"
        raise ValueError(message) from None


def said(body: bytes) -> str:
    """Find what Gorgias says in the body of an error (reference/errors).

    Args:
        body: `{"error": {"msg": "...", "data": {"field": ["..."]}}}` or one of the
            older forms; anything else, HTML for instance, is not shown.

    Returns:
        One line of printable text.
    """
    try:
        value = decode(body)
    except ValueError:
        value = None
    error = value.get("error", value) if isinstance(value, dict) else None
    text = error if isinstance(error, str) else _message(error)
    return "".join(c if c.isprintable() else " " for c in text) or "no explanation."


def _message(error: Mapping[str, Any] | None) -> str:
    if not isinstance(error, dict):
        return ""
    parts = [error.get("msg") or error.get("message")]
    data = error.get("data")
    if isinstance(data, dict):
        for field, problems in data.items():
            texts = problems if isinstance(problems, list) else [problems]
            parts += [f"{field}: {text}" for text in texts if isinstance(text, str)]
    return " ".join(part for part in parts if isinstance(part, str))


def _loadable(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, str):
        return _UNLOADABLE.sub("", value)
    if isinstance(value, list):
        return [_loadable(item) for item in value]
    if isinstance(value, dict):
        return {_loadable(key): _loadable(item) for key, item in value.items()}
    return value
