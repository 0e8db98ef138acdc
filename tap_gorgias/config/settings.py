"""The settings as typed values, validated beyond what a JSON schema can express."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import metadata
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from tap_gorgias import timestamps
from tap_gorgias.config.statistics import read_queries
from tap_gorgias.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime


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
_PRINTABLE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_MAX_USER_AGENT = 200
_API_KEY = ("email", "api_key")
_OAUTH = ("client_id", "client_secret", "refresh_token")


@dataclass(frozen=True)
class ApiKey:
    """An API key and the user who owns it (docs/access-tokens-api-keys)."""

    email: str
    api_key: str = field(repr=False)


@dataclass(frozen=True)
class OAuthApp:
    """An OAuth2 app that a merchant has authorized (docs/authentication-types)."""

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)


Credentials: TypeAlias = ApiKey | OAuthApp
T = TypeVar("T")


class Settings:
    """Settings that are valid against `CONFIG_SCHEMA`, parsed and validated further.

    Raises `SettingsError` with a sentence for each problem, and `other_problems`.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        now: datetime,
        other_problems: Iterable[str] = (),
    ) -> None:
        problems: list[str] = []

        def parsed(name: str, parse: Callable[[str], T]) -> T | None:
            value = config.get(name)
            if value is None:
                return None
            try:
                return parse(value)
            except ValueError as problem:
                problems.append(f"Setting `{name}` {problem}")
                return None

        subdomain = parsed("subdomain", _subdomain)
        api_url = parsed("api_url", _api_url)
        user_agent = parsed("user_agent", _user_agent)
        time_zone = parsed("statistics_timezone", _time_zone)
        start = parsed("start_date", _start_date)
        if start and start.date() > (now + timedelta(days=1)).date():
            problems.append("Setting `start_date` must not be after tomorrow.")
        try:
            self.credentials = _credentials(config)
        except ValueError as problem:
            problems.append(str(problem))
        self.event_types = tuple(config.get("event_types") or ())
        if not all(event_type.strip() for event_type in self.event_types):
            problems.append("Setting `event_types` must not contain an empty string.")
        self.statistics, others = read_queries(config.get("statistics", ()))
        problems += [*others, *other_problems]
        if problems:
            raise SettingsError(problems)
        self.subdomain = str(subdomain)
        self.api_url = api_url or f"https://{subdomain}.gorgias.com"
        self.user_agent = user_agent or f"tap-gorgias/{metadata.version('tap-gorgias')}"
        self.start_date = timestamps.render(start) if start else None
        """Rendered in UTC."""
        self.statistics_timezone = cast("ZoneInfo", time_zone)
        self.message_lookback = timedelta(days=config["message_lookback_days"])
        self.survey_lookback = timedelta(days=config["survey_lookback_days"])
        self.voice_lookback = timedelta(days=config["voice_lookback_days"])
        self.statistics_lookback = timedelta(days=config["statistics_lookback_days"])
        self.ticket_messages_settle_interval = timedelta(
            hours=config["ticket_messages_settle_hours"]
        )
        self.rate_limit_percent = int(config["rate_limit_percent"])
        self.parallel_streams = int(config["parallel_streams"])
        self.request_timeout_seconds = int(config["request_timeout_seconds"])

    @property
    def helpdesk(self) -> str:
        """The host of `api_url`, which STATE names."""
        return urlsplit(self.api_url).netloc.lower()


def _credentials(config: Mapping[str, Any]) -> Credentials:
    """Return the API key or the OAuth2 app, whichever is set."""
    present = {name for name in (*_API_KEY, *_OAUTH) if config.get(name)}
    if "api_key" in present and present & set(_OAUTH):
        message = (
            "Both an API key and OAuth2 credentials are set: keep either `email` and "
            "`api_key`, or `client_id`, `client_secret` and `refresh_token`."
        )
        raise ValueError(message)
    required = _OAUTH if present & set(_OAUTH) else _API_KEY
    if missing := [f"`{name}`" for name in required if name not in present]:
        message = f"Credentials are incomplete: set {' and '.join(missing)}."
        raise ValueError(message)
    values = {name: _credential(name, config[name]) for name in required}
    return OAuthApp(**values) if required is _OAUTH else ApiKey(**values)


def _credential(name: str, value: str) -> str:
    printable = _PRINTABLE.fullmatch(value)
    # HTTP Basic authentication separates user name and password by the first colon.
    if name == "email" and (":" in value or not printable):
        message = "Setting `email` must be a plain e-mail address."
        raise ValueError(message)
    if not printable:
        message = (
            f"Setting `{name}` must be printable ASCII without leading or trailing "
            "spaces."
        )
        raise ValueError(message)
    if name == "client_id" and ":" in value:
        message = "Setting `client_id` must not contain a colon."
        raise ValueError(message)
    return value


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
    if len(value) > _MAX_USER_AGENT or not _PRINTABLE.fullmatch(value):
        message = "must be 1 to 200 printable ASCII characters."
        raise ValueError(message)
    return value
