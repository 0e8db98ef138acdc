"""Unusual JSON values, and ways to put them into JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from tests.support.json_values import JSON_VALUES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hypothesis.strategies import SearchStrategy

_RAW = {
    "a list of 10,000 levels": "[" * 10_000 + "]" * 10_000,
    "a list of 100,000 levels": "[" * 100_000 + "]" * 100_000,
    "an object of 700 levels": '{"a":' * 700 + "1" + "}" * 700,
    "an object of 250 levels": '{"a":' * 250 + "1" + "}" * 250,
    "an unclosed list": "[" * 5_000,
    "a large exponent": "1e400",
    "5,000 digits": "9" * 5_000,
    "infinity": "Infinity",
    "not a number": "NaN",
}
_PLACEHOLDER = "\ue000{}\ue001"

RAW: dict[str, str] = {name: _PLACEHOLDER.format(name) for name in _RAW}
"""Placeholders of JSON texts that Python cannot write, which `to_json` inserts."""

TEXTS = (
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800",
    "\udfff\ud800",
    "two\nlines\r\x1b[2J",
    "\u202e\u200b\ufeff",
    "é\U0001f600",
    "²",
    "٣",
    "x" * 100_000,
    "9" * 5_000,
    "2026-13-45T99:99:99Z",
    "9999-12-31T23:59:59.999999-23:59",
    "0001-01-01T00:00:00+23:59",
    "2026-W05",
    "P1Y",
    "2026-01-01/2027-01-01",
    '{"a": "\\u0000\\ud800", "b": 123456789012345678901234567890, "c": NaN}',
    '{"a":' * 500 + "1" + "}" * 500,
    "[" * 50_000,
)
NUMBERS = (
    0,
    -1,
    2**31,
    2**53 + 1,
    2**63 - 1,
    2**63,
    -(2**63),
    -(2**63) - 1,
    2**64 - 1,
    2**64,
    10**30,
    10**4000,
    0.1,
    -0.0,
    1e308,
    1e-320,
    1e19,
)
UNUSUAL_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    *NUMBERS,
    *TEXTS,
    [],
    {},
    [[]],
    [None, 1, "a", {}],
    {"": {"": ""}},
    {"a\0b": "\ud800", "\udfff": 2**64},
    {"type": "STATE", "value": {}},
    *RAW.values(),
)
VALUES: SearchStrategy[Any] = st.sampled_from(UNUSUAL_VALUES) | JSON_VALUES


def to_json(value: Any) -> str:  # noqa: ANN401
    """Return a value as JSON, with raw texts instead of their placeholders."""
    text = json.dumps(value)
    for name, raw in _RAW.items():
        text = text.replace(json.dumps(RAW[name]), raw)
    return text


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
    """Yield the path of each part of a JSON value, beginning with the whole value."""
    yield path
    items: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list):
        items = enumerate(value[:1])
    for key, item in items:
        yield from paths(item, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], item: Any) -> Any:  # noqa: ANN401
    """Return a copy of a JSON value with another item at one path."""
    if not path:
        return item
    head, *rest = path
    changed = value.copy()
    changed[head] = replaced(value[head], tuple(rest), item) if rest else item
    return changed
