"""The JSON schema of the settings, and messages for settings that violate it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from tap_gorgias.config.statistics import PRESETS
from tap_gorgias.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jsonschema import ValidationError

MAX_LOOKBACK_DAYS = 36_500

_DURATION = th.IntegerType(minimum=0, maximum=MAX_LOOKBACK_DAYS)
_PRESET_NAMES = ", ".join(f"`{name}`" for name in sorted(PRESETS))

CONFIG_SCHEMA: dict[str, Any] = th.PropertiesList(
    th.Property(
        "subdomain",
        th.StringType,
        required=True,
        title="Subdomain",
        description="Subdomain of the helpdesk, for example `acme`. "
        "`acme.gorgias.com` and `https://acme.gorgias.com/...` are accepted too.",
    ),
    th.Property(
        "email",
        th.StringType,
        title="E-mail",
        description="E-mail address of the user who owns the API key. "
        "Required with `api_key`.",
    ),
    th.Property(
        "api_key",
        th.StringType,
        secret=True,
        title="API key",
        description="API key from Settings > REST API. Requires `email`.",
    ),
    th.Property(
        "client_id",
        th.StringType,
        title="OAuth2 client ID",
        description="Client ID of an OAuth2 app. To sign in with OAuth2, set it "
        "together with `client_secret` and `refresh_token`, instead of `email` and "
        "`api_key`.",
    ),
    th.Property(
        "client_secret",
        th.StringType,
        secret=True,
        title="OAuth2 client secret",
        description="Client secret of the OAuth2 app.",
    ),
    th.Property(
        "refresh_token",
        th.StringType,
        secret=True,
        title="OAuth2 refresh token",
        description="Refresh token that the OAuth2 app received when the merchant "
        "authorized it (scope `offline`).",
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description="Earliest date to read in a first sync, for example "
        "`2025-01-01T00:00:00Z`, in UTC unless it has an offset. By default, "
        "everything is read.",
    ),
    th.Property(
        "event_types",
        th.ArrayType(th.StringType),
        title="Event types",
        description="Event types that the stream `events` reads, for example "
        '`["ticket-created", "ticket-closed"]`. Gorgias applies the filter, so it '
        "saves requests. By default, all types are read.",
    ),
    th.Property(
        "message_lookback_days",
        _DURATION,
        default=2,
        title="Message look-back (days)",
        description="How many days before its bookmark the stream `messages` is read "
        "again, to pick up late deliveries and read receipts.",
    ),
    th.Property(
        "ticket_messages_settle_hours",
        _DURATION,
        default=24,
        title="Settling of ticket messages (hours)",
        description="How often the stream `ticket_messages` reads the messages of each "
        "changed ticket, to find those that the list of messages does not show: "
        "imported with an old date, moved by a merge, or edited. With 0, it does so "
        "in every run.",
    ),
    th.Property(
        "survey_lookback_days",
        _DURATION,
        default=30,
        title="Survey look-back (days)",
        description="How many days before its bookmark the stream "
        "`satisfaction_surveys` is read again, to pick up scores that arrive late.",
    ),
    th.Property(
        "voice_lookback_days",
        _DURATION,
        default=2,
        title="Voice look-back (days)",
        description="How many days before their bookmarks the streams `voice_calls` "
        "and `voice_call_recordings` are read again.",
    ),
    th.Property(
        "statistics_lookback_days",
        _DURATION,
        default=7,
        title="Statistics look-back (days)",
        description="How many days before their bookmarks the statistics are read "
        "again, because figures of recent days still change.",
    ),
    th.Property(
        "statistics",
        th.ArrayType(th.CustomType({"type": ["string", "object"]})),
        title="Statistics",
        description="Reporting queries. Each becomes a stream `statistics_<name>`. A "
        f"query is the name of a preset ({_PRESET_NAMES}), or an object with `name`, "
        "`scope`, `measures` and, optionally, `dimensions`, `granularity` and "
        "`filters`. By default, there are none.",
    ),
    th.Property(
        "statistics_timezone",
        th.StringType,
        default="UTC",
        title="Time zone of statistics",
        description="IANA time zone of the reporting periods, for example "
        "`Europe/Paris`.",
    ),
    th.Property(
        "rate_limit_percent",
        th.IntegerType(minimum=5, maximum=100),
        default=100,
        title="Share of the rate limit (%)",
        description="Share of the account's rate limit that the tap may use, 5 to "
        "100. All apps of the account share this limit.",
    ),
    th.Property(
        "parallel_streams",
        th.IntegerType(minimum=1, maximum=8),
        default=6,
        title="Parallel streams",
        description="How many streams are read at the same time, 1 to 8. With 1, they "
        "are read one after another, always in the same order.",
    ),
    th.Property(
        "request_timeout_seconds",
        th.IntegerType(minimum=1, maximum=3600),
        default=60,
        title="Request timeout (seconds)",
        description="How long to wait for data before a request is retried.",
    ),
    th.Property(
        "log_metrics",
        th.BooleanType,
        default=False,
        title="Log metrics",
        description="Whether the log contains the `METRIC` lines of the SDK, JSON with "
        "the rows and the seconds of each stream.",
    ),
    th.Property(
        "api_url",
        th.StringType,
        title="API URL",
        description="Base URL of the API, for tests and proxies. Defaults to "
        "`https://{subdomain}.gorgias.com`. `http://` is only accepted for the local "
        "machine.",
    ),
    th.Property(
        "user_agent",
        th.StringType,
        title="User agent",
        description="Value of the User-Agent header. Defaults to "
        "`tap-gorgias/<version>`.",
    ),
    additional_properties=False,
).to_dict()


def error_messages(error: ValidationError) -> Sequence[str]:
    """Return a sentence for each invalid setting, without its value."""
    if error.validator == "additionalProperties" and not error.absolute_path:
        schema: Any = error.schema
        known = schema["properties"]
        config: Any = error.instance
        return [_unknown_setting(name, known) for name in config if name not in known]
    return [_invalid_setting(error)]


def _invalid_setting(error: ValidationError) -> str:
    name = ".".join(str(part) for part in error.absolute_path)
    rule: Any = error.validator_value
    value: Any = error.instance
    if error.validator == "required":
        missing = next(key for key in rule if key not in value)
        return f"Setting `{missing}` is required."
    if error.validator == "type":
        kinds = [rule] if isinstance(rule, str) else rule
        kind = " or ".join(kind for kind in kinds if kind != "null")
        return f"Setting `{name}` must be of type {kind}."
    if error.validator == "minimum":
        return f"Setting `{name}` must be at least {rule}."
    if error.validator == "maximum":
        return f"Setting `{name}` must be at most {rule}."
    return f"Setting `{name}` is not valid ({error.validator})."


_NAMES_IN_OTHER_TAPS = {
    "anchor_date": "start_date",
    "domain": "subdomain",
    "domain_name": "subdomain",
    "email_address": "email",
    "gorgias_domain": "subdomain",
    "interval_start": "start_date",
    "password": "api_key",
    "username": "email",
}
_NEEDLESS = {"page_size", "ticket_view_page_size", "tickets_view_id"}


def _unknown_setting(name: str, known: Iterable[str]) -> str:
    match = _NAMES_IN_OTHER_TAPS.get(name)
    hint = f" Did you mean `{match}`?" if match else did_you_mean(name, known)
    if name in _NEEDLESS:
        hint = " Remove it: the tap reads 100 rows a request, and needs no view."
    return f"Setting `{name[:80]}` is unknown.{hint}"
