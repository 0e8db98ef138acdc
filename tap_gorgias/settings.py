"""The checked settings, and the checks that a JSON schema cannot make."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import metadata
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from singer_sdk.helpers._batch import BatchConfig

from tap_gorgias import timestamps
from tap_gorgias.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime


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

    api_url: str
    email: str
    api_key: str = field(repr=False)
    start_date: datetime | None
    event_types: tuple[str, ...]
    message_lookback: timedelta
    survey_lookback: timedelta
    rate_limit_percent: int
    request_timeout_seconds: int
    user_agent: str
    voice_lookback: timedelta

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
        if sign_in_problem := _sign_in_problem(config):
            problems.append(sign_in_problem)
        if not all(event_type.strip() for event_type in config.get("event_types", ())):
            problems.append("Setting `event_types` must not hold an empty text.")
        if config.get("statistics"):
            problems.append(
                "Setting `statistics` is not supported by this version of the tap: "
                "remove it."
            )
        if config.get("batch_config") and not _is_batch(config["batch_config"]):
            problems.append(
                "Setting `batch_config` must hold `encoding` with its `format`, and "
                "`storage` with its `root`."
            )
        if problems:
            raise SettingsError(problems)
        return cls(
            api_url=api_url or f"https://{subdomain}.gorgias.com",
            email=config["email"],
            api_key=config["api_key"],
            start_date=start_date,
            event_types=tuple(config.get("event_types") or ()),
            message_lookback=timedelta(days=config["message_lookback_days"]),
            survey_lookback=timedelta(days=config["survey_lookback_days"]),
            rate_limit_percent=int(config["rate_limit_percent"]),
            request_timeout_seconds=int(config["request_timeout_seconds"]),
            user_agent=user_agent or f"tap-gorgias/{metadata.version('tap-gorgias')}",
            voice_lookback=timedelta(days=config["voice_lookback_days"]),
        )


def _is_batch(config: dict[str, Any]) -> bool:
    try:
        BatchConfig.from_dict(config)
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
    return True


def _sign_in_problem(config: Mapping[str, Any]) -> str | None:
    """Say what is missing, doubled or unusable among the credentials."""
    api_key_way = ("email", "api_key")
    oauth_way = ("client_id", "client_secret", "refresh_token")
    given = {name for name in (*api_key_way, *oauth_way) if config.get(name)}
    if "api_key" in given and given & set(oauth_way):
        return (
            "Two ways to sign in are given: keep either `email` and `api_key`, or "
            "`client_id`, `client_secret` and `refresh_token`."
        )
    way = oauth_way if given & set(oauth_way) else api_key_way
    if missing := [f"`{name}`" for name in way if name not in given]:
        wanted = " and ".join(f"`{name}`" for name in way)
        return f"Signing in with {wanted} lacks {' and '.join(missing)}."
    if way is oauth_way:
        return (
            "Signing in with OAuth2 is not supported by this version of the tap: use "
            "`email` and `api_key`."
        )
    if ":" in config["email"] or not _HEADER_TEXT.fullmatch(config["email"]):
        return "Setting `email` must be a plain e-mail address."
    if not _HEADER_TEXT.fullmatch(config["api_key"]):
        return "Setting `api_key` must be printable ASCII without outer spaces."
    return None


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
