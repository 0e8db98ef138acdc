"""The budget is used fully and politely, on a clock shared with the sandbox."""

from __future__ import annotations

import pytest

from tests.fake_clock import FakeClock
from tests.runs import run
from tests.sandbox import Bucket, Request, Sandbox, Shop

PAGES = 160


def read(
    limit: int = 40,
    period_seconds: float = 20.0,
    *,
    latency: float = 0.3,
    others_every_seconds: float | None = None,
    rate_limit_percent: int = 100,
    oauth: bool = False,
) -> tuple[Sandbox, float, int]:
    """Read many pages through a bucket.

    Returns:
        The sandbox, the seconds that the run took, the 429 of another client.
    """
    clock = FakeClock()
    bucket = Bucket(limit, period_seconds)
    shop = Shop(seed=1, tickets=10, events=PAGES * 100)
    refused = 0
    next_other = clock.now

    def time_passes(_shop: Shop, _request: Request) -> None:
        nonlocal refused, next_other
        clock.now += latency
        while others_every_seconds and next_other <= clock.now:
            refused += bucket.take() is not None
            next_other += others_every_seconds

    with Sandbox(shop, bucket=bucket, clock=clock.monotonic) as sandbox:
        sandbox.before_request(time_passes)
        signed_in = sandbox.oauth_config if oauth else sandbox.config
        config = {**signed_in, "rate_limit_percent": rate_limit_percent}
        began = clock.now
        run(config, "events", clock=clock)
        return sandbox, clock.now - began, refused


@pytest.mark.parametrize("latency", [0.0, 0.05, 0.3, 0.45])
def test_no_429_is_provoked_and_hardly_a_request_is_left_unused(latency: float) -> None:
    """The full burst first, then as fast as the bucket drains."""
    sandbox, seconds, _ = read(latency=latency)

    assert sandbox.count(status=429) == 0
    allowed = min(40 + 2 * seconds, seconds / latency + 1 if latency else 10_000)
    assert 0.95 * allowed <= PAGES


def test_a_slow_api_is_asked_without_a_pause() -> None:
    """Where latency is the limit, the budget is none."""
    _, seconds, _ = read(latency=0.8)

    assert seconds < PAGES * 0.8 + 1


@pytest.mark.parametrize(
    ("limit", "period_seconds"), [(80, 20.0), (40, 10.0), (80, 10.0)]
)
def test_a_larger_or_faster_bucket_is_found_out(
    limit: int, period_seconds: float
) -> None:
    """OAuth apps and Enterprise plans get their full speed without a setting."""
    sandbox, seconds, _ = read(limit, period_seconds, latency=0.05)

    assert sandbox.count(status=429) == 0
    allowed = min(limit + seconds * limit / period_seconds, seconds / 0.05 + 1)
    assert 0.95 * allowed <= PAGES


def test_an_oauth_app_gets_its_larger_bucket() -> None:
    """80 requests at once, then 4 a second, as the header of each answer says."""
    sandbox, seconds, _ = read(80, 20.0, latency=0.05, oauth=True)

    assert sandbox.count(status=429) == 0
    assert 0.95 * (80 + 4 * seconds) <= PAGES
    assert sandbox.count("/oauth/token") == 1


def test_another_client_keeps_its_share() -> None:
    """A quarter of the bucket is taken by others: neither of us is refused."""
    sandbox, seconds, refused = read(others_every_seconds=2.0)

    assert sandbox.count(status=429) == 0
    assert refused == 0
    assert 0.9 * (30 + 1.5 * seconds) <= PAGES


@pytest.mark.parametrize("percent", [50, 25])
def test_the_tap_keeps_to_its_own_share(percent: int) -> None:
    """`rate_limit_percent` leaves the rest to others even if they do not use it."""
    sandbox, seconds, _ = read(rate_limit_percent=percent, latency=0.05)

    share = percent / 100
    assert 0.95 * share * (40 + 2 * seconds) <= PAGES <= share * (40 + 2 * seconds) + 1
    assert sandbox.count(status=429) == 0
