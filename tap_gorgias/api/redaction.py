"""Redaction of the tap's credentials in text that is about to be shown."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus


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
    escaped = json.dumps(secret)[1:-1]
    return forms | quoted | {escaped, escaped.replace("/", r"\/")}


def _quote_all(text: str) -> str:
    return quote(text, safe="")
