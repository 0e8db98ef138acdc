"""Decoding of response bodies to values that every target can load."""

from __future__ import annotations

import json
import math
import re
import string
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_LEVELS = 200
"""Limit of nesting. Deeper values overflow the stack of recursive functions, in the tap
and in targets."""

_LEVELS_AROUND_FIELDS = 3
"""A page, its list and a row."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_DIGITS_ONLY = bytes(
    ord("0") if chr(code) in string.digits else ord(" ") for code in range(256)
)
_LONG_NUMBER = b"0" * 19
_CONTAINERS = {dict, list}
_INT64 = range(-(2**63), 2**63)
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)


class TooDeepError(ValueError):
    """JSON is nested more than `MAX_LEVELS` levels deep."""

    def __init__(self) -> None:
        super().__init__(f"the response is nested more than {MAX_LEVELS} levels deep.")


def decode(body: bytes, on_too_deep: Callable[[str], None] | None = None) -> Any:  # noqa: ANN401
    """Decode JSON, and replace values that warehouses cannot store.

    Strings have no NUL characters, which PostgreSQL rejects, and no lone surrogates,
    which UTF-8 cannot encode. Integers of more than 64 bits become strings, infinite
    numbers become None.

    `on_too_deep` is called with the name of each field of a row that is nested more
    than `MAX_LEVELS` levels deep, which becomes None. Without it, `TooDeepError` is
    raised. A body that is not JSON raises `ValueError`.
    """
    try:
        value, may_be_unstorable = _parsed(body)
    except RecursionError:
        if on_too_deep is None:
            raise TooDeepError from None
        value, may_be_unstorable = _parsed(_cut(body))
    if _is_too_deep(value, MAX_LEVELS):
        if on_too_deep is None:
            raise TooDeepError
        value = _without_deep_fields(value, on_too_deep)
    return _storable(value) if may_be_unstorable else value


def decode_text(text: str) -> Any:  # noqa: ANN401
    """Decode the object, list or string that a text consists of; None for other text.

    Raises `TooDeepError` if it is nested too deeply.
    """
    if not text.lstrip().startswith(("{", "[", '"')):
        return None
    try:
        return decode(text.encode())
    except TooDeepError:
        raise
    except ValueError:
        return None


def _parsed(body: bytes) -> tuple[Any, bool]:
    """Return the value, and whether it may hold values that cannot be stored."""
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError:
        # msgspec rejects lone surrogates, invalid UTF-8 and control characters.
        text = body.decode(json.detect_encoding(body), "replace")
        return json.loads(text, strict=False), True
    # JSON can only encode NUL as this escape. Searching the translated body for a long
    # number takes a tenth of the time of a regular expression.
    has_long_number = _LONG_NUMBER in body.translate(_DIGITS_ONLY)
    return value, b"\\u0000" in body or has_long_number


def _cut(body: bytes) -> bytes:
    """Replace everything below the first level that is too deep by null."""
    parts: list[bytes] = []
    level = start = 0
    for token in _TOKEN.finditer(body):
        if token[0] in b"[{":
            level += 1
            if level == MAX_LEVELS + 2:
                parts += body[start : token.start()], b"null"
        elif token[0] in b"]}":
            if level == MAX_LEVELS + 2:
                start = token.end()
            level -= 1
    return b"".join([*parts, body[start:] if level <= MAX_LEVELS else b""])


def _without_deep_fields(value: Any, report: Callable[[str], None]) -> Any:  # noqa: ANN401
    if isinstance(value, list):
        return [_shallow(row, report) for row in value]
    rows = value.get("data") if isinstance(value, dict) else None
    if not isinstance(rows, list):
        return _shallow(value, report)
    around = _shallow({**value, "data": None}, report)
    return {**around, "data": [_shallow(row, report) for row in rows]}


def _shallow(row: Any, report: Callable[[str], None]) -> Any:  # noqa: ANN401
    max_levels = MAX_LEVELS - _LEVELS_AROUND_FIELDS
    if not isinstance(row, dict):
        return None if _is_too_deep(row, max_levels) else row
    deep = {name for name, item in row.items() if _is_too_deep(item, max_levels)}
    for name in sorted(deep):
        report(name)
    return {name: None if name in deep else item for name, item in row.items()}


def _is_too_deep(value: Any, max_levels: int) -> bool:  # noqa: ANN401
    level = [value] if type(value) in _CONTAINERS else []
    for _ in range(max_levels):
        level = [
            item
            for container in level
            for item in (container.values() if type(container) is dict else container)
            if type(item) in _CONTAINERS
        ]
        if not level:
            return False
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
