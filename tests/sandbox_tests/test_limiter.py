"""The sandbox's rate limit, in each form that it can have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox import FixedWindows, LeakyBucket, Sandbox, SlidingWindow
from tests.sandbox_tests.test_sandbox import Client

if TYPE_CHECKING:
    from tests.sandbox import Limiter


def limited(limiter: Limiter, timestamps: list[float]) -> list[str]:
    """Ask at some moments; return headers, or what a refusal asks to wait."""
    clock = iter(timestamps)
    told = []
    with Sandbox(limiter=limiter, clock=lambda: next(clock)) as sandbox:
        client = Client(sandbox)
        for _ in timestamps:
            answer = client.get("account")
            if answer.status_code == 429:
                told.append(f"wait {answer.headers['Retry-after']}")
            else:
                told.append(answer.headers["X-Gorgias-Account-Api-Call-Limit"])
        client.session.close()
    return told


def test_a_window_slides() -> None:
    """The header tells what came before; a place is back when its request is old."""
    timestamps = [100.0, 101.0, 101.0, 101.0, 101.5, 102.0, 102.5, 103.0]
    assert limited(SlidingWindow(4, 2.0), timestamps) == [
        *("0/4", "1/4", "2/4", "3/4"),
        *("wait 1", "3/4", "wait 1", "1/4"),
    ]


def test_a_bucket_leaks() -> None:
    """The header tells the level with the request; it drains all the time."""
    timestamps = [100.0, 100.0, 100.0, 100.0, 100.0, 100.5, 101.5, 101.6]
    assert limited(LeakyBucket(4, 2.0), timestamps) == [
        *("1/4", "2/4", "3/4", "4/4"),
        *("wait 1", "4/4", "3/4", "4/4"),
    ]


def test_windows_end() -> None:
    """The header tells the requests of the window with this one; all begin anew."""
    timestamps = [101.0, 101.0, 101.0, 101.5, 101.5, 102.0, 103.9, 104.0]
    assert limited(FixedWindows(4, 2.0), timestamps) == [
        *("1/4", "2/4", "3/4", "4/4"),
        *("wait 1", "1/4", "2/4", "1/4"),
    ]
