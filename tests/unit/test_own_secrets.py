"""The tap's own credentials are taken out of what is shown."""

from __future__ import annotations

import base64
from urllib.parse import quote_plus

from hypothesis import given
from hypothesis import strategies as st

from tap_gorgias.own_secrets import OwnSecrets

PRINTABLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=4)


@given(PRINTABLE)
def test_a_secret_is_masked_in_each_form_that_it_is_sent_in(secret: str) -> None:
    """As it is, in a form, and in a header."""
    secrets = OwnSecrets()
    secrets.add(secret)
    encoded = base64.b64encode(secret.encode()).decode()
    for form in (secret, quote_plus(secret), encoded, encoded.rstrip("=")):
        assert secrets.masked(f"<{form}>") == "<***>"


def test_a_secret_within_a_longer_one_leaves_no_rest() -> None:
    """The longer one goes as a whole."""
    secrets = OwnSecrets()
    secrets.add("token", "token-of-ann")
    secrets.add("of")
    assert secrets.masked("token-of-ann token") == "*** ***"


def test_no_secret_masks_nothing() -> None:
    """Nor does an empty one."""
    secrets = OwnSecrets()
    secrets.add("")
    assert secrets.masked("as it was") == "as it was"
