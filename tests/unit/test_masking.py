"""Secrets are masked wherever they are, and nothing else is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from tap_gorgias.records.masking import (
    MASK,
    any_name,
    any_name_except_client_id,
    is_secret_name,
    mask,
    mask_at_path,
)
from tests.support.json_values import JSON_VALUES


@pytest.mark.parametrize(
    "name",
    [
        "secret",
        "client_secret",
        "clientSecret",
        "token",
        "access_token",
        "refreshToken",
        "ACCESS_TOKEN",
        "password",
        "passwordHash",
        "db-password",
        "passphrase",
        "credential",
        "credentials",
        "private_key",
        "privateKey",
        "privatekey",
        "api_key",
        "apiKey",
        "APIKey",
        "apikey",
        "APIKEY",
        "x-api-key",
        "X-Api-Key",
        "secret_key",
        "signing_keys",
        "key",
        "Key",
        "authorization",
        "Authorization",
        "signature",
        "request signature",
    ],
)
def test_names_of_secrets_are_recognised(name: str) -> None:
    """Their style of writing does not matter."""
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "1001",
        "id",
        "client_id",
        "clientId",
        "key_id",
        "access_key_id",
        "accessKeyId",
        "token_ids",
        "keyboard",
        "monkey",
        "keyword",
        "turkey_store",
        "hotkeyed",
        "name",
        "user",
        "author",
        "metadata_url",
        "été",
    ],
)
def test_other_names_are_not_taken_for_secrets(name: str) -> None:
    """Ids and similar words are not masked."""
    assert not is_secret_name(name)


def test_only_values_of_secret_names_are_masked() -> None:
    """This applies at any depth and within lists."""
    value = {
        "providers": {"7": {"client_id": "app", "client_secret": "s", "url": "u"}},
        "stores": [{"access_token": "s", "name": "n"}, 5, None],
    }

    assert mask(value, is_secret_name) == {
        "providers": {"7": {"client_id": "app", "client_secret": MASK, "url": "u"}},
        "stores": [{"access_token": MASK, "name": "n"}, 5, None],
    }


def test_every_value_below_a_secret_name_is_masked() -> None:
    """Its structure and its nulls stay."""
    value = {"credentials": {"user": "u", "pins": [1, True, 0.5, None], "more": {}}}

    assert mask(value, is_secret_name) == {
        "credentials": {"user": MASK, "pins": [MASK, MASK, MASK, None], "more": {}}
    }


@pytest.mark.parametrize("value", ["s", 5, 0, True, False, 0.5, ""])
def test_any_scalar_becomes_the_same_mask(value: object) -> None:
    """It shows neither type nor length."""
    assert mask({"token": value}, is_secret_name) == {"token": "***"}


def test_a_null_is_not_mask() -> None:
    """The absence of a secret is not confidential."""
    assert mask({"token": None}, is_secret_name) == {"token": None}
    assert mask(None, any_name) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Authorization": "s", "X": ["s"]}, {"Authorization": MASK, "X": [MASK]}),
        ([{"name": "Authorization"}, "s"], [{"name": MASK}, MASK]),
        ("Authorization: s", MASK),
        (7, MASK),
        ({}, {}),
    ],
)
def test_all_scalars_of_a_secret_object_are_mask(
    value: object, expected: object
) -> None:
    """The headers of a webhook may have any format."""
    assert mask(value, any_name) == expected


def test_the_client_id_is_not_masked() -> None:
    """It identifies an app; only the other credentials authenticate it."""
    value = {"client_id": "app", "clientId": "app", "client_secret": "s", "scope": "r"}

    assert mask(value, any_name_except_client_id) == {
        "client_id": "app",
        "clientId": "app",
        "client_secret": MASK,
        "scope": MASK,
    }
    assert mask("s", any_name_except_client_id) == MASK


def test_a_text_that_contains_json_is_masked_inside() -> None:
    """It would be parsed where an object is declared."""
    text = json.dumps({"api_key": "s", "name": "été", "deep": '[{"token": "s"}]'})

    hidden = mask({"data": text}, is_secret_name)["data"]

    assert json.loads(hidden) == {
        "api_key": MASK,
        "name": "été",
        "deep": '[{"token": "***"}]',
    }


@pytest.mark.parametrize("text", ['{ "a" : 1 }', "{", "[1, 2", "plain", "", "5"])
def test_a_text_without_secrets_is_unchanged(text: str) -> None:
    """This includes its whitespace."""
    assert mask({"a": text, "b": [text]}, is_secret_name) == {"a": text, "b": [text]}


def test_a_path_leads_through_objects_lists_and_texts() -> None:
    """Values beside it are not masked."""
    row = {
        "token": "beside",
        "settings": [
            {"id": 1, "data": {"token": "s"}},
            json.dumps({"id": 2, "data": {"token": "s"}}),
            {"id": 3},
            {"id": 4, "data": None},
        ],
    }

    hidden = mask_at_path("settings.data", row, is_secret_name)

    assert hidden["token"] == "beside"
    assert hidden["settings"][0] == {"id": 1, "data": {"token": MASK}}
    assert json.loads(hidden["settings"][1]) == {"id": 2, "data": {"token": MASK}}
    assert hidden["settings"][2:] == [{"id": 3}, {"id": 4, "data": None}]


@pytest.mark.parametrize("http", [None, "Bearer s", 5])
def test_a_scalar_on_the_path_is_mask(http: object) -> None:
    """An unexpected structure must not leak a secret."""
    hidden = mask_at_path("http.headers", {"http": http}, any_name)

    assert hidden == {"http": None if http is None else MASK}


def test_the_input_row_is_not_modified() -> None:
    """Other parts of the tap may still use it."""
    row: dict[str, Any] = {"http": {"headers": {"Authorization": "s"}, "url": "u"}}

    mask_at_path("http.headers", row, any_name)

    assert row == {"http": {"headers": {"Authorization": "s"}, "url": "u"}}


@given(JSON_VALUES)
def test_no_scalar_survives_below_a_secret_name(value: object) -> None:
    """This holds for any value, whose structure stays."""
    hidden = mask({"secret": value}, is_secret_name)["secret"]

    assert set(_scalars(hidden)) <= {MASK, None}
    assert len(_scalars(hidden)) == len(_scalars(value))


@given(JSON_VALUES)
def test_masking_is_idempotent(value: object) -> None:
    """A mask is not a secret."""
    once = mask(value, is_secret_name)

    assert mask(once, is_secret_name) == once


def _scalars(value: object) -> list[object]:
    if isinstance(value, dict):
        return [scalar for item in value.values() for scalar in _scalars(item)]
    if isinstance(value, list):
        return [scalar for item in value for scalar in _scalars(item)]
    return [value]
