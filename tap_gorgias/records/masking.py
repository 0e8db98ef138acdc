"""Masking of credentials in records.

Merchants store credentials of other systems in their helpdesk. A mask shows that a
credential is set without revealing it. The tables in this module say what is one:
headers and forms, values with certain names, parts of URLs and tokens of known forms.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tap_gorgias.records.decoding import TooDeepError, decode_text
from tap_gorgias.records.secrets import (
    MASK,
    hidden_text,
    is_secret_name,
    is_secret_parameter,
    mask_query,
    mask_urls,
    words_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

WHOLE = ""
"""The path of a whole record."""

PAIR_NAMES = frozenset(
    {"attribute", "field", "header", "id", "k", "key", "label", "name", "param"}
    | {"parameter", "property", "title", "variable"}
)
"""What the name of a property ends in that holds the name of a value."""
PAIR_VALUES = frozenset({"content", "default", "v", "val", "value", "values"})
"""What the name of a property ends in that holds this value."""
HARMLESS_HEADERS = frozenset(
    {"accept", "accept-charset", "accept-encoding", "accept-language", "date"}
    | {"cache-control", "connection", "content-encoding", "content-language"}
    | {"content-length", "content-type", "user-agent"}
)

_NAME = "name"
_VALUE = "value"
_HEADER_NAME = re.compile(r"\w+(?:[-_]\w+)+")
_HEADER_LINE = re.compile(r"([\w-]+)([ \t]*:[ \t]*)(\S.*)")
_QUOTED = re.compile(r"""[:=]\s*\\*["']""")
_ASSIGNMENT = re.compile(
    r"""(?<![\w.$-])(?P<name>[\w.$-]{1,64})(?:\\*["'])?\s*[:=]\s*(?P<quote>\\*["'])"""
    r"""(?P<value>.*?)(?P=quote)"""
)
_PAIR = re.compile(
    r"""\b(?:key|name|id)\\*["']?\s*:\s*\\*["'](?P<name>[^"'\\]{1,64})\\*["']"""
    r"""[^{}]{0,200}?\bvalue\\*["']?\s*:\s*(?P<quote>\\*["'])(?P<value>.*?)(?P=quote)"""
)
_BARE_VARIABLE = re.compile(r"([:\[,]\s*)(\{\{[^{}\"]*\}\})(?=\s*[,\]}])")
_MARK = "\ue000"
_MARKED_VARIABLE = re.compile(f'"{_MARK}([^"]*)"')
_VALUE_FOLLOWS = re.compile(r"""[^{}]{0,200}?\bvalue\\*["']?\s*:""")
_TOKEN = re.compile(
    r"""\ABearer\s+\S+\Z|\b(?:Bearer|Basic|Token)\s+(?=[^\s"']*[\d=])[^\s"',;]{6,}"""
    r"""|\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?"""
    r"""|\b(?:sk|rk)_(?:live|test)_\w+|\bxox[a-z]-[\w-]+|\bgh[oprsu]_\w{16,}"""
    r"""|\bshp(?:at|ca|pa|ss|ua)_\w+|\bA[KS]IA[A-Z0-9]{12,}|\bAIza[\w-]{35}"""
    r"""|\b(?:github_pat_|whsec_)\w{16,}|\bglpat-[\w-]{20,}|\bxapp-\d-[\w-]+"""
    r"""|\bpk_[0-9a-f]{34}\b|\bSG\.[\w-]{16,}\.[\w-]{16,}|\bsk-(?:proj|ant)-[\w-]+"""
    r"""|-----BEGIN [A-Z ]*PRIVATE KEY[A-Z ]*-----(?s:.*?)"""
    r"""(?:-----END [A-Z ]*-----|\Z)""",
    re.IGNORECASE,
)
_HINTS_OF_NAMES = (
    *("key", "secret", "token", "passw", "passphrase", "credential", "auth", "hmac"),
    *("signature", "bearer", "cookie", "jwt", "pwd"),
)
_HINTS_OF_TOKENS = (
    *("_", "bearer", "basic", "token", "eyj", "xox", "xapp-", "akia", "asia", "aiza"),
    *("glpat-", "sk-", "sg.", "private key"),
)
"""A text without any of these cannot match the patterns above, which are slower."""
_MAX_REMEMBERED = 200
"""Maximum length of texts whose masked form is remembered."""


def mask_at(path: str, value: Any) -> Any:  # noqa: ANN401
    """Mask the credentials in one part of a record, which is not modified.

    `path` is `WHOLE`, or names of properties joined by dots. It leads through all items
    of lists.
    """
    if not value:
        return value
    if path and isinstance(value, list):
        return [mask_at(path, item) for item in value]
    if path and isinstance(value, dict):
        name, _, rest = path.partition(".")
        return {**value, name: mask_at(rest, value[name])} if value.get(name) else value
    try:
        return mask(value)
    except (RecursionError, TooDeepError):
        # A value that cannot be searched may contain a credential.
        if isinstance(value, dict):
            return {name: _searchable(name, item) for name, item in value.items()}
        return MASK if isinstance(value, str) else None


def _searchable(name: str, value: Any) -> Any:  # noqa: ANN401
    try:
        return mask({name: value})[name]
    except (RecursionError, TooDeepError):
        return MASK if isinstance(value, str) else None


def mask(value: Any) -> Any:  # noqa: ANN401
    """Mask the credentials in any JSON value, at any depth, with `***`.

    Text that contains JSON is treated like its content. None and template variables
    such as `{{ticket.id}}` stay.
    """
    kind = type(value)
    if kind is str:
        is_short = len(value) <= _MAX_REMEMBERED
        return _mask_short(value) if is_short else _mask_text(value)
    if kind is dict:
        return _mask_object(value)
    return _mask_list(value, _mask_value, mask) if kind is list else value


def _mask_object(value: Mapping[str, Any]) -> dict[str, Any]:
    names = _names_in_pair(value)
    if not names:
        return {name: _masker_of(name)(item) for name, item in value.items()}
    maskers = {_masker_of(text) for text in names.values()}
    if any(_names_header(name, text) for name, text in names.items()):
        maskers.add(_hidden)
    strictest = [
        one for one in (_hidden, _mask_headers, _mask_parameters) if one in maskers
    ]

    def masker(name: str) -> Callable[[Any], Any]:
        if name in names:
            return mask
        is_value = bool(strictest) and _role_of(name) == _VALUE
        return strictest[0] if is_value else _masker_of(name)

    return {name: masker(name)(item) for name, item in value.items()}


def _names_header(name: str, text: str) -> bool:
    is_header = "header" in words_of(name) and bool(_HEADER_NAME.fullmatch(text))
    return is_header and not _is_harmless_header(text)


@lru_cache(maxsize=4096)
def _role_of(name: str) -> str | None:
    """Return what a property is in an object of a name and a value."""
    last = words_of(name)[-1:]
    if PAIR_VALUES.intersection(last):
        return _VALUE
    return _NAME if PAIR_NAMES.intersection(last) else None


@lru_cache(maxsize=4096)
def _masker_of(name: str) -> Callable[[Any], Any]:
    """Return how to mask the value of a name."""
    if name == "form" or words_of(name)[-1:] in {("header",), ("headers",)}:
        return _mask_headers
    if words_of(name)[-1:] in {("params",), ("parameters",)}:
        return _mask_parameters
    return _hidden if is_secret_name(name) else mask


def _mask_parameters(value: Any) -> Any:  # noqa: ANN401
    """Mask parameters as in a query string: an object, or pairs."""
    if isinstance(value, list):
        return _mask_list(value, _mask_parameter, _mask_parameters)
    if not isinstance(value, dict):
        return mask(value)
    names = _names_in_pair(value)
    if not names:
        return {name: _mask_parameter(name, item) for name, item in value.items()}
    masked = _mask_object(value)
    for name, item in value.items():
        if name not in names and _role_of(name) == _VALUE:
            is_secret = any(is_secret_parameter(text, item) for text in names.values())
            masked[name] = _hidden(item) if is_secret else masked[name]
    return masked


def _mask_parameter(name: str, value: Any) -> Any:  # noqa: ANN401
    is_secret = is_secret_parameter(name, value)
    return _hidden(value) if is_secret else _mask_value(name, value)


def _mask_value(name: str, value: Any) -> Any:  # noqa: ANN401
    return _masker_of(name)(value)


def _mask_list(
    items: list[Any],
    mask_value: Callable[[str, Any], Any],
    mask_item: Callable[[Any], Any],
) -> list[Any]:
    """Mask the items of a list, which may be pairs of a name and a value."""
    return [
        [mask(item[0]), mask_value(*item)]
        if _is_pair_of_texts(item)
        else mask_item(item)
        for item in items
    ]


def _mask_headers(value: Any) -> Any:  # noqa: ANN401
    """Mask the values of headers, or of form data: objects, pairs or lines."""
    if isinstance(value, list):
        return _mask_list(value, _mask_header, _mask_headers)
    if isinstance(value, str):
        decoded = decode_text(value)
        if isinstance(decoded, (dict, list)):
            return _encoded_like(value, decoded, _mask_headers(decoded))
        lines = value.splitlines(keepends=True)
        return "".join(map(_mask_header_line, lines)) or _hidden(value)
    if not isinstance(value, dict):
        return _hidden(value)
    names = _names_in_pair(value)
    if not names:
        return {name: _mask_header(name, item) for name, item in value.items()}
    is_harmless = any(map(_is_harmless_header, names.values()))
    return {
        name: mask(item)
        if is_harmless or name in names or _role_of(name) != _VALUE
        else _hidden(item)
        for name, item in value.items()
    }


def _mask_header(name: str, value: Any) -> Any:  # noqa: ANN401
    return mask(value) if _is_harmless_header(name) else _hidden(value)


def _mask_header_line(line: str) -> str:
    parts = _HEADER_LINE.match(line)
    if parts is None:
        return line if line.isspace() else hidden_text(line)
    name, colon, value = parts.groups()
    end = line[len(line.rstrip("\r\n")) :]
    return f"{name}{colon}{_mask_header(name, value.rstrip())}{end}"


def _mask_text(text: str) -> str:
    decoded = decode_text(text)
    if decoded is not None:
        return _encoded_like(text, decoded, mask(decoded))
    if "{{" in text:
        quoted = _BARE_VARIABLE.sub(f'\\1"{_MARK}\\2"', text)
        if quoted != text and (decoded := decode_text(quoted)) is not None:
            masked = _encoded_like(text, decoded, mask(decoded))
            return _MARKED_VARIABLE.sub(r"\1", masked)
    if "/" in text:
        text = mask_urls(text)
    if "=" in text:
        text = mask_query(text)
    lowered = text.lower()
    if _QUOTED.search(text) and any(hint in lowered for hint in _HINTS_OF_NAMES):
        for pattern in (_PAIR, _ASSIGNMENT):
            text = pattern.sub(_mask_assigned, text)
    if any(hint in lowered for hint in _HINTS_OF_TOKENS):
        text = _TOKEN.sub(MASK, text)
    return text


_mask_short = lru_cache(maxsize=1024)(_mask_text)


def _mask_assigned(match: re.Match[str]) -> str:
    name, value = match["name"], match["value"]
    is_name_of_pair = name == "key" and _VALUE_FOLLOWS.match(match.string, match.end())
    if not value or is_name_of_pair or not is_secret_name(name):
        return match[0]
    start, end = (place - match.start() for place in match.span("value"))
    return match[0][:start] + hidden_text(value) + match[0][end:]


def _hidden(value: Any) -> Any:  # noqa: ANN401
    """Mask all but nulls, booleans, template variables and the IDs of OAuth2 apps."""
    if isinstance(value, dict):
        return {
            name: item if words_of(name) == ("client", "id") else _hidden(item)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_hidden(item) for item in value]
    if isinstance(value, str):
        return hidden_text(value)
    return value if value is None or isinstance(value, bool) else MASK


def _names_in_pair(value: Mapping[str, Any]) -> dict[str, str]:
    """Return the names of an object such as `{"key": ..., "value": ...}`.

    In a syntax tree, the name is an object with a value.
    """
    if _VALUE not in map(_role_of, value):
        return {}
    names = {
        name: _name_in(item) for name, item in value.items() if _role_of(name) == _NAME
    }
    return {name: text for name, text in names.items() if text is not None}


def _name_in(value: Any) -> str | None:  # noqa: ANN401
    if isinstance(value, dict):
        value = value.get("value", value.get("name"))
    return value if isinstance(value, str) else None


def _is_pair_of_texts(item: Any) -> bool:  # noqa: ANN401
    return (
        isinstance(item, list)
        and len(item) == len(("name", "value"))
        and all(isinstance(text, str) for text in item)
    )


def _is_harmless_header(name: str) -> bool:
    return name.strip().lower().replace("_", "-") in HARMLESS_HEADERS


def _encoded_like(text: str, decoded: Any, masked: Any) -> str:  # noqa: ANN401
    return text if masked == decoded else json.dumps(masked, ensure_ascii=False)
