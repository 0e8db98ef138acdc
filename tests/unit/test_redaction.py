"""The tap's own credentials are removed from everything that is shown."""

from __future__ import annotations

import base64
from urllib.parse import quote, quote_plus

from hypothesis import example, given
from hypothesis import strategies as st

from tap_gorgias.api.redaction import OwnSecrets

PRINTABLE = (
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=4)
    .map(str.strip)
    .filter(lambda text: len(text) >= 4)
)


@given(PRINTABLE)
@example("a b+c/d=e")
@example("~~~???")
def test_a_secret_is_masked_in_each_form_that_it_is_sent_in(secret: str) -> None:
    """It may be sent in clear text, in a form or in a header."""
    secrets = OwnSecrets()
    secrets.add(secret)
    encoded = base64.b64encode(secret.encode()).decode()
    in_urls = base64.urlsafe_b64encode(secret.encode()).decode()
    quoted = (quote(secret), quote(secret, safe=""), quote_plus(secret))
    for form in (secret, *quoted, encoded, in_urls, encoded.rstrip("=")):
        assert secrets.masked(f"<{form}>") == "<***>"


def test_a_secret_within_a_longer_one_leaves_no_remainder() -> None:
    """The longer one is masked first."""
    secrets = OwnSecrets()
    secrets.add("token", "token-of-ann")
    secrets.add("of")
    assert secrets.masked("token-of-ann token") == "*** ***"


def test_no_secret_masks_nothing() -> None:
    """An empty secret masks nothing either."""
    secrets = OwnSecrets()
    secrets.add("")
    assert secrets.masked("as it was") == "as it was"
