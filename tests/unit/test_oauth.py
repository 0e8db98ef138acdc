"""Tests of the lifetime and the renewal of access tokens."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from tap_gorgias.api.http_client import HttpClient
from tap_gorgias.api.oauth import (
    MAX_LIFETIME_SECONDS,
    RefreshTokenAuthenticator,
    lifetime_seconds,
)
from tap_gorgias.api.usage import RunSummary
from tap_gorgias.config.credentials import OAuthApp
from tests.sandbox import Sandbox, Shop
from tests.support.cases import table
from tests.support.configs import settings_of
from tests.support.fake_clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = 1_795_219_200
THREADS = 8


def jwt(claims: Any) -> str:  # noqa: ANN401 (any JSON value)
    """Return an unsigned JWT."""
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode()
    return f"head.{body.rstrip('=')}.signature"


LIFETIMES: dict[str, tuple[str, object, bool, float]] = {
    "exp and Date": (jwt({"exp": NOW + 3600, "iat": NOW - 999}), 0, True, 3600),
    "exp and iat": (jwt({"exp": NOW + 3600, "iat": NOW}), 0, False, 3600),
    "exp before expires_in": (jwt({"exp": NOW + 3600}), 60, True, 3600),
    "exp alone": (jwt({"exp": NOW + 3600}), 60, False, 60),
    "exp in the past": (jwt({"exp": NOW - 1}), 60, True, 60),
    "exp now": (jwt({"exp": NOW}), 0, True, MAX_LIFETIME_SECONDS),
    "exp in ten years": (jwt({"exp": NOW * 2}), 0, True, MAX_LIFETIME_SECONDS),
    "exp out of range": (jwt({"exp": 10**400}), 60, True, 60),
    "exp not a number": (jwt({"exp": "soon"}), 60, True, 60),
    "exp true": (jwt({"exp": True, "iat": 0}), 60, False, 60),
    "claims are a list": (jwt([1]), 60, True, 60),
    "not JSON": ("head.bm8.signature", 60, True, 60),
    "not base64": ("head.!.signature", 60, True, 60),
    "opaque": ("opaque", 60, True, 60),
    "opaque, 0": ("opaque", 0, True, MAX_LIFETIME_SECONDS),
    "opaque, negative": ("opaque", -1, True, MAX_LIFETIME_SECONDS),
    "opaque, null": ("opaque", None, True, MAX_LIFETIME_SECONDS),
    "opaque, text": ("opaque", "60", True, MAX_LIFETIME_SECONDS),
    "opaque, true": ("opaque", True, True, MAX_LIFETIME_SECONDS),
    "opaque, not a number": ("opaque", float("nan"), True, MAX_LIFETIME_SECONDS),
    "opaque, a week": ("opaque", 604_800, True, MAX_LIFETIME_SECONDS),
}


@table(LIFETIMES)
def test_the_lifetime_is_taken_from_the_first_valid_source(
    case: tuple[str, object, bool, float],
) -> None:
    """The sources are the JWT with the time at Gorgias, `expires_in`, and one day."""
    token, expires_in, dated, seconds = case
    now = datetime.fromtimestamp(NOW, timezone.utc) if dated else None
    assert lifetime_seconds(token, expires_in, now) == seconds


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(
    st.text() | st.builds(jwt, st.fixed_dictionaries({"exp": JSON, "iat": JSON})), JSON
)
def test_any_token_has_a_valid_lifetime(token: str, expires_in: object) -> None:
    """It is more than 0 seconds and at most a day."""
    assert 0 < lifetime_seconds(token, expires_in, None) <= MAX_LIFETIME_SECONDS


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox with latency, so that the requests of threads overlap."""
    with Sandbox(Shop(seed=1, tickets=1), latency=0.1) as sandbox:
        yield sandbox


@pytest.fixture
def authenticator(sandbox: Sandbox) -> Iterator[RefreshTokenAuthenticator]:
    """An authenticator for the sandbox."""
    absent = {"email": None, "api_key": None}
    settings = settings_of(**absent, **sandbox.oauth_config)
    client = HttpClient(settings, RunSummary(), FakeClock())
    assert isinstance(settings.credentials, OAuthApp)
    yield RefreshTokenAuthenticator(settings.credentials, client)
    client.close()


def signed(authenticator: RefreshTokenAuthenticator) -> requests.PreparedRequest:
    """Sign a request."""
    return authenticator(requests.Request("GET", "https://acme.test/").prepare())


def test_one_thread_requests_the_first_token(
    sandbox: Sandbox, authenticator: RefreshTokenAuthenticator
) -> None:
    """The others wait for it."""
    barrier = Barrier(THREADS)

    def sign(_: int) -> str:
        barrier.wait()
        return signed(authenticator).headers["Authorization"]

    with ThreadPoolExecutor(THREADS) as threads:
        signatures = set(threads.map(sign, range(THREADS)))
    assert len(signatures) == 1
    assert sandbox.count("/oauth/token") == 1


def test_one_thread_renews_a_rejected_token(
    sandbox: Sandbox, authenticator: RefreshTokenAuthenticator
) -> None:
    """A later 401 for the old token does not renew it again."""
    refused = signed(authenticator)
    barrier = Barrier(THREADS)

    def renew(_: int) -> bool:
        barrier.wait()
        return authenticator.renew(refused)

    with ThreadPoolExecutor(THREADS) as threads:
        assert all(threads.map(renew, range(THREADS)))
    renewed = signed(authenticator).headers["Authorization"]
    assert renewed != refused.headers["Authorization"]
    assert authenticator.renew(refused)
    assert signed(authenticator).headers["Authorization"] == renewed
    assert sandbox.count("/oauth/token") == 2


def test_representations_show_no_credentials(
    sandbox: Sandbox, authenticator: RefreshTokenAuthenticator
) -> None:
    """An accidental log line would not leak any."""
    shown = f"{authenticator!r} {signed(authenticator)!r} {authenticator}"
    assert [token for token in sandbox.auth.given if token in shown] == []
    assert sandbox.oauth_config["client_secret"] not in shown
