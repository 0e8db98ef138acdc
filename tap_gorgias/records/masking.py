"""Takes secrets out of values before they leave.

Merchants keep credentials of other systems in their helpdesk. A mask shows that one is
there, without it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, TypeAlias

from tap_gorgias.records.decoding import TooDeepError, decode

MASK = "***"

Names: TypeAlias = Callable[[str], bool]
"""Tells by its name whether a value is a secret. The value at the end of a path has the
empty name if it is no object."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_TELLING_PARTS = re.compile(
    "secret|token|passw(?:or)?d|passphrase|credential|privatekey|apikey|authorization"
    "|signature"
)


def every_name(_: str) -> bool:
    """Take everything for a secret."""
    return True


def every_name_but_client_id(name: str) -> bool:
    """Take everything for a secret but what names an OAuth2 app."""
    return _words(name) != ["client", "id"]


def names_a_secret(name: str) -> bool:
    """Tell whether a name says that its value is a secret.

    Args:
        name: In any style: `api_key`, `apiKey`, `X-Api-Key`, `APIKEY`. Names of ids are
            not meant: `key_id`.
    """
    words = _words(name)
    if not words or words[-1] in {"id", "ids"}:
        return False
    is_key = not {"key", "keys"}.isdisjoint(words)
    return is_key or bool(_TELLING_PARTS.search("".join(words)))


def masked(value: Any, names: Names) -> Any:  # noqa: ANN401
    """Mask the secrets in a value, at any depth.

    Args:
        value: Any JSON value; a text that holds an object or a list counts as such.
        names: Which names tell a secret. Everything below such a name is one.

    Returns:
        The value with `***` for each secret; a null stays.
    """
    if isinstance(value, dict):
        return {name: _masked_item(name, item, names) for name, item in value.items()}
    if isinstance(value, list):
        return [masked(item, names) for item in value]
    if (decoded := _decoded(value)) is not None:
        hidden = masked(decoded, names)
        return value if hidden == decoded else _text(hidden)
    return _hidden(value) if names("") else value


def masked_at(path: str, value: Any, names: Names) -> Any:  # noqa: ANN401
    """Mask the secrets at one place in a row.

    Args:
        path: Names of properties, joined by dots; lists on the way are gone through.
        value: The row.
        names: Which names tell a secret there.

    Returns:
        The row, or a copy that differs at this place.
    """
    if path and isinstance(value, list):
        return [masked_at(path, item, names) for item in value]
    if path and isinstance(value, dict):
        head, _, rest = path.partition(".")
        if head not in value:
            return value
        return {**value, head: masked_at(rest, value[head], names)}
    try:
        if path and (decoded := _decoded(value)) is not None:
            return _text(masked_at(path, decoded, names))
        # Whatever is here in place of an object, it may be the secret itself.
        return masked(value, names)
    except (RecursionError, TooDeepError):
        # What cannot be looked through may hold one.
        return MASK


def _masked_item(name: str, value: Any, names: Names) -> Any:  # noqa: ANN401
    if names(name):
        return _hidden(value)
    if isinstance(value, (dict, list)) or _decoded(value) is not None:
        return masked(value, names)
    return value


def _hidden(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {name: _hidden(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_hidden(item) for item in value]
    return None if value is None else MASK


def _decoded(value: Any) -> dict[str, Any] | list[Any] | None:  # noqa: ANN401
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return None
    try:
        decoded = decode(value.encode())
    except TooDeepError:
        raise
    except ValueError:
        return None
    return decoded if isinstance(decoded, (dict, list)) else None


def _text(value: Any) -> str:  # noqa: ANN401
    return json.dumps(value, ensure_ascii=False)


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]
