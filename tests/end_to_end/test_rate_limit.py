"""The budget is used fully and without 429, on a clock shared with the sandbox."""

from __future__ import annotations

import math

import pytest

from tests.sandbox import LIMITERS, Request, Sandbox, Shop
from tests.support.fake_clock import FakeClock
from tests.support.runs import run

PAGES = 160


def read(
    limit: int = 40,
    window_seconds: float = 20.0,
    *,
    kind: str = "sliding",
    latency: float = 0.3,
    others_every_seconds: float | None = None,
    rate_limit_percent: int = 100,
    oauth: bool = False,
) -> tuple[Sandbox, float, int]:
    """Read many pages; return the sandbox, seconds, and 429s of another client."""
    clock = FakeClock()
    limiter = LIMITERS[kind](limit, window_seconds)
    shop = Shop(seed=1, tickets=10, events=PAGES * 100)
    refused = 0
    next_other = clock.now

    def time_passes(_shop: Shop, _request: Request) -> None:
        nonlocal refused, next_other
        clock.now += latency
        while others_every_seconds and next_other <= clock.now:
            refused += limiter.take().wait_seconds is not None
            next_other += others_every_seconds

    with Sandbox(shop, limiter=limiter, clock=clock.monotonic) as sandbox:
        sandbox.before_request(time_passes)
        credentials = sandbox.oauth_config if oauth else sandbox.config
        config = {**credentials, "rate_limit_percent": rate_limit_percent}
        began = clock.now
        run(config, "events", clock=clock)
        return sandbox, clock.now - began, refused


def allowed(seconds: float, limit: int = 40, window_seconds: float = 20.0) -> float:
    """Return the number of requests that may be sent: a whole window, then evenly."""
    return max(limit * seconds / window_seconds, limit)


@pytest.mark.parametrize("kind", LIMITERS)
@pytest.mark.parametrize("latency", [0.0, 0.05, 0.3, 0.45])
def test_no_429_is_provoked_and_hardly_any_request_is_unused(
    kind: str, latency: float
) -> None:
    """The tap does not know which limiter it is."""
    sandbox, seconds, _ = read(kind=kind, latency=latency)

    assert sandbox.count(status=429) == 0
    assert 0.95 * allowed(seconds) <= PAGES


def test_a_slow_api_is_used_without_pauses() -> None:
    """Latency is the limit there, not the budget."""
    _, seconds, _ = read(latency=0.8)

    assert seconds < PAGES * 0.8 + 1


def test_an_enterprise_plan_is_recognised() -> None:
    """Its full rate is used without a setting."""
    sandbox, seconds, _ = read(40, 10.0, latency=0.05)

    assert sandbox.count(status=429) == 0
    assert 0.75 * allowed(seconds, 40, 10.0) <= PAGES


def test_an_oauth_app_gets_its_larger_limit() -> None:
    """The header of each answer reports 80 requests in 20 seconds."""
    sandbox, seconds, _ = read(80, 20.0, latency=0.05, oauth=True)

    assert sandbox.count(status=429) == 0
    assert 0.95 * allowed(seconds, 80) <= PAGES
    assert sandbox.count("/oauth/token") == 1


def test_another_client_keeps_its_share() -> None:
    """It requests a quarter and gets at least 80 % of that; the tap uses the rest."""
    sandbox, seconds, refused = read(others_every_seconds=2.0)

    assert sandbox.count(status=429) == 0
    assert refused <= 0.2 * seconds / 2
    assert 0.88 * 0.75 * allowed(seconds) <= PAGES


@pytest.mark.parametrize("percent", [50, 25])
def test_the_tap_does_not_exceed_its_share(percent: int) -> None:
    """`rate_limit_percent` reserves the rest for others, even if they do not use it."""
    sandbox, seconds, _ = read(rate_limit_percent=percent, latency=0.05)

    part = percent / 100
    windows = math.ceil(seconds / 20)
    assert 0.95 * part * allowed(seconds) <= PAGES <= part * 40 * windows
    assert sandbox.count(status=429) == 0
