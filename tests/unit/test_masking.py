"""Credentials in records are masked wherever they can be."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from tap_gorgias.records.masking import WHOLE, mask, mask_at
from tests.support.cases import table
from tests.support.json_values import JSON_VALUES

S = "planted"
"""Must not be in the result."""

LISTS_OF_PAIRS = {
    "key": [{"key": "X_API_KEY", "value": S, "editable": False}],
    "name": [{"name": "access_token", "value": S}],
    "id": [{"id": "apikey", "value": S}],
    "id and key": [{"id": "1", "key": "sig", "value": S}],
    "field": [{"field": "Password", "content": S}],
    "capitals": [{"Key": "hmac", "Value": S}],
    "label": [{"label": "API key", "value": S}],
    "longer names": [{"param_name": "token", "param_value": S}],
    "name of a header": [{"header_name": "X-Custom", "header_value": S}],
    "default": [{"name": "client_secret", "default": S}],
    "list": [["X-Auth-Token", S]],
    "variable": [{"variable": "password", "value": S}],
    "secret value": [{"name": "X", "secret_value": S}],
    "headers": [{"key": "headers", "value": [{"key": "X-Custom", "value": S}]}],
    "name that is a URL": [
        {"label": f"https://hooks.slack.com/services/{S}", "value": "a"}
    ],
    "list that begins with a URL": [f"https://hooks.slack.com/services/{S}", "a"],
    "as in a query": [{"key": "code", "value": S}, ["pw", S]],
    "object as in a query": {"code": S},
    "random": [{"key": "u", "value": f"{S}0a1b2c3d4e5f6a7b8c9d0e"}],
    "nested": [{"key": "secret", "value": {"inner": [S]}}],
    "syntax tree": {
        "key": {"type": "Literal", "value": "X-Api-Key"},
        "value": {"type": "Literal", "value": S},
    },
}


@table(LISTS_OF_PAIRS)
def test_the_value_of_a_secret_name_is_masked_in_a_pair(case: Any) -> None:  # noqa: ANN401
    """Its name and the rest of the pair stay."""
    hidden = json.dumps(mask({"arguments": {"params": case}}))

    assert S not in hidden
    assert "***" in hidden
    plain = json.dumps(case)
    for word in ("X_API_KEY", "access_token", "apikey", "sig", "Password", "hmac"):
        assert (word in hidden) == (word in plain)
    assert ("false" in hidden) == ("false" in plain)


def test_the_value_of_another_name_stays_in_a_pair() -> None:
    """Template variables stay, too."""
    value = [
        {"key": "user_id", "value": "{{ticket.customer.id}}", "editable": False},
        {"key": "reason", "value": "late", "mandatory": True},
        ["order", "17"],
    ]
    assert mask(value) == value


HEADERS = {
    "object": {"X-Custom": S, "Content-Type": "application/json"},
    "pairs": [{"key": "X-Custom", "value": S}, {"key": "accept", "value": "text/xml"}],
    "lists": [["X-Custom", S], ["Accept", "text/xml"]],
    "lines": f"X-Custom: {S}\r\nContent-Type: application/json\r\n",
    "list of lines": [f"X-Custom: {S}", "Accept-Language: fr"],
    "JSON": json.dumps({"X-Custom": S, "Accept": "text/xml"}),
    "lists of values": {"X-Custom": [S, S], "Accept": ["text/xml"]},
}


@pytest.mark.parametrize(
    "name", ["headers", "Headers", "http_headers", "customHeaders"]
)
@table(HEADERS)
def test_headers_are_masked_except_for_harmless_ones(case: Any, name: str) -> None:  # noqa: ANN401
    """Their names stay."""
    hidden = json.dumps(mask({name: case}))

    assert S not in hidden
    assert "X-Custom" in hidden
    for harmless in ("application/json", "text/xml", "fr"):
        assert (harmless in hidden) == (harmless in json.dumps(case))


@pytest.mark.parametrize("value", [f"Bearer {S}", S, 7, [S], {"X": {"y": S}}])
def test_unusual_headers_are_masked_completely(value: object) -> None:
    """An unexpected form must not leak a credential."""
    hidden = json.dumps(mask({"headers": value}))

    assert S not in hidden
    assert "7" not in hidden


def test_forms_are_masked_like_headers() -> None:
    """The form of a webhook may contain a credential under any name."""
    for form in ({"text": S, "id": "{{ticket.id}}"}, [{"key": "text", "value": S}]):
        hidden = json.dumps(mask({"http": {"form": form}}))
        assert S not in hidden
        assert "text" in hidden
        assert ("{{ticket.id}}" in hidden) == ("{{ticket.id}}" in json.dumps(form))


def test_a_header_that_is_a_template_variable_stays() -> None:
    """What surrounds a variable does not."""
    headers = {"X-Ticket": "{{ticket.id}}", "X-Mixed": f"{S}-{{{{ticket.id}}}}"}

    assert mask({"headers": headers})["headers"] == {
        "X-Ticket": "{{ticket.id}}",
        "X-Mixed": "***{{ticket.id}}",
    }


def test_everything_below_a_secret_name_is_masked() -> None:
    """Its structure, nulls, booleans and the ID of an OAuth2 app stay."""
    value = {
        "credentials": {"user": S, "pins": [1, True, 0.5, None, ""], "more": {}},
        "oauth2": {"client_id": "app", "scope": S, "url": S},
        "token": None,
    }

    assert mask(value) == {
        "credentials": {
            "user": "***",
            "pins": ["***", True, "***", None, "***"],
            "more": {},
        },
        "oauth2": {"client_id": "app", "scope": "***", "url": "***"},
        "token": None,
    }


TEXTS = {
    "JSON": json.dumps({"name": "été", "deep": json.dumps([{"token": S}])}),
    "JSON in a JSON string": json.dumps(json.dumps({"api_key": S})),
    "JSON with variables": f'{{"id": {{{{ticket.id}}}}, "api_key": "{S}"}}',
    "pairs with variables": f'[{{"key": "hmac", "value": "{S}", "n": {{{{n}}}}}}]',
    "a secret object": f'{{"id": {{{{n}}}}, "credentials": {{"user": "{S}"}}}}',
    "headers with variables": f'{{"n": [{{{{n}}}}], "headers": {{"X-A": "{S}"}}}}',
    "escaped JSON": rf'x = "{{\"api_key\": \"{S}\"}}";',
    "form data": f"user=bob&access_token={S}&id={{{{ ticket.id }}}}",
    "query in a sentence": f"Exceeded: /me?fields=a&access_token={S} (by proxy)",
    "connection string": f"Server=db;User ID=sa;Password={S};Encrypt=no; Timeout=5",
    "code": f'const url = "https://a.example/?api_key={S}"; apiKey = "{S}";',
    "code with pairs": f"Action({{key: 'X-Api-Key', value: '{S}'}})",
    "Bearer": f"Bearer {S}",
    "token in a sentence": f"curl -H 'Authorization: Bearer {S}1'",
    "JWT": f"x eyJhbGciOiJIUzI1NiJ9.{S}.{S} y",
    "known tokens": f"sk_live_{S} xoxb-12-{S} ghp_{S}0123456789 shpat_{S}",
    "more tokens": f"whsec_{S}0123456789 github_pat_{S}0123456789012 xapp-1-{S}",
    "private key": f"-----BEGIN PRIVATE KEY-----\n{S}\n-----END PRIVATE KEY-----",
    "encrypted key": f"-----BEGIN RSA PRIVATE KEY-----\nDEK-Info: AES\n\n{S}\n",
}


@table(TEXTS)
def test_credentials_in_texts_are_masked(case: str) -> None:
    """The text around them stays, and so do names and variables."""
    hidden = mask({"body": case})["body"]

    assert S not in hidden
    assert "***" in hidden
    parts = ("été", "user=bob", "{{ticket.id}}", "{{ ticket.id }}", "X-Api-Key")
    assert [part for part in parts if part in case and part not in hidden] == []


HARMLESS = [
    *('{ "a" : 1 }', "{", "[1, 2", "[Auto Tag] plain", "", "5", '"', "{{ticket.id}}"),
    *("Basic information", "Our token of thanks", "key: value", "a=b", "x == y"),
    "Dear {{ticket.customer.name}}, see https://shop.example/returns?order=17#top.",
    "<a href=\"https://shop.example/a\" class='key'>Key</a>",
    "Use https://shop.example/discount?code=WELCOME10&k=shoes.",
    '{"id": {{ticket.id}}, "note": "{{ticket.subject}}"}',
]


@pytest.mark.parametrize("text", HARMLESS)
def test_a_text_without_credentials_is_unchanged(text: str) -> None:
    """This includes its white space."""
    assert mask({"a": text, "b": [text]}) == {"a": text, "b": [text]}


def test_a_path_leads_through_objects_and_lists() -> None:
    """Values beside it are not masked, and the record is not modified."""
    record = {
        "token": "beside",
        "messages": [
            {"id": 1, "token": "beside", "actions": [{"token": S}]},
            {"id": 2, "actions": None},
            {"id": 3},
        ],
    }
    before = json.dumps(record)

    hidden = mask_at("messages.actions", record)

    assert hidden == json.loads(before.replace(S, "***"))
    assert json.dumps(record) == before
    assert mask_at("missing.actions", record) == record
    assert mask_at(WHOLE, record)["token"] == "***"


def test_a_value_that_is_nested_too_deeply_is_masked() -> None:
    """It cannot be searched."""
    text = "[" * 300 + f'{{"token": "{S}"}}' + "]" * 300

    assert mask_at("data", {"data": [text]}) == {"data": None}
    assert mask_at("data", {"data": {"a": text, "b": "c"}}) == {
        "data": {"a": "***", "b": "c"}
    }


@given(JSON_VALUES)
def test_no_scalar_survives_below_a_secret_name(value: object) -> None:
    """This holds for any value, whose structure stays."""
    hidden = mask({"secret": value})["secret"]

    assert len(_scalars(hidden)) == len(_scalars(value))
    assert {*_scalars(hidden)} <= {"***", None, True, False}


@given(JSON_VALUES)
def test_masking_is_idempotent(value: object) -> None:
    """A mask is not a credential."""
    once = mask(value)

    assert mask(once) == once


def _scalars(value: object) -> list[object]:
    if isinstance(value, dict):
        return [
            scalar
            for name, item in value.items()
            if name not in {"client_id", "clientId"}
            for scalar in _scalars(item)
        ]
    if isinstance(value, list):
        return [scalar for item in value for scalar in _scalars(item)]
    return [value]
