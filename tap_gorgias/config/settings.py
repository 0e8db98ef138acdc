"""The checked settings, and the checks that a JSON schema cannot make."""

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

from singer_sdk.helpers._batch import BatchConfig

from tap_gorgias import timestamps
from tap_gorgias.config.credentials import credentials_from
from tap_gorgias.config.event_types import explain_event_types
from tap_gorgias.config.statistics import read_queries
from tap_gorgias.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from tap_gorgias.config.credentials import Credentials
    from tap_gorgias.config.statistics import StatisticsQuery


_LABEL = r"(?P<label>[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)"
_SUBDOMAIN_FORMS = tuple(
    re.compile(form, re.ASCII | re.IGNORECASE)
    for form in (
        _LABEL,
        rf"{_LABEL}\.gorgias\.com",
        rf"https://{_LABEL}\.gorgias\.com(?:/[a-z0-9/_-]*)?",
    )
)
_API_URL = re.compile(
    r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::[0-9]{1,5})?(?:/[a-z0-9._~/-]*)?",
    re.ASCII | re.IGNORECASE,
)
_HEADER_TEXT = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,198}[\x21-\x7e])?")


@dataclass(frozen=True)
class Settings:
    """The checked settings, in the types that the code works with."""

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
    def hosts(self) -> frozenset[str]:
        """The hosts that an answer may point to, in lower case, with their ports."""
        own = urlsplit(self.api_url).netloc.lower()
        return frozenset({own, f"{self.subdomain}.gorgias.com"})

    @property
    def warnings(self) -> list[str]:
        """A sentence for each setting that Gorgias may refuse."""
        return [
            *explain_event_types(self.event_types),
            *(told for query in self.statistics for told in query.explain_members()),
        ]

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """Check what a JSON schema cannot.

        Args:
            config: Settings that fit `CONFIG_SCHEMA`, defaults filled in.

        Returns:
            The settings.

        Raises:
            SettingsError: With a sentence for each setting that is wrong.
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
        user_agent = checked("user_agent", _user_agent)
        try:
            credentials = credentials_from(config)
        except ValueError as problem:
            problems.append(str(problem))
        if not all(event_type.strip() for event_type in config.get("event_types", ())):
            problems.append("Setting `event_types` must not hold an empty text.")
        statistics_timezone = checked("statistics_timezone", _time_zone)
        statistics, unusable = read_queries(config.get("statistics", ()))
        problems += unusable
        if config.get("batch_config") and not _is_batch(config["batch_config"]):
            problems.append(
                "Setting `batch_config` must hold `encoding` with its `format`, and "
                "`storage` with its `root`."
            )
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


def _is_batch(config: dict[str, Any]) -> bool:
    try:
        BatchConfig.from_dict(config)
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
    return True


def _time_zone(value: str) -> ZoneInfo:
    with contextlib.suppress(OSError, ValueError, KeyError):
        if value != "localtime":  # a name on some machines, but not of IANA
            return ZoneInfo(value)
    message = "must be an IANA time zone such as `Europe/Paris`."
    raise ValueError(message)


def _subdomain(value: str) -> str:
    """Reduce all accepted forms to one DNS label.

    The credentials go to this host, so anything unusual is refused.
    """
    for form in _SUBDOMAIN_FORMS:
        if match := form.fullmatch(value.strip()):
            return match["label"].lower()
    message = (
        "must be the name of your helpdesk: `acme`, `acme.gorgias.com` or "
        "`https://acme.gorgias.com`."
    )
    raise ValueError(message)


def _api_url(value: str) -> str:
    message = "must look like `https://host`, without user, query or fragment."
    if not _API_URL.fullmatch(value):
        raise ValueError(message)
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(message) from None
    if parts.scheme == "http" and not _is_loopback(host or ""):
        message = "must begin with `https://`: `http://` is for this machine only."
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
    if not _HEADER_TEXT.fullmatch(value):
        message = "must be 1 to 200 printable ASCII characters."
        raise ValueError(message)
    return value
