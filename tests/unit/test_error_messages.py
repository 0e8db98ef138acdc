"""Tests of the redaction of credentials."""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import quote, quote_plus

from hypothesis import example, given
from hypothesis import strategies as st

from tap_gorgias.api.error_messages import Redactor

PRINTABLE = (
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=4)
    .map(str.strip)
    .filter(lambda text: len(text) >= 4)
)


@given(PRINTABLE)
@example("a b+c/d=e")
@example("~~~???")
@example('a"b\\c/d')
def test_a_secret_is_redacted_in_each_of_its_forms(secret: str) -> None:
    """As it is, in URLs, in form data, in headers and in JSON."""
    redactor = Redactor()
    redactor.add(secret)
    encoded = base64.b64encode(secret.encode()).decode()
    in_urls = base64.urlsafe_b64encode(secret.encode()).decode()
    quoted = (quote(secret), quote(secret, safe=""), quote_plus(secret))
    escaped = json.dumps(secret)[1:-1]
    in_json = (escaped, escaped.replace("/", r"\/"))
    in_form = quote(encoded, safe="")
    lower = re.sub("%..", lambda match: match[0].lower(), in_form)
    plain = (secret, encoded, in_urls, encoded.rstrip("="))
    for form in (*plain, *quoted, *in_json, in_form, lower):
        assert redactor.redact(f"<{form}>") == "<***>"


def test_the_longest_secret_is_replaced_first() -> None:
    """Nothing remains of a secret that contains another."""
    redactor = Redactor()
    redactor.add("token", "token-of-ann")
    redactor.add("of")
    assert redactor.redact("token-of-ann token") == "*** ***"


def test_text_without_secrets_is_unchanged() -> None:
    """An empty secret is ignored."""
    redactor = Redactor()
    redactor.add("")
    assert redactor.redact("as it was") == "as it was"
