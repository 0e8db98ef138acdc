"""The sandbox's rate limit, in each of its forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox import FixedWindows, LeakyBucket, Sandbox, SlidingWindow
from tests.sandbox_tests.client import Client

if TYPE_CHECKING:
    from tests.sandbox import Limiter


def usage_or_wait(limiter: Limiter, timestamps: list[float]) -> list[str]:
    """Send requests at these times; return the usage or the Retry-After of each."""
    clock = iter(timestamps)
    results = []
    with Sandbox(limiter=limiter, clock=lambda: next(clock)) as sandbox:
        client = Client(sandbox)
        for _ in timestamps:
            answer = client.get("account")
            if answer.status_code == 429:
                results.append(f"wait {answer.headers['Retry-after']}")
            else:
                results.append(answer.headers["X-Gorgias-Account-Api-Call-Limit"])
        client.session.close()
    return results


def test_a_sliding_window_frees_a_place_after_its_length() -> None:
    """The header counts earlier requests only."""
    timestamps = [100.0, 101.0, 101.0, 101.0, 101.5, 102.0, 102.5, 103.0]
    assert usage_or_wait(SlidingWindow(4, 2.0), timestamps) == [
        *("0/4", "1/4", "2/4", "3/4"),
        *("wait 1", "3/4", "wait 1", "1/4"),
    ]


def test_a_bucket_leaks_continuously() -> None:
    """The header reports the level including the request."""
    timestamps = [100.0, 100.0, 100.0, 100.0, 100.0, 100.5, 101.5, 101.6]
    assert usage_or_wait(LeakyBucket(4, 2.0), timestamps) == [
        *("1/4", "2/4", "3/4", "4/4"),
        *("wait 1", "4/4", "3/4", "4/4"),
    ]


def test_a_fixed_window_frees_all_places_at_its_end() -> None:
    """The header counts the requests of the window including this one."""
    timestamps = [101.0, 101.0, 101.0, 101.5, 101.5, 102.0, 103.9, 104.0]
    assert usage_or_wait(FixedWindows(4, 2.0), timestamps) == [
        *("1/4", "2/4", "3/4", "4/4"),
        *("wait 1", "1/4", "2/4", "1/4"),
    ]
