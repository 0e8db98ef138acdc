"""The settings as users see them: names, types, defaults, descriptions."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from tap_gorgias.config.statistics import PRESETS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jsonschema import ValidationError

MAX_LOOKBACK_DAYS = 36_500

CONFIG_SCHEMA: dict[str, Any] = th.PropertiesList(
    th.Property(
        "subdomain",
        th.StringType,
        required=True,
        title="Subdomain",
        description="Name of the helpdesk: `acme`, `acme.gorgias.com` and "
        "`https://acme.gorgias.com/...` all mean acme.",
    ),
    th.Property(
        "email",
        th.StringType,
        title="E-mail",
        description="E-mail address of the user who owns the API key. "
        "Needed with `api_key`.",
    ),
    th.Property(
        "api_key",
        th.StringType,
        secret=True,
        title="API key",
        description="API key from Settings > REST API. Goes with `email`.",
    ),
    th.Property(
        "client_id",
        th.StringType,
        title="OAuth2 client ID",
        description="Client ID of an OAuth2 app. The other way to sign in: give it "
        "with `client_secret` and `refresh_token` instead of `email` and `api_key`.",
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
        description="Refresh token that the merchant's authorisation of the OAuth2 "
        "app gave (scope `offline`).",
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description="Earliest data to read on a first sync, for example "
        "`2025-01-01T00:00:00Z`; without a time zone it is UTC. Everything is read "
        "when absent.",
    ),
    th.Property(
        "event_types",
        th.ArrayType(th.StringType),
        title="Event types",
        description="Types of events that the stream `events` reads, for example "
        '`["ticket-created", "ticket-closed"]`. Gorgias filters, so it saves '
        "requests. All types when absent.",
    ),
    th.Property(
        "message_lookback_days",
        th.IntegerType(minimum=0, maximum=MAX_LOOKBACK_DAYS),
        default=2,
        title="Message look-back (days)",
        description="How many days behind its bookmark the stream `messages` is read "
        "again, for late delivery and read receipts.",
    ),
    th.Property(
        "ticket_messages_settle_hours",
        th.IntegerType(minimum=0, maximum=MAX_LOOKBACK_DAYS),
        default=24,
        title="Settling of ticket messages (hours)",
        description="How often the stream `ticket_messages` asks the tickets that "
        "changed one by one, for messages that the list of messages does not show: "
        "imported with an old date, moved by a merge, edited. 0 is in every run.",
    ),
    th.Property(
        "survey_lookback_days",
        th.IntegerType(minimum=0, maximum=MAX_LOOKBACK_DAYS),
        default=30,
        title="Survey look-back (days)",
        description="How many days behind its bookmark the stream "
        "`satisfaction_surveys` is read again: scores arrive later.",
    ),
    th.Property(
        "voice_lookback_days",
        th.IntegerType(minimum=0, maximum=MAX_LOOKBACK_DAYS),
        default=2,
        title="Voice look-back (days)",
        description="How many days behind their bookmark the streams `voice_calls` "
        "and `voice_call_recordings` are read again.",
    ),
    th.Property(
        "statistics_lookback_days",
        th.IntegerType(minimum=0, maximum=MAX_LOOKBACK_DAYS),
        default=7,
        title="Statistics look-back (days)",
        description="How many days behind their bookmark statistics are read again: "
        "figures of recent days still move.",
    ),
    th.Property(
        "statistics",
        th.ArrayType(th.CustomType({"type": ["string", "object"]})),
        title="Statistics",
        description="Reporting queries, each a stream `statistics_<name>`: names of "
        f"presets ({', '.join(f'`{name}`' for name in sorted(PRESETS))}), and objects "
        "with `name`, `scope`, `measures` and, if wanted, `dimensions`, "
        "`granularity`, `filters`. None when absent.",
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
        th.IntegerType(minimum=1, maximum=100),
        default=100,
        title="Share of the rate limit (%)",
        description="Share of the account's request budget that the tap may use, "
        "1 to 100. The account's other apps draw on the same budget.",
    ),
    th.Property(
        "parallel_streams",
        th.IntegerType(minimum=1, maximum=8),
        default=6,
        title="Parallel streams",
        description="How many streams are read at the same time, 1 to 8. With 1 they "
        "are read one after another, always in the same order.",
    ),
    th.Property(
        "request_timeout_seconds",
        th.IntegerType(minimum=1, maximum=3600),
        default=60,
        title="Request timeout (seconds)",
        description="How long to wait for the data of one answer before the request "
        "is tried again.",
    ),
    th.Property(
        "api_url",
        th.StringType,
        title="API address",
        description="Address of the API when it is not "
        "`https://{subdomain}.gorgias.com`: for tests and proxies. `http://` is "
        "accepted for this machine only.",
    ),
    th.Property(
        "user_agent",
        th.StringType,
        title="User agent",
        description="Value of the User-Agent header. `tap-gorgias/<version>` when "
        "absent.",
    ),
    additional_properties=False,
).to_dict()


def explain(error: ValidationError) -> Sequence[str]:
    """Say what is wrong with settings, without their values.

    Args:
        error: What the JSON schema of the settings found.

    Returns:
        A sentence for each setting, which it names.
    """
    if error.validator == "additionalProperties" and not error.absolute_path:
        schema: Any = error.schema
        known = schema["properties"]
        given: Any = error.instance
        return [_unknown_setting(name, known) for name in given if name not in known]
    return [_wrong_setting(error)]


def _wrong_setting(error: ValidationError) -> str:
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


def _unknown_setting(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    return f"Setting `{name[:80]}` is unknown.{hint}"
