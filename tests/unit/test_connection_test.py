"""Names in the text of `--test`: those that others chose are cut and made printable."""

from __future__ import annotations

import pytest

from tap_gorgias.config.credentials import ApiKey
from tap_gorgias.connection_test.differences import named_in, quoted
from tap_gorgias.connection_test.fields import surprises_of
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
USUAL = "2026-08-26T12:46:06.231080+00:00"


def told(*rows: dict[str, object]) -> list[str]:
    """Return what is told of some rows."""
    return [one.text for one in surprises_of("tickets", SCHEMA, {"id"}, rows)]


def row(**fields: object) -> dict[str, object]:
    """Make a row in which nothing is otherwise."""
    usual = {"id": 1, "created_datetime": USUAL, "closed_datetime": None, "meta": {}}
    return {**usual, **fields}


def test_names_come_in_order_once_and_quoted() -> None:
    """However often they were found."""
    assert quoted(["b", "a", "b"]) == "`a`, `b`"


def test_a_long_or_strange_name_is_cut_and_printable() -> None:
    """So that a table stays one, and its quotes too."""
    assert quoted(["x" * 41]) == f"`{'x' * 37}...`"
    assert quoted(["a`b\n\x1b"]) == "`a b  `"


def test_many_names_are_counted() -> None:
    """Twelve tell enough."""
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
    """Those that were sent, and no others."""
    assert named_in(text, ["order_by", "limit", "created_datetime[gte]"]) == names


def test_a_field_that_one_row_has_is_not_missing() -> None:
    """Rows may lack what does not apply to them."""
    assert told({"id": 1, "meta": {}}, row()) == []


def test_no_rows_tell_nothing() -> None:
    """Nothing is missing in them either."""
    assert told() == []


def test_names_within_objects_are_not_shown() -> None:
    """They may be the words of customers."""
    assert told(row(meta={"Jane's secret": 1})) == []


@pytest.mark.parametrize("usual", [USUAL, "2026-08-26T12:46:06Z"])
def test_usual_date_times_are_not_told(usual: str) -> None:
    """With a fraction or without, in UTC."""
    assert told(row(created_datetime=usual)) == []


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("2026-08-26 12:46:06.231+00:00", "of the form 0000-00-00 00:00:00.000+00:00"),
        ("2026-08-26T12:46:06+02:00", "of the form 0000-00-00T00:00:00+00:00"),
        ("soon", "that cannot be read, and become null"),
        (1_756_212_366, "that cannot be read, and become null"),
    ],
)
def test_other_date_times_are_told_without_their_digits(
    value: object, form: str
) -> None:
    """The form is enough to teach the tap."""
    rows = [row(created_datetime=value, closed_datetime=value)]
    assert told(*rows) == [f"date-times {form}: `closed_datetime`, `created_datetime`."]


def test_a_missing_key_is_more_than_a_missing_field() -> None:
    """Without it nothing can be loaded."""
    without_id = row()
    del without_id["id"]
    del without_id["meta"]
    found = list(surprises_of("tickets", SCHEMA, {"id"}, [without_id]))
    assert [(one.text, one.is_harmless) for one in found] == [
        ("missing keys: `id`.", False),
        ("missing fields, whose columns are null: `meta`.", True),
    ]


@pytest.mark.parametrize(
    ("call_limit", "line"),
    [
        (None, "no answer tells it, so the tap takes it for 40 in 20 s."),
        ("3/40 in the last 20 s", "3/40 in the last 20 s, as an API key gets."),
        (
            "3/40 in the last 10 s",
            "3/40 in the last 10 s, as an API key gets on an Enterprise plan.",
        ),
        (
            "3/80 in the last 20 s",
            "3/80 in the last 20 s, as an OAuth2 app gets. 40 was expected.",
        ),
    ],
)
def test_the_call_limit_points_to_a_plan(call_limit: str | None, line: str) -> None:
    """An API key gets 40 requests, in 20 seconds or in 10."""
    text = render([], credentials=KEY, call_limit=call_limit, requests=0)
    assert f"- Call limit: {line}\n" in text
