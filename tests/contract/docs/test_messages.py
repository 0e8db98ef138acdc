"""docs/messages.md has every message of the code, and explains those that need it."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import pytest
import yaml  # type: ignore[import-untyped]  # comes with the SDK, without types

from tap_gorgias.api.auth import (
    ADVICE,
    ApiKeyAuthenticator,
    RefreshTokenAuthenticator,
)
from tap_gorgias.run.progress import SECONDS_BETWEEN_LINES
from tests.contract.docs.messages import BLANK, said
from tests.support.documents import ROOT, assert_generated, blocks, text

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

WIDTH = 48


class Explanation(NamedTuple):
    """What there is to say about some messages, given by parts of them."""

    messages: list[str]
    meaning: str
    action: str

    def of(self, part: str) -> set[str]:
        """Return the messages that contain a part; a whole one means only itself."""
        return {part} if part in said() else {one for one in said() if part in one}

    def found(self) -> set[str]:
        """Return all messages."""
        return set().union(*map(self.of, self.messages))


@cache
def explanations() -> dict[str, list[Explanation]]:
    """Return the rows of each table."""
    content = yaml.safe_load((ROOT / "docs" / "messages.yml").read_text("utf-8"))
    return {
        one["table"]: [Explanation(**row) for row in one["rows"]] for one in content
    }


def explained() -> Counter[str]:
    """Count how often each message is explained."""
    rows = (row for table in explanations().values() for row in table)
    return Counter(message for row in rows for message in row.found())


def in_order(messages: AbstractSet[str]) -> list[str]:
    """Sort messages by the first word that does not vary, and shorten them."""
    ordered = sorted(messages, key=lambda one: one.lstrip("`.: ").lower())
    short = (textwrap.shorten(one, WIDTH, placeholder=" ...") for one in ordered)
    return list(dict.fromkeys(short))


def quoted(message: str) -> str:
    """Return a message as code in Markdown."""
    marks = "``" if "`" in message else "`"
    return f"{marks}{message}{marks}"


@pytest.mark.parametrize("table", ["settings", "responses", "runs"])
def test_the_tables_are_up_to_date(table: str) -> None:
    """They join the messages of the code with the texts of docs/messages.yml."""
    lines = ["| message | meaning | what to do |", "| --- | --- | --- |"]
    for row in explanations()[table]:
        messages = "<br>".join(map(quoted, in_order(row.found())))
        lines.append(f"| {messages} | {row.meaning} | {row.action} |")
    assert_generated(f"messages about {table}", "\n".join(lines))


def test_all_other_messages_are_listed() -> None:
    """They say by themselves what happened and what to do."""
    lines = in_order(said() - explained().keys())
    assert_generated("messages", "\n".join(["```text", *lines, "```"]))


def test_every_explanation_is_that_of_a_message() -> None:
    """No text is left over when a message is changed or removed."""
    rows = [row for table in explanations().values() for row in table]
    unknown = [part for row in rows for part in row.messages if not row.of(part)]
    assert unknown == []


def test_no_message_is_explained_twice() -> None:
    """All explanations of a message are in one place."""
    assert [message for message, count in explained().items() if count > 1] == []


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


def test_each_advice_about_signing_in_is_collected() -> None:
    """A search for the text of an error finds it."""
    advice = [*ADVICE.values(), RefreshTokenAuthenticator.unauthorized_advice]
    advice.append(ApiKeyAuthenticator.unauthorized_advice)
    assert set(advice) <= said()


def test_the_example_of_progress_is_a_line_of_the_code() -> None:
    """The numbers are those of a run."""
    [example] = [one for one in blocks("text") if one.startswith("Run: ")]
    [message] = [one for one in said() if one.startswith("Run: ")]
    pattern = re.escape(message).replace(re.escape(BLANK), ".+")
    assert re.fullmatch(pattern, example.splitlines()[0])


def test_the_interval_of_progress_is_that_of_the_page() -> None:
    """The page quotes the constant of the code."""
    assert re.search(rf"\b{SECONDS_BETWEEN_LINES:.0f} s(?:econds)?\b", text())
