"""Operators find every message of the tap explained, and no other."""

from __future__ import annotations

import re

from tap_gorgias.api import oauth
from tap_gorgias.api.authenticators import ApiKeyAuthenticator
from tap_gorgias.api.oauth import RefreshTokenAuthenticator
from tap_gorgias.run.progress import SECONDS_BETWEEN_LINES
from tests.contract.docs.messages import said
from tests.support.documents import OPERATORS, table, text

QUOTED = re.compile(r"(?<!`)(`{1,2})(?!`)(.+?)(?<!`)\1(?!`)")
TABLES = (
    "### Settings, state and catalog",
    "### Responses from Gorgias",
    "### Warnings during a run",
    "### Progress and summary",
)


def explained() -> list[str]:
    """Return the messages that the page explains."""
    cells = [row[0] for heading in TABLES for row in table(heading, OPERATORS)]
    return [text for cell in cells for _, text in QUOTED.findall(cell)]


def test_every_message_of_the_code_is_explained() -> None:
    """Errors, advice, warnings and the lines at the end of a run."""
    assert said() - set(explained()) == set()


def test_no_message_is_explained_that_the_code_has_not() -> None:
    """What the page quotes can be searched for in the code, but for what differs."""
    assert set(explained()) - said() == set()


def test_no_message_is_explained_twice() -> None:
    """Whoever finds a message has found all about it."""
    assert len(explained()) == len(set(explained()))


def test_every_kind_of_message_is_collected() -> None:
    """One each of those that are written in different ways in the code."""
    assert {
        "Check `email` and `api_key`.",  # advice
        "STATE is not valid JSON.",  # a message with a name
        "the body is not JSON.",  # a reason
        "no response within ... s.",  # with a placeholder
        "Setting `...` is required.",  # returned
        "Credentials are incomplete: set ....",  # all of a ValueError
        "... It starts again from ....",  # a warning
        "Summary of ...: ....",  # information
    } <= said()


def test_the_table_of_answers_names_each_advice_about_signing_in() -> None:
    """Whoever searches for the words of an error finds them."""
    advice = [*oauth.ADVICE.values(), RefreshTokenAuthenticator.unauthorized_advice]
    advice.append(ApiKeyAuthenticator.unauthorized_advice)
    rows = table("### Responses from Gorgias", OPERATORS)
    shown = {row[0].replace("`", "") for row in rows}
    for one in advice:
        begin = one.replace("`", "").partition(",")[0].rstrip(".")
        assert any(begin in row for row in shown), begin


def test_progress_comes_as_often_as_the_page_says() -> None:
    """The number is the code's."""
    assert f"one every {SECONDS_BETWEEN_LINES:.0f} seconds" in text(OPERATORS)
