"""From the bytes of an answer to values that every target can take."""

from __future__ import annotations

import json
import math
import re
import string
from typing import TYPE_CHECKING, Any

import msgspec

from tap_gorgias.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_LEVELS = 200
"""Deeper values overflow the stacks of programs that handle them, ours included."""

_UNLOADABLE = re.compile("[\x00\ud800-\udfff]")
_DIGITS_ONLY = bytes(
    ord("0") if chr(code) in string.digits else ord(" ") for code in range(256)
)
_LONG_NUMBER = b"0" * 19
_HOLDERS = {dict, list}
_INTEGERS = range(-(2**63), 2**63)


class TooDeepError(ValueError):
    """JSON that is nested too deeply."""

    def __init__(self) -> None:
        """Name the limit."""
        super().__init__(f"the answer is nested more than {MAX_LEVELS} levels deep.")


def decode(body: bytes) -> Any:  # noqa: ANN401
    """Read JSON, without what no warehouse stores.

    Args:
        body: The whole body of an answer.

    Returns:
        Its value, `MAX_LEVELS` deep at most. NUL characters and lone surrogates, which
        PostgreSQL and UTF-8 refuse, are removed from texts. An integer of more than 64
        bits is the text of its digits; an infinite number is null.

    Raises:
        TooDeepError: If it is nested too deeply.
        ValueError: If the body is not JSON.
    """
    try:
        try:
            value = msgspec.json.decode(body)
            # Within JSON a NUL can only be written as this escape. Looking for a long
            # number in this way takes a tenth of what a pattern does.
            has_long_number = _LONG_NUMBER in body.translate(_DIGITS_ONLY)
            suspect = b"\\u0000" in body or has_long_number
        except msgspec.DecodeError:
            # It refuses lone surrogates; the standard library lets them pass.
            value = json.loads(body)
            suspect = True
    except RecursionError:
        raise TooDeepError from None
    if _is_too_deep(value):
        raise TooDeepError
    return _loadable(value) if suspect else value


def said(body: bytes, masked: Callable[[str], str]) -> str:
    """Find what Gorgias says in the body of an error (reference/errors).

    Args:
        body: `{"error": {"msg": "...", "data": {"field": ["..."]}}}` or one of the
            older forms; anything else, HTML for instance, is not shown.
        masked: Takes secrets out of a text, before it is cut.

    Returns:
        One line of printable text.
    """
    try:
        value = decode(body)
    except ValueError:
        value = None
    error = value.get("error", value) if isinstance(value, dict) else None
    text = error if isinstance(error, str) else _message(error)
    return one_line(masked(text)) or "no explanation."


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


def _is_too_deep(value: Any) -> bool:  # noqa: ANN401
    level = [value] if type(value) in _HOLDERS else []
    for _ in range(MAX_LEVELS):
        below: list[Any] = []
        for holder in level:
            items = holder.values() if type(holder) is dict else holder
            below += [item for item in items if type(item) in _HOLDERS]
        if not below:
            return False
        level = below
    return True


def _loadable(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, str):
        return _UNLOADABLE.sub("", value)
    if isinstance(value, list):
        return [_loadable(item) for item in value]
    if isinstance(value, dict):
        return {_loadable(key): _loadable(item) for key, item in value.items()}
    if isinstance(value, int) and value not in _INTEGERS:
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
