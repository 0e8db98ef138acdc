"""Differences in the report of `--test`, and how it shows names from responses."""

from __future__ import annotations

import pytest

from tap_gorgias.api.limiter import CallLimit
from tap_gorgias.config.credentials import ApiKey
from tap_gorgias.connection_test.differences import mentioned_in, quoted
from tap_gorgias.connection_test.fields import field_differences
from tap_gorgias.connection_test.report import render

KEY = ApiKey("you@example.com", "key")
SCHEMA = {
    "properties": {
        "id": {"type": "integer"},
        "created_datetime": {"type": ["string", "null"], "format": "date-time"},
        "closed_datetime": {"type": ["string", "null"], "format": "date-time"},
        "meta": {"type": ["object", "null"]},
    }
}
VALID = "2026-08-26T12:46:06.231080+00:00"


def differences_of(*rows: dict[str, object]) -> list[str]:
    """Return how rows differ from the schema."""
    return [one.text for one in field_differences("tickets", SCHEMA, {"id"}, rows)]


def row(**fields: object) -> dict[str, object]:
    """Return a row that matches the schema."""
    valid = {"id": 1, "created_datetime": VALID, "closed_datetime": None, "meta": {}}
    return {**valid, **fields}


def test_names_are_sorted_unique_and_quoted() -> None:
    """A name that occurs twice is shown once."""
    assert quoted(["b", "a", "b"]) == "`a`, `b`"


def test_a_long_or_unprintable_name_is_sanitized() -> None:
    """It cannot break the table or its quotes."""
    assert quoted(["x" * 41]) == f"`{'x' * 37}...`"
    assert quoted(["a`b\n\x1b"]) == "`a b  `"


def test_many_names_are_counted() -> None:
    """The first twelve are shown."""
    assert quoted(str(number) for number in range(15)).endswith(" and 3 more")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Invalid query parameters. order_by: Unknown field.", {"order_by"}),
        ("reorder_by and limits are unknown", set()),
        ("`created_datetime[gte]` is no datetime", {"created_datetime[gte]"}),
    ],
)
def test_a_refusal_names_parameters_as_whole_words(text: str, names: set[str]) -> None:
    """Parameters that were not sent do not count."""
    assert mentioned_in(text, ["order_by", "limit", "created_datetime[gte]"]) == names


def test_a_field_that_one_row_has_is_not_missing() -> None:
    """Rows may lack fields that do not apply to them."""
    assert differences_of({"id": 1, "meta": {}}, row()) == []


def test_an_empty_list_has_no_differences() -> None:
    """Without rows, no field is missing."""
    assert differences_of() == []


def test_names_within_objects_are_not_shown() -> None:
    """They may come from customers."""
    assert differences_of(row(meta={"Jane's secret": 1})) == []


@pytest.mark.parametrize("valid", [VALID, "2026-08-26T12:46:06Z"])
def test_valid_date_times_are_not_reported(valid: str) -> None:
    """They are in UTC, with or without a fraction."""
    assert differences_of(row(created_datetime=valid)) == []


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (
            "2026-08-26 12:46:06.231+00:00",
            "in the format 0000-00-00 00:00:00.000+00:00",
        ),
        ("2026-08-26T12:46:06+02:00", "in the format 0000-00-00T00:00:00+00:00"),
        ("soon", "that cannot be parsed and become null"),
        (1_756_212_366, "that cannot be parsed and become null"),
    ],
)
def test_other_date_times_are_reported_without_their_digits(
    value: object, form: str
) -> None:
    """The digits are data, the format is not."""
    rows = [row(created_datetime=value, closed_datetime=value)]
    assert differences_of(*rows) == [
        f"date-times {form}: `closed_datetime`, `created_datetime`."
    ]


def test_only_missing_keys_are_not_harmless() -> None:
    """Rows without keys cannot be loaded."""
    without_id = row()
    del without_id["id"]
    del without_id["meta"]
    found = list(field_differences("tickets", SCHEMA, {"id"}, [without_id]))
    assert [(one.text, one.is_harmless) for one in found] == [
        ("missing keys: `id`.", False),
        ("missing fields, whose columns are null: `meta`.", True),
    ]


@pytest.mark.parametrize(
    ("call_limit", "line"),
    [
        (None, "missing from all responses, so the tap assumes 40 in 20 s."),
        (CallLimit(3, 40, 20.0), "3/40 in the last 20 s, the limit for an API key."),
        (
            CallLimit(3, 40, 10.0),
            "3/40 in the last 10 s, the limit for an API key on an Enterprise plan.",
        ),
        (
            CallLimit(3, 80, 20.0),
            "3/80 in the last 20 s, the limit for an OAuth2 app; 40 was expected.",
        ),
    ],
)
def test_the_call_limit_indicates_the_plan(
    call_limit: CallLimit | None, line: str
) -> None:
    """An API key gets 40 requests in 20 or in 10 seconds."""
    text = render([], credentials=KEY, call_limit=call_limit, requests=0)
    assert f"- Call limit: {line}\n" in text
