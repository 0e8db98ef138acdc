"""Decoding of response bodies to values that every target can load."""

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
"""Limit of nesting. Deeper values overflow the stack of recursive functions, in the tap
and in targets."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_DIGITS_ONLY = bytes(
    ord("0") if chr(code) in string.digits else ord(" ") for code in range(256)
)
_LONG_NUMBER = b"0" * 19
_CONTAINERS = {dict, list}
_INT64 = range(-(2**63), 2**63)


class TooDeepError(ValueError):
    """JSON is nested more than `MAX_LEVELS` levels deep."""

    def __init__(self) -> None:
        super().__init__(f"the response is nested more than {MAX_LEVELS} levels deep.")


def decode(body: bytes) -> Any:  # noqa: ANN401
    """Decode JSON, and replace values that warehouses cannot store.

    Args:
        body: The complete body of a response.

    Returns:
        The value, at most `MAX_LEVELS` levels deep. Strings have no NUL characters,
        which PostgreSQL rejects, and no lone surrogates, which UTF-8 cannot encode.
        Integers of more than 64 bits become strings, infinite numbers become None.

    Raises:
        TooDeepError: If the value is nested too deeply.
        ValueError: If the body is not valid JSON.
    """
    try:
        try:
            value = msgspec.json.decode(body)
            # JSON can only encode NUL as this escape. Searching the translated body for
            # a long number takes a tenth of the time of a regular expression.
            has_long_number = _LONG_NUMBER in body.translate(_DIGITS_ONLY)
            may_be_unstorable = b"\\u0000" in body or has_long_number
        except msgspec.DecodeError:
            # msgspec rejects lone surrogates; the standard library accepts them.
            value = json.loads(body)
            may_be_unstorable = True
    except RecursionError:
        raise TooDeepError from None
    if _is_too_deep(value):
        raise TooDeepError
    return _storable(value) if may_be_unstorable else value


def error_message(body: bytes, mask: Callable[[str], str]) -> str:
    """Extract the message from the body of an error response (reference/errors).

    Args:
        body: `{"error": {"msg": "...", "data": {"field": ["..."]}}}` or one of the
            older forms. Anything else, for example HTML, is not shown.
        mask: Masks secrets in a string, before it is truncated.

    Returns:
        One line of printable text.
    """
    try:
        value = decode(body)
    except ValueError:
        value = None
    error = value.get("error", value) if isinstance(value, dict) else None
    text = error if isinstance(error, str) else _message(error)
    return one_line(mask(text)) or "no explanation."


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
    level = [value] if type(value) in _CONTAINERS else []
    for _ in range(MAX_LEVELS):
        next_level: list[Any] = []
        for container in level:
            items = container.values() if type(container) is dict else container
            next_level += [item for item in items if type(item) in _CONTAINERS]
        if not next_level:
            return False
        level = next_level
    return True


def _storable(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, str):
        return _UNSTORABLE.sub("", value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    if isinstance(value, int) and value not in _INT64:
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
