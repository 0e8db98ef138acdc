"""The settings as typed values, validated beyond what a JSON schema can express."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from dataclasses import dataclass
from datetime import timedelta
from importlib import metadata
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from tap_gorgias import timestamps
from tap_gorgias.config.credentials import credentials_from
from tap_gorgias.config.statistics import read_queries
from tap_gorgias.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from tap_gorgias.config.credentials import Credentials
    from tap_gorgias.config.statistics import StatisticsQuery


_LABEL = r"(?P<label>[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)"
_SUBDOMAIN_PATTERNS = tuple(
    re.compile(pattern, re.ASCII | re.IGNORECASE)
    for pattern in (
        _LABEL,
        rf"{_LABEL}\.gorgias\.com",
        rf"https://{_LABEL}\.gorgias\.com(?:/[a-z0-9/_-]*)?",
    )
)
_API_URL = re.compile(
    r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::[0-9]{1,5})?(?:/[a-z0-9._~/-]*)?",
    re.ASCII | re.IGNORECASE,
)
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,198}[\x21-\x7e])?")


@dataclass(frozen=True)
class Settings:
    """Validated settings. Durations, dates and time zones are parsed."""

    subdomain: str
    api_url: str
    credentials: Credentials
    start_date: datetime | None
    event_types: tuple[str, ...]
    message_lookback: timedelta
    survey_lookback: timedelta
    rate_limit_percent: int
    parallel_streams: int
    ticket_messages_settle_interval: timedelta
    request_timeout_seconds: int
    user_agent: str
    voice_lookback: timedelta
    statistics: tuple[StatisticsQuery, ...]
    statistics_lookback: timedelta
    statistics_timezone: ZoneInfo

    @property
    def helpdesk(self) -> str:
        """The host of `api_url`, which STATE names."""
        return urlsplit(self.api_url).netloc.lower()

    @classmethod
    def from_config(
        cls,
        config: Mapping[str, Any],
        now: datetime,
        other_problems: Iterable[str] = (),
    ) -> Settings:
        """Parse settings that are valid against `CONFIG_SCHEMA`, including defaults.

        Raises `SettingsError` with a sentence for each problem, and `other_problems`.
        """
        problems: list[str] = []

        def checked(name: str, check: Callable[[str], Any]) -> Any:  # noqa: ANN401
            value = config.get(name)
            if value is None:
                return None
            try:
                return check(value)
            except ValueError as problem:
                problems.append(f"Setting `{name}` {problem}")
                return None

        subdomain = checked("subdomain", _subdomain)
        api_url = checked("api_url", _api_url)
        start_date = checked("start_date", _start_date)
        if start_date and start_date.date() > (now + timedelta(days=1)).date():
            problems.append("Setting `start_date` must not be after tomorrow.")
        user_agent = checked("user_agent", _user_agent)
        try:
            credentials = credentials_from(config)
        except ValueError as problem:
            problems.append(str(problem))
        if not all(event_type.strip() for event_type in config.get("event_types", ())):
            problems.append("Setting `event_types` must not contain an empty string.")
        statistics_timezone = checked("statistics_timezone", _time_zone)
        statistics, statistics_problems = read_queries(config.get("statistics", ()))
        problems += statistics_problems
        problems += other_problems
        if problems:
            raise SettingsError(problems)
        return cls(
            subdomain=subdomain,
            api_url=api_url or f"https://{subdomain}.gorgias.com",
            credentials=credentials,
            start_date=start_date,
            event_types=tuple(config.get("event_types") or ()),
            message_lookback=timedelta(days=config["message_lookback_days"]),
            survey_lookback=timedelta(days=config["survey_lookback_days"]),
            rate_limit_percent=int(config["rate_limit_percent"]),
            parallel_streams=int(config["parallel_streams"]),
            ticket_messages_settle_interval=timedelta(
                hours=config["ticket_messages_settle_hours"]
            ),
            request_timeout_seconds=int(config["request_timeout_seconds"]),
            user_agent=user_agent or f"tap-gorgias/{metadata.version('tap-gorgias')}",
            voice_lookback=timedelta(days=config["voice_lookback_days"]),
            statistics=tuple(statistics),
            statistics_lookback=timedelta(days=config["statistics_lookback_days"]),
            statistics_timezone=statistics_timezone,
        )


def _time_zone(value: str) -> ZoneInfo:
    with contextlib.suppress(OSError, ValueError, KeyError):
        if value != "localtime":  # the name of a file on some systems, not of a zone
            return ZoneInfo(value)
    message = "must be an IANA time zone such as `Europe/Paris`."
    raise ValueError(message)


def _subdomain(value: str) -> str:
    """Extract the DNS label from any accepted form.

    The credentials are sent to this host, so everything else is rejected.
    """
    for pattern in _SUBDOMAIN_PATTERNS:
        if match := pattern.fullmatch(value.strip()):
            return match["label"].lower()
    message = (
        "must be the name of your helpdesk: `acme`, `acme.gorgias.com` or "
        "`https://acme.gorgias.com`."
    )
    raise ValueError(message)


def _api_url(value: str) -> str:
    message = "must have the form `https://host`, without user, query or fragment."
    if not _API_URL.fullmatch(value):
        raise ValueError(message)
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(message) from None
    if parts.scheme == "http" and not _is_loopback(host or ""):
        message = (
            "must begin with `https://`: `http://` is only accepted for the local "
            "machine."
        )
        raise ValueError(message)
    return value.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _start_date(value: str) -> datetime:
    try:
        return timestamps.parse(value)
    except ValueError:
        message = "must be a date-time such as `2025-01-01T00:00:00Z`."
        raise ValueError(message) from None


def _user_agent(value: str) -> str:
    if not _HEADER_VALUE.fullmatch(value):
        message = "must be 1 to 200 printable ASCII characters."
        raise ValueError(message)
    return value
