"""The report of `--test`: missing fields, what needs action, and the call limit."""

from __future__ import annotations

from typing import Any

import pytest

from tap_gorgias.api.limiter import CallLimit
from tap_gorgias.config.settings import ApiKey, OAuthApp
from tap_gorgias.connection_test.report import render
from tap_gorgias.connection_test.tester import StreamResult, missing_fields

KEY = ApiKey("you@example.com", "key")
APP = OAuthApp("id", "secret", "token")
SCHEMA: dict[str, Any] = {
    "properties": {name: {} for name in ("id", "name", "custom_fields")}
}


def report_of(*results: StreamResult, limit: CallLimit | None = None) -> str:
    """Format the results of streams."""
    return render(results, credentials=KEY, call_limit=limit, requests=7, seconds=12.34)


@pytest.mark.parametrize(
    ("stream", "rows", "missing"),
    [
        ("tickets", [], []),
        ("tickets", [{"id": 1}], ["custom_fields", "name"]),
        ("tickets", [{"id": 1}, {"name": None, "custom_fields": {}}], []),
        ("ticket_details", [{"id": 1, "name": "x"}], []),
        ("view_items", [{"id": 1}], ["created_datetime", "updated_datetime"]),
    ],
)
def test_fields_that_no_row_has_are_missing(
    stream: str, rows: list[dict[str, object]], missing: list[str]
) -> None:
    """Except those that Gorgias leaves out of rows without a value."""
    assert missing_fields(stream, SCHEMA, rows) == missing


def test_what_is_harmless_stands_apart_from_what_needs_action() -> None:
    """A text that several streams share comes once."""
    lines = report_of(
        StreamResult("b", "ok", 1, 0.0, actions=["Both."]),
        StreamResult("a", "ok", 1, 0.0, actions=["Both."], notes=["New field."]),
    ).splitlines()
    action, harmless = (
        lines.index("Needs action:"),
        lines.index("Harmless differences:"),
    )

    assert lines[action + 1 : harmless] == ["- a, b: Both.", ""]
    assert lines[harmless + 1] == "- a: New field."


def test_without_differences_there_are_no_sections() -> None:
    """Nothing has to be read to the end to see that all is well."""
    report = report_of(StreamResult("a", "ok", 1, 0.0))

    assert "Needs action" not in report
    assert "Harmless" not in report


def test_the_report_fits_into_a_terminal() -> None:
    """Names and messages may be long, and contain any characters."""
    report = report_of(
        StreamResult(
            "q" * 90, "ok", 123_456, 1234.5, notes=["word " * 90, "\x1b[31m\n"]
        )
    )

    assert max(map(len, report.splitlines())) <= 80
    assert all(sign.isprintable() or sign == "\n" for sign in report)


@pytest.mark.parametrize(
    ("credentials", "limit", "text"),
    [
        (KEY, CallLimit(3, 40, 20), "3/40 in the last 20 s; as documented for an API"),
        (KEY, CallLimit(3, 200, 20), "20 s; 40 are documented for an API key."),
        (APP, CallLimit(1, 80, 10), "10 s, as on an Enterprise plan; as documented"),
        (APP, CallLimit(1, 40, 20), "1/40 in the last 20 s; 80 are documented for OAu"),
        (KEY, None, "missing from all responses, so the tap assumes 40 in 20 s."),
    ],
)
def test_the_call_limit_is_compared_with_the_documents(
    credentials: ApiKey | OAuthApp, limit: CallLimit | None, text: str
) -> None:
    """The tap adapts to any, so this needs no action."""
    report = render(
        [], credentials=credentials, call_limit=limit, requests=0, seconds=0
    )

    assert text in " ".join(report.split())
