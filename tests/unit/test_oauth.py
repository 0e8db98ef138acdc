"""Tests of the lifetime and the renewal of access tokens."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
import requests

from tap_gorgias.api.auth import (
    MAX_LIFETIME_SECONDS,
    RefreshTokenAuthenticator,
    lifetime_seconds,
)
from tap_gorgias.api.client import GorgiasClient
from tap_gorgias.api.usage import RunSummary
from tests.sandbox import Sandbox, Shop
from tests.support.cases import table
from tests.support.configs import settings_of
from tests.support.fake_clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator

THREADS = 8


def jwt(claims: object) -> str:
    """Return an unsigned JWT."""
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode()
    return f"head.{body.rstrip('=')}.signature"


LIFETIMES: dict[str, tuple[str, object, float]] = {
    "claims": (jwt({"exp": 7200, "iat": 3600}), 60, 3600),
    "no iat": (jwt({"exp": 7200}), 60, 60),
    "exp before iat": (jwt({"exp": 1, "iat": 2}), 60, 60),
    "exp in ten years": (jwt({"exp": 1e9, "iat": 0}), 0, MAX_LIFETIME_SECONDS),
    "exp not a number": (jwt({"exp": "soon", "iat": 0}), 60, 60),
    "claims are a list": (jwt([1]), 60, 60),
    "not JSON": ("head.bm8.signature", 60, 60),
    "not base64": ("head.!.signature", 60, 60),
    "opaque": ("opaque", 60, 60),
    "0 as documented": ("opaque", 0, MAX_LIFETIME_SECONDS),
    "negative": ("opaque", -1, MAX_LIFETIME_SECONDS),
    "null": ("opaque", None, MAX_LIFETIME_SECONDS),
    "text": ("opaque", "60", MAX_LIFETIME_SECONDS),
    "not a number": ("opaque", float("nan"), MAX_LIFETIME_SECONDS),
    "a week": ("opaque", 604_800, MAX_LIFETIME_SECONDS),
    "too large for a float": ("opaque", 10**400, MAX_LIFETIME_SECONDS),
}


@table(LIFETIMES)
def test_the_lifetime_is_that_of_the_token_and_at_most_a_day(
    case: tuple[str, object, float],
) -> None:
    """Without a valid one, the token is renewed after a day or a 401."""
    token, expires_in, seconds = case
    assert lifetime_seconds(token, expires_in) == seconds


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
    client = GorgiasClient(settings, RunSummary(), FakeClock())
    assert isinstance(client.authenticator, RefreshTokenAuthenticator)
    yield client.authenticator
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
