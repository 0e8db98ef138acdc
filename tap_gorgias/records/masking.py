"""Masking of secrets in records.

Merchants store credentials of other systems in their helpdesk. A mask shows that a
secret is set without revealing it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, TypeAlias

from tap_gorgias.records.decoding import TooDeepError, decode

MASK = "***"

IsSecret: TypeAlias = Callable[[str], bool]
"""Decides by the name of a value whether it is a secret. The name is empty for values
without a name, such as list items."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET_WORDS = re.compile(
    "secret|token|passw(?:or)?d|passphrase|credential|privatekey|apikey|authorization"
    "|signature"
)


def any_name(_: str) -> bool:
    """Treat every value as a secret."""
    return True


def any_name_except_client_id(name: str) -> bool:
    """Treat every value as a secret, except the ID of an OAuth2 app."""
    return _words(name) != ["client", "id"]


def is_secret_name(name: str) -> bool:
    """Decide whether a name is that of a secret.

    Args:
        name: A name in any style: `api_key`, `apiKey`, `X-Api-Key`, `APIKEY`.

    Returns:
        Whether the name contains a word such as `token` or `key`. False for names of
        ids, such as `key_id`.
    """
    words = _words(name)
    if not words or words[-1] in {"id", "ids"}:
        return False
    is_key = not {"key", "keys"}.isdisjoint(words)
    return is_key or bool(_SECRET_WORDS.search("".join(words)))


def mask(value: Any, is_secret: IsSecret) -> Any:  # noqa: ANN401
    """Mask the secrets in a value, at any depth.

    Args:
        value: Any JSON value. A string that contains a JSON object or array is treated
            like that object or array.
        is_secret: Decides which names are those of secrets. All values below such a
            name are secrets.

    Returns:
        The value with `***` in place of each secret. None stays None.
    """
    if isinstance(value, dict):
        return {name: _mask_item(name, item, is_secret) for name, item in value.items()}
    if isinstance(value, list):
        return [mask(item, is_secret) for item in value]
    if (decoded := _decoded(value)) is not None:
        masked = mask(decoded, is_secret)
        return value if masked == decoded else _encoded(masked)
    return _mask_all(value) if is_secret("") else value


def mask_at_path(path: str, value: Any, is_secret: IsSecret) -> Any:  # noqa: ANN401
    """Mask the secrets below one path in a row.

    Args:
        path: Names of properties, joined by dots. It leads through all items of lists.
        value: The row.
        is_secret: Decides which names below the path are those of secrets.

    Returns:
        The row, or a copy with masked values.
    """
    if path and isinstance(value, list):
        return [mask_at_path(path, item, is_secret) for item in value]
    if path and isinstance(value, dict):
        head, _, rest = path.partition(".")
        if head not in value:
            return value
        return {**value, head: mask_at_path(rest, value[head], is_secret)}
    try:
        if path and (decoded := _decoded(value)) is not None:
            return _encoded(mask_at_path(path, decoded, is_secret))
        # Where the path expects an object, any other value may itself be a secret.
        return mask(value, is_secret)
    except (RecursionError, TooDeepError):
        # A value that cannot be searched may contain a secret.
        return MASK


def _mask_item(name: str, value: Any, is_secret: IsSecret) -> Any:  # noqa: ANN401
    if is_secret(name):
        return _mask_all(value)
    if isinstance(value, (dict, list)) or _decoded(value) is not None:
        return mask(value, is_secret)
    return value


def _mask_all(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {name: _mask_all(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_mask_all(item) for item in value]
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


def _encoded(value: Any) -> str:  # noqa: ANN401
    return json.dumps(value, ensure_ascii=False)


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]
