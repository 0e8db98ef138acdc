"""Names of credentials, and the mask that replaces their values."""

from __future__ import annotations

import re
from functools import lru_cache

MASK = "***"

_WORD = re.compile(r"oauth2|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_TEMPLATE = re.compile(r"(\{\{[\w\s.|()\[\]-]*\}\})")

_SECRETS = re.compile(
    "secret|token|passw(?:or)?d|passphrase|credential|authorization|signature|hmac"
)
"""Parts of the joined words of a name."""
_SECRET_WORD = re.compile(
    "bearer|cookies?|jwt|keys?|pwd|(?:php|j)?sess(?:ion)?id"
    "|.*(?:access|api|app|auth|client|encryption|license|private|service|signing)keys?"
)
_SECRET_LAST_WORD = re.compile("auth|oauth2|otp|pass|pin|sid|sig")
_HARMLESS_KEYS = frozenset(
    {"destination", "foreign", "idempotency", "primary", "public", "sort", "source"}
)
"""What `key` may follow in the name of something that is not a credential."""


@lru_cache(maxsize=4096)
def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name in any style, in lower case."""
    return tuple(word.lower() for word in _WORD.findall(name))


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Decide whether a name such as `apiKey` or `X-Api-Key` is that of a credential.

    It is if it contains a word such as `token` or `key`, in any style. Names of ids,
    such as `key_id`, are not, except the id of a session.
    """
    words = words_of(name)
    if words[-2:] == ("session", "id"):
        return True
    if not words or words[-1] in {"id", "ids"}:
        return False
    if _SECRETS.search("".join(words)):
        return True
    if words[-1] in {"key", "keys"} and not _HARMLESS_KEYS.isdisjoint(words[:-1]):
        return False
    return bool(_SECRET_LAST_WORD.fullmatch(words[-1])) or any(
        map(_SECRET_WORD.fullmatch, words)
    )


def hidden_text(text: str) -> str:
    """Mask a text except for its template variables."""
    if text and not without_templates(text).strip():
        return text
    parts = _TEMPLATE.split(text)
    return (
        "".join(
            part if number % 2 or not part else MASK
            for number, part in enumerate(parts)
        )
        or MASK
    )


def without_templates(text: str) -> str:
    """Remove template variables, such as `{{ticket.id}}`, from a text."""
    return _TEMPLATE.sub("", text) if "{{" in text else text
