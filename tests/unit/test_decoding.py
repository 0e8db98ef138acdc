"""Response bodies become values that every target can store."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_gorgias.api.error_messages import error_message
from tap_gorgias.records.decoding import MAX_LEVELS, TooDeepError, decode
from tests.support.cases import table
from tests.support.json_values import JSON_VALUES

DECODED: dict[str, tuple[bytes, object]] = {
    "object": (b'{"a": [1, 2.5, null, true]}', {"a": [1, 2.5, None, True]}),
    "space around": (b' \n{"a": 1}\n', {"a": 1}),
    "beyond ASCII": ('{"a": "\u00e9\U0001f600"}'.encode(), {"a": "\u00e9\U0001f600"}),
    "escaped emoji": (rb'"\ud83d\ude00"', "\U0001f600"),
    "NUL": (rb'{"a": "x\u0000y"}', {"a": "xy"}),
    "NUL in a list": (rb'[["\u0000"]]', [[""]]),
    "NUL in a key": (rb'{"k\u0000": "v"}', {"k": "v"}),
    "escaped escape is no NUL": (rb'"\\u0000"', r"\u0000"),
    "lone surrogate": (rb'{"a": "x\ud800y"}', {"a": "xy"}),
    "lone surrogate in a key": (rb'{"k\udfff": 1}', {"k": 1}),
    "lone surrogate beside an emoji": (rb'"\ud83d\ude00\ud83d"', "\U0001f600"),
    "surrogate and NUL": (rb'"\udc00a\u0000"', "a"),
    "64 bits": (b"[-9223372036854775808]", [-(2**63)]),
    "more than 64 bits": (b"[9223372036854775808]", ["9223372036854775808"]),
    "a negative number of more": (b"-9223372036854775809", "-9223372036854775809"),
    "a large exponent": (b"[1e400, 1]", [None, 1]),
    "no number": (b"[NaN, -Infinity]", [None, None]),
}

NO_JSON = {
    "empty": b"",
    "cut": b'{"data": [{"id": 1}, {"id"',
    "HTML": b"<html>502 Bad Gateway</html>",
    "no UTF-8": b'{"a": "\xff"}',
    "two values": b"{} {}",
    "nested without end": b"[" * 200_000,
    "nested too deeply": b"[" * 200_000 + b"]" * 200_000,
}

SAID = {
    "documented form": (
        {"error": {"msg": "No access.", "data": {"limit": ["too large", "odd"]}}},
        "No access. limit: too large limit: odd",
    ),
    "only msg": ({"error": {"msg": "No access."}}, "No access."),
    "message": ({"error": {"message": "No access."}}, "No access."),
    "error as text": ({"error": "invalid_grant"}, "invalid_grant"),
    "without envelope": ({"msg": "No access."}, "No access."),
    "one problem as text": (
        {"error": {"msg": "Bad.", "data": {"limit": "too large"}}},
        "Bad. limit: too large",
    ),
    "problem that is no text": (
        {"error": {"msg": "Bad.", "data": {"limit": [{"customer": "Ann"}]}}},
        "Bad.",
    ),
    "line breaks": ({"error": {"msg": "a\nb\r\x1b[31mc"}}, "a b  [31mc"),
    "nothing": ({}, "no explanation."),
    "list": ([1, 2], "no explanation."),
    "error as list": ({"error": ["x"]}, "no explanation."),
    "msg as object": ({"error": {"msg": {"a": 1}}}, "no explanation."),
}


def test_the_deepest_value_is_200_levels_deep() -> None:
    """Code that handles a value later needs stack for every level."""
    assert decode(b"[" * MAX_LEVELS + b"]" * MAX_LEVELS)
    with pytest.raises(TooDeepError, match="nested more than 200 levels deep"):
        decode(b'{"a":' * MAX_LEVELS + b"[]" + b"}" * MAX_LEVELS)


@table(DECODED)
def test_characters_that_warehouses_refuse_are_removed(
    case: tuple[bytes, object],
) -> None:
    """These are NUL characters and lone surrogates."""
    body, value = case
    assert decode(body) == value


@table(NO_JSON)
def test_invalid_json_raises_one_type_of_error(case: bytes) -> None:
    """The client retries on this error only."""
    with pytest.raises(ValueError):  # noqa: PT011 (any message)
        decode(case)


@given(JSON_VALUES)
def test_a_value_survives_unless_it_cannot_be_stored(value: object) -> None:
    """What PostgreSQL and UTF-8 accept arrives unchanged."""
    decoded = decode(json.dumps(value).encode())
    text = json.dumps(decoded, ensure_ascii=False)
    assert "\\u0000" not in text.replace("\\\\", "")
    text.encode()
    if "\\u0000" not in json.dumps(value) and storable(value):
        assert decoded == value


@given(st.binary())
def test_any_bytes_are_json_or_refused(body: bytes) -> None:
    """No body raises another error, which would not be retried."""
    try:
        decode(body)
    except ValueError:
        return


@table(SAID)
def test_the_message_of_an_error_is_extracted(case: tuple[object, str]) -> None:
    """Known formats are shown in one line, and unknown ones not at all."""
    body, words = case
    assert error_message(json.dumps(body).encode(), str) == words


@pytest.mark.parametrize("body", [b"", b"<html>secret</html>", b"\xff\xfe", b"null"])
def test_a_body_that_is_not_json_is_not_shown(body: bytes) -> None:
    """It may contain anything."""
    assert error_message(body, str) == "no explanation."


@given(st.one_of(st.binary(), JSON_VALUES.map(lambda v: json.dumps(v).encode())))
def test_an_error_message_is_one_printable_line(body: bytes) -> None:
    """No answer of a proxy can forge lines of the log."""
    words = error_message(body, str)
    assert words
    assert words.isprintable()


def storable(value: object) -> bool:
    """Return whether all strings can be encoded, and all numbers have 64 bits."""
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    if isinstance(value, list):
        return all(map(storable, value))
    if isinstance(value, dict):
        return all(map(storable, [*value, *value.values()]))
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def test_a_secret_at_the_point_of_truncation_is_masked() -> None:
    """Half of a token is still confidential."""
    token = "t" * 900
    body = json.dumps({"error": {"msg": "Malformed header: " + token}}).encode()
    words = error_message(body, lambda text: text.replace(token, "***"))
    assert words == "Malformed header: ***"


MASKED = {
    "e-mail address": ("Customer ann@acme.test exists.", "Customer *** exists."),
    "card number": ("Card 4111 1111 1111 1111 declined", "Card *** declined"),
    "phone number": ("Call +1 (555) 123-4567 now", "Call *** now"),
    "quoted text": ("Name \"Ann O'Hara\" is 'not good'.", "Name *** is ***."),
    "typographic quotes": (
        "Name \u201cAnn\u201d is \u00abbad\u00bb",
        "Name *** is ***",
    ),
    "other quotes": ("Names `Ann` \u2039Bo\u203a \u300cCy\u300d", "Names *** *** ***"),
    "a key of a database": ("Key (email)=(ann quill) exists", "Key (email)=*** exists"),
    "open quote": ("Name 'Ann", "Name ***"),
    "URL": ("See https://acme.test/?token=x now", "See *** now"),
    "apostrophes": (
        "It doesn't fit the users' limit",
        "It doesn't fit the users' limit",
    ),
    "quoted names": ("'order_by' is \"tag-created\"", "'order_by' is \"tag-created\""),
    "code": ("ticket_merged", "ticket_merged"),
    "small numbers": ("must be between 1 and 10000", "must be between 1 and 10000"),
}


@table(MASKED)
def test_what_can_be_customer_data_is_masked(case: tuple[str, str]) -> None:
    """Names of fields, codes and the rest of the sentence stay."""
    text, shown = case
    error = {"msg": text, "data": {"order_by": ["Unknown field.", text]}}
    body = json.dumps({"error": error}).encode()
    assert error_message(body, str) == (
        f"{shown} order_by: Unknown field. order_by: {shown}"
    )


def test_a_message_has_at_most_300_characters() -> None:
    """The rest is rarely worth reading."""
    body = json.dumps({"error": {"msg": "no " * 5000}}).encode()
    assert len(error_message(body, str)) == 300


@pytest.mark.parametrize("levels", [MAX_LEVELS, 5_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_a_field_that_is_too_deep_becomes_null(
    levels: int, opening: str, closing: str
) -> None:
    """The rest of the page is read, and the field is named."""
    deep = f'{opening * levels}"]}}\\""{closing * levels}'
    body = f'{{"data": [{{"id": 1, "meta": {deep}, "to": []}}, {{"id": 2}}]}}'
    names: list[str] = []
    rows = [{"id": 1, "meta": None, "to": []}, {"id": 2}]
    assert decode(body.encode(), names.append) == {"data": rows}
    assert names == ["meta"]
    record = f'{{"id": 1, "meta": {deep}}}'
    assert decode(record.encode(), names.append) == {"id": 1, "meta": None}


def test_a_page_that_is_no_list_of_objects_is_shallow_too() -> None:
    """Whatever it is, later code can handle it."""
    body = b"[" * 100_000 + b"]" * 100_000
    assert decode(body, pytest.fail) == [None]
