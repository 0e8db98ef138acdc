"""What is shown of Gorgias' error messages: no credentials and no customer data."""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from tap_gorgias.errors import one_line
from tap_gorgias.records.decoding import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_MESSAGE_CHARACTERS = 300

_NAME = r"""["'][a-z]+(?:[-_:.][a-z]+)+["']"""
"""A quoted name of the API, such as 'order_by' or 'tag-created'."""

_DATA = re.compile(
    r"""
      \S+@\S+                                    # an e-mail address
    | https?://\S+
    | (?<!\w)(?!NAME)"[^"]*(?:"|$)               # quoted text, also if it is cut
    | (?<!\w)(?!NAME)'.*?(?:'(?!\w)|$)
    | [\u201c\u201e][^\u201d]*(?:\u201d|$)
    | \u2018.*?(?:\u2019(?!\w)|$)
    | \u00ab[^\u00bb]*(?:\u00bb|$)
    | \u2039[^\u203a]*(?:\u203a|$)
    | \u300c[^\u300d]*(?:\u300d|$)
    | `[^`]*(?:`|$)
    | (?<==)\([^)]*(?:\)|$)                      # as in Key (email)=(...)
    | \+?\d(?:[ ().-]{0,2}\d){5,}                # a number of a card, phone or order
    """.replace("NAME", _NAME),
    re.VERBOSE | re.DOTALL,
)
"""What can be customer data in an error message."""

_ESCAPE = re.compile("%[0-9A-F]{2}")


def error_message(body: bytes, mask: Callable[[str], str]) -> str:
    """Extract the message from the body of an error response (reference/errors).

    That is `{"error": {"msg": "...", "data": {"field": ["..."]}}}` or one of the older
    forms; anything else, for example HTML, is not shown. Returns one line of at most
    300 printable characters, in which `***` replaces what can be customer data. `mask`
    masks secrets before a text is truncated.
    """
    try:
        value = decode(body)
    except ValueError:
        value = None
    error = value.get("error", value) if isinstance(value, dict) else None
    line = one_line(" ".join(_DATA.sub("***", mask(text)) for text in _texts(error)))
    if len(line) > MAX_MESSAGE_CHARACTERS:
        line = f"{line[: MAX_MESSAGE_CHARACTERS - 3]}..."
    return line or "no explanation."


def _texts(error: object) -> Iterator[str]:
    if isinstance(error, str):
        yield error
    elif isinstance(error, dict):
        message = error.get("msg") or error.get("message")
        if isinstance(message, str):
            yield message
        data = error.get("data")
        for field, problems in data.items() if isinstance(data, dict) else ():
            texts = problems if isinstance(problems, list) else [problems]
            yield from (f"{field}: {text}" for text in texts if isinstance(text, str))


class Redactor:
    """Replaces secrets in text, for example in error messages of the API."""

    def __init__(self) -> None:
        self._forms: tuple[str, ...] = ()

    def add(self, *secrets: str) -> None:
        """Add secrets without encoding.

        Their forms in headers, URLs, form data and JSON are redacted as well. Empty
        strings are ignored.
        """
        forms = {form for secret in secrets if secret for form in _forms(secret)}
        # A secret may contain a shorter one, so the longest is replaced first.
        self._forms = tuple(sorted(forms.union(self._forms), key=len, reverse=True))

    def redact(self, text: str) -> str:
        """Replace all secrets in a text with `***`."""
        for form in self._forms:
            text = text.replace(form, "***")
        return text


def _forms(secret: str) -> set[str]:
    data = secret.encode()
    encoded = [b64encode(data).decode(), urlsafe_b64encode(data).decode()]
    forms = {secret, *encoded, *(text.rstrip("=") for text in encoded)}
    quoted = {f(form) for f in (quote, _quote_all, quote_plus) for form in forms}
    quoted |= {_ESCAPE.sub(lambda escape: escape[0].lower(), form) for form in quoted}
    escaped = json.dumps(secret)[1:-1]
    return forms | quoted | {escaped, escaped.replace("/", r"\/")}


def _quote_all(text: str) -> str:
    return quote(text, safe="")
