"""Which settings the tap accepts, and how it refuses others."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from importlib import metadata
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tap_gorgias.config.schema import CONFIG_SCHEMA, MAX_LOOKBACK_DAYS
from tap_gorgias.config.settings import ApiKey, OAuthApp
from tap_gorgias.errors import SettingsError, messages_of
from tap_gorgias.tap import TapGorgias
from tap_gorgias.timestamps import render
from tests.support.cases import table
from tests.support.configs import API_KEY, VALID, problems_of, settings_of

OAUTH = {"client_id": "app", "client_secret": "hush", "refresh_token": "again"}


def utc(*parts: int) -> datetime:
    """Return a datetime in UTC."""
    return datetime(*parts, tzinfo=timezone.utc)  # type: ignore[arg-type,misc]


START_DATES = {
    "UTC": ("2025-01-02T03:04:05Z", utc(2025, 1, 2, 3, 4, 5)),
    "offset": ("2025-01-02T03:04:05+02:00", utc(2025, 1, 2, 1, 4, 5)),
    "naive": ("2025-01-02T03:04:05", utc(2025, 1, 2, 3, 4, 5)),
    "fraction": ("2025-01-02T03:04:05.5Z", utc(2025, 1, 2, 3, 4, 5, 500_000)),
    "space": ("2025-01-02 03:04:05", utc(2025, 1, 2, 3, 4, 5)),
    "date": ("2025-01-02", utc(2025, 1, 2)),
}

TWO_WAYS = "Both an API key and OAuth2 credentials are set"

REFUSED_SIGN_INS = {
    "nothing": ({}, "incomplete: set `email` and `api_key`."),
    "only e-mail": ({"email": "ann@acme.test"}, "incomplete: set `api_key`."),
    "only key": ({"api_key": "k"}, "incomplete: set `email`."),
    "empty key": ({**API_KEY, "api_key": ""}, "incomplete: set `api_key`."),
    "empty e-mail": ({**API_KEY, "email": ""}, "incomplete: set `email`."),
    "null key": ({**API_KEY, "api_key": None}, "incomplete: set `api_key`."),
    "no client ID": ({**OAUTH, "client_id": ""}, "incomplete: set `client_id`."),
    "no client secret": (
        {**OAUTH, "client_secret": ""},
        "incomplete: set `client_secret`.",
    ),
    "no refresh token": (
        {**OAUTH, "refresh_token": None},
        "incomplete: set `refresh_token`.",
    ),
    "only client ID": (
        {"client_id": "app"},
        "incomplete: set `client_secret` and `refresh_token`.",
    ),
    "both ways": ({**API_KEY, **OAUTH}, TWO_WAYS),
    "key and half of OAuth": ({**API_KEY, "client_id": "app"}, TWO_WAYS),
    "key without e-mail, and OAuth": ({"api_key": "k", **OAUTH}, TWO_WAYS),
    "client ID with colon": ({**OAUTH, "client_id": "a:b"}, "`client_id`"),
    "client ID with newline": ({**OAUTH, "client_id": "app\n"}, "`client_id`"),
    "client secret with newline": (
        {**OAUTH, "client_secret": "hush\n"},
        "`client_secret`",
    ),
    "refresh token with outer space": (
        {**OAUTH, "refresh_token": " again"},
        "`refresh_token`",
    ),
    "e-mail with colon": ({**API_KEY, "email": "a:b@acme.test"}, "`email`"),
    "e-mail with newline": ({**API_KEY, "email": "a@acme.test\n"}, "`email`"),
    "e-mail beyond ASCII": ({**API_KEY, "email": "\u00e4@acme.test"}, "`email`"),
    "key with newline": ({**API_KEY, "api_key": "k\r\nX: y"}, "`api_key`"),
    "key with outer space": ({**API_KEY, "api_key": " k"}, "`api_key`"),
    "key beyond ASCII": ({**API_KEY, "api_key": "k\u00e4"}, "`api_key`"),
}

REFUSED_USER_AGENTS = {
    "empty": "",
    "header injection": "tap\r\nX-Injected: yes",
    "newline": "tap\n",
    "outer space": " tap",
    "tab": "tap\ttap",
    "beyond ASCII": "t\u00e4p",
    "201 characters": "t" * 201,
}

OUT_OF_RANGE = {
    "negative message look-back": ("message_lookback_days", -1, "at least 0"),
    "negative survey look-back": ("survey_lookback_days", -1, "at least 0"),
    "negative voice look-back": ("voice_lookback_days", -1, "at least 0"),
    "negative statistics look-back": ("statistics_lookback_days", -1, "at least 0"),
    "look-back beyond the calendar": (
        "message_lookback_days",
        MAX_LOOKBACK_DAYS + 1,
        f"at most {MAX_LOOKBACK_DAYS}",
    ),
    "no stream": ("parallel_streams", 0, "at least 1"),
    "too many streams": ("parallel_streams", 9, "at most 8"),
    "settled before": ("ticket_messages_settle_hours", -1, "at least 0"),
    "hardly any share": ("rate_limit_percent", 4, "at least 5"),
    "more than all": ("rate_limit_percent", 101, "at most 100"),
    "no timeout": ("request_timeout_seconds", 0, "at least 1"),
}

WRONG_TYPES = {
    "number as subdomain": ("subdomain", 5, "string"),
    "list as key": ("api_key", ["k"], "string"),
    "number as date": ("start_date", 1735689600, "string"),
    "text as list": ("event_types", "ticket-created", "array"),
    "text as days": ("message_lookback_days", "2", "integer"),
    "fraction as days": ("survey_lookback_days", 1.5, "integer"),
    "boolean as percent": ("rate_limit_percent", True, "integer"),
    "object as agent": ("user_agent", {"a": 1}, "string"),
}

SECRETS = {
    "api_key": "planted-key-7f3a",
    "client_secret": "planted-secret-91bc",
    "refresh_token": "planted-token-44de",
}

FLAWS: dict[str, dict[str, Any]] = {
    "two ways": {},
    "unknown setting": {"star_date": "2025-01-01"},
    "wrong type elsewhere": {"rate_limit_percent": "all"},
    "bad subdomain": {"subdomain": "evil.com"},
    "no subdomain": {"subdomain": None},
    "header injection in the secret": {
        name: f"{secret}\r\nX: y" for name, secret in SECRETS.items()
    },
    "secret as list": {name: [secret] for name, secret in SECRETS.items()},
    "secret as key of an object": {
        name: {secret: secret} for name, secret in SECRETS.items()
    },
    "only a broken refresh token": {
        "api_key": None,
        "client_id": "app",
        "refresh_token": f"{SECRETS['refresh_token']}\n",
    },
    "only a broken key": {
        "api_key": f"{SECRETS['api_key']}\n",
        "client_secret": None,
        "refresh_token": None,
    },
}

SETTINGS = {
    "subdomain",
    "email",
    "api_key",
    "client_id",
    "client_secret",
    "refresh_token",
    "start_date",
    "event_types",
    "log_metrics",
    "message_lookback_days",
    "survey_lookback_days",
    "ticket_messages_settle_hours",
    "voice_lookback_days",
    "statistics_lookback_days",
    "statistics",
    "statistics_timezone",
    "parallel_streams",
    "rate_limit_percent",
    "request_timeout_seconds",
    "api_url",
    "user_agent",
}


@table(START_DATES)
def test_a_start_date_is_converted_to_utc(case: tuple[str, datetime]) -> None:
    """A date-time without a time zone is in UTC."""
    given, timestamp = case
    assert settings_of(start_date=given).start_date == render(timestamp)


@pytest.mark.parametrize(
    "given",
    ["", "garbage", "2025-13-01", "2025-02-30", "12:00", "yesterday", "now", "P1D"],
)
def test_a_malformed_start_date_is_refused(given: str) -> None:
    """A wrong date must not silently read everything, or nothing."""
    assert problems_of(start_date=given) == [
        "Setting `start_date` must be a date-time such as `2025-01-01T00:00:00Z`."
    ]


def in_days(days: int) -> str:
    """Return a date-time in some days from now."""
    return (datetime.now(timezone.utc) + timedelta(days=days)).isoformat()


@pytest.mark.parametrize("days", [2, 9000])
def test_a_start_date_after_tomorrow_is_refused(days: int) -> None:
    """A typo in the year would read nothing."""
    assert problems_of(start_date=in_days(days)) == [
        "Setting `start_date` must not be after tomorrow."
    ]


@pytest.mark.parametrize("days", [-1, 0, 1])
def test_a_start_date_may_be_that_of_another_time_zone(days: int) -> None:
    """It is tomorrow somewhere."""
    assert settings_of(start_date=in_days(days)).start_date


@table(REFUSED_SIGN_INS)
def test_anything_but_one_complete_set_of_credentials_is_refused(
    case: tuple[dict[str, str], str],
) -> None:
    """The message names missing, redundant or invalid settings."""
    credentials, said = case
    with pytest.raises(SettingsError) as refused:
        TapGorgias(config={"subdomain": "acme", **credentials})
    (problem,) = messages_of(refused.value)
    assert said in problem


def test_an_api_key_is_accepted() -> None:
    """E-mail and key are unchanged."""
    assert settings_of().credentials == ApiKey("ann@acme.test", "key-of-ann")


def test_an_oauth_app_is_accepted() -> None:
    """An additional e-mail address is ignored."""
    settings = settings_of(api_key=None, **OAUTH)
    assert settings.credentials == OAuthApp("app", "hush", "again")


def test_a_user_agent_is_used_unchanged() -> None:
    """It may have up to 200 printable characters."""
    assert settings_of(user_agent="t" * 200).user_agent == "t" * 200


@table(REFUSED_USER_AGENTS)
def test_an_invalid_user_agent_is_refused(case: str) -> None:
    """A line break would add a header to each request."""
    assert problems_of(user_agent=case) == [
        "Setting `user_agent` must be 1 to 200 printable ASCII characters."
    ]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("star_date", "start_date"),
        ("apikey", "api_key"),
        ("sub_domain", "subdomain"),
        ("rate_limit", "rate_limit_percent"),
    ],
)
def test_a_mistyped_setting_is_refused_with_a_hint(given: str, meant: str) -> None:
    """A typing error must not silently re-read ten years."""
    assert problems_of(**{given: "2025-01-01"}) == [
        f"Setting `{given}` is unknown. Did you mean `{meant}`?"
    ]


def test_a_setting_like_no_other_is_refused_without_a_hint() -> None:
    """A wrong hint would be worse than none."""
    assert problems_of(zzz=1) == ["Setting `zzz` is unknown."]


@table(OUT_OF_RANGE)
def test_a_number_out_of_range_is_refused(case: tuple[str, int, str]) -> None:
    """The message names the limit."""
    name, value, limit = case
    assert problems_of(**{name: value}) == [f"Setting `{name}` must be {limit}."]


@table(WRONG_TYPES)
def test_a_value_of_the_wrong_type_is_refused(case: tuple[str, Any, str]) -> None:
    """The message names the expected type."""
    name, value, kind = case
    assert problems_of(**{name: value}) == [f"Setting `{name}` must be of type {kind}."]


def test_all_problems_of_one_kind_are_reported_at_once() -> None:
    """Users need not start the tap once for each mistake."""
    assert len(problems_of(subdomain="evil.com", start_date="x", user_agent="")) == 3


@table(FLAWS)
def test_no_message_shows_a_secret(case: dict[str, Any]) -> None:
    """More people may read logs than may know the key."""
    config = {"subdomain": "acme", "email": "ann@acme.test", **SECRETS, **case}
    with pytest.raises(SettingsError) as refused:
        TapGorgias(config=config)
    shown = "\n".join(
        [str(refused.value), repr(refused.value), *messages_of(refused.value)]
    )
    assert not [secret for secret in SECRETS.values() if secret in shown]


def test_the_repr_of_settings_contains_no_secrets() -> None:
    """Accidental logging must not leak credentials."""
    assert "key-of-ann" not in repr(settings_of())
    shown = repr(vars(settings_of(api_key=None, **OAUTH)))
    assert "hush" not in shown
    assert "again" not in shown


def test_null_means_absent() -> None:
    """Orchestrators pass null for settings that a user left empty."""
    absent = dict.fromkeys(SETTINGS - VALID.keys())
    assert vars(settings_of(**absent)) == vars(settings_of())


def test_a_missing_subdomain_is_named() -> None:
    """A required setting that is null is missing, too."""
    assert problems_of(subdomain=None) == ["Setting `subdomain` is required."]


def test_defaults_are_filled_in() -> None:
    """Only the subdomain and the credentials are required."""
    assert vars(settings_of()) == {
        "subdomain": "acme",
        "api_url": "https://acme.gorgias.com",
        "credentials": ApiKey("ann@acme.test", "key-of-ann"),
        "start_date": None,
        "event_types": (),
        "message_lookback": timedelta(days=2),
        "survey_lookback": timedelta(days=30),
        "voice_lookback": timedelta(days=2),
        "statistics": [],
        "statistics_lookback": timedelta(days=7),
        "statistics_timezone": ZoneInfo("UTC"),
        "rate_limit_percent": 100,
        "parallel_streams": 6,
        "ticket_messages_settle_interval": timedelta(hours=24),
        "request_timeout_seconds": 60,
        "user_agent": f"tap-gorgias/{metadata.version('tap-gorgias')}",
    }


def test_the_settings_are_those_that_users_rely_on() -> None:
    """Renaming or removing a setting breaks every config that contains it."""
    assert CONFIG_SCHEMA["properties"].keys() >= SETTINGS
    sdk = TapGorgias(validate_config=False).config_jsonschema["properties"].keys()
    foreign = ("batch_", "emit_", "faker_", "flattening_", "stream_map")
    assert {name for name in sdk if not name.startswith(foreign)} == SETTINGS


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_every_setting_is_explained(name: str) -> None:
    """Users see the title and the description."""
    setting = CONFIG_SCHEMA["properties"][name]
    assert setting["title"].strip()
    assert setting["description"].strip().endswith(".")


def test_credentials_are_marked_secret_and_nothing_else() -> None:
    """User interfaces hide marked settings."""
    properties = CONFIG_SCHEMA["properties"]
    marked = {name for name, setting in properties.items() if setting.get("secret")}
    assert marked == set(SECRETS)
