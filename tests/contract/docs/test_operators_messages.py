"""Operators find every message of the tap explained, and no other."""

from __future__ import annotations

import re

from tap_gorgias.api.auth import (
    ADVICE,
    ApiKeyAuthenticator,
    RefreshTokenAuthenticator,
)
from tap_gorgias.run.progress import SECONDS_BETWEEN_LINES
from tests.contract.docs.messages import said
from tests.support.documents import tables, text

QUOTED = re.compile(r"(?<!`)(`{1,2})(?!`)(.+?)(?<!`)\1(?!`)")


def rows() -> list[list[str]]:
    """Return the rows of all tables of messages."""
    return [row for one in tables("message", "cause") for row in one]


def explained() -> list[str]:
    """Return the messages that the tables explain."""
    return [found for row in rows() for _, found in QUOTED.findall(row[0])]


def test_every_message_of_the_code_is_explained() -> None:
    """These are errors, advice, warnings and the lines at the end of a run."""
    assert said() - set(explained()) == set()


def test_every_explained_message_is_in_the_code() -> None:
    """The texts are equal except for placeholders."""
    assert set(explained()) - said() == set()


def test_no_message_is_explained_twice() -> None:
    """All explanations of a message are in one place."""
    assert len(explained()) == len(set(explained()))


def test_every_kind_of_message_is_collected() -> None:
    """The code writes messages in several ways, of which each has an example here."""
    assert {
        "Check `email` and `api_key`.",  # advice
        "The catalog is not valid. Create one with `--discover`.",  # with a name
        "the body is not JSON.",  # a reason
        "no response within ... s.",  # with a placeholder
        "Setting `...` is required.",  # returned
        "Credentials are incomplete: set ....",  # all of a ValueError
        "... It starts again from ....",  # a warning
        "Not selected: ....",  # information
    } <= said()


def test_the_table_of_answers_names_each_advice_about_signing_in() -> None:
    """A search for the text of an error finds its row."""
    advice = [*ADVICE.values(), RefreshTokenAuthenticator.unauthorized_advice]
    advice.append(ApiKeyAuthenticator.unauthorized_advice)
    shown = {row[0].replace("`", "") for row in rows()}
    for one in advice:
        begin = one.replace("`", "").partition(",")[0].rstrip(".")
        assert any(begin in row for row in shown), begin


def test_the_interval_of_progress_is_that_of_the_page() -> None:
    """The page quotes the constant of the code."""
    assert f"one every {SECONDS_BETWEEN_LINES:.0f} seconds" in text()
