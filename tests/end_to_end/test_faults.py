"""Transient failures are retried, and permanent ones end the run."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tap_gorgias.api import session
from tap_gorgias.errors import ApiError, TransientApiError
from tests.sandbox import Fault, Request, Sandbox, Shop
from tests.support.fake_clock import FakeClock, FastClock, SharedClock
from tests.support.runs import PartialRun, run

IN_FIVE_SECONDS = "Mon, 02 Nov 2026 08:00:05 GMT"  # by the clock of the shop

FAULTS = {
    "408": Fault.error(408),
    "425": Fault.error(425),
    "500": Fault.error(500),
    "502 with a web page": Fault.error(502, html=True),
    "503": Fault.error(503),
    "429 with seconds": Fault.too_many_requests(7),
    "429 with a date": Fault.too_many_requests(IN_FIVE_SECONDS),
    "429 without Retry-after": Fault.too_many_requests(None),
    "reset": Fault.reset(),
    "cut body": Fault.cut(),
    "web page on 200": Fault.html_page(),
    "half of the JSON": Fault.truncated_json(),
}


@pytest.fixture
def shop() -> Shop:
    """A shop with four pages of tickets."""
    return Shop(seed=9, tickets=350)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_loses_no_row(sandbox: Sandbox, name: str) -> None:
    """The request is retried, and its page is complete."""
    sandbox.faults.add(FAULTS[name], "/api/tickets", after=1)

    tickets = run(sandbox.config, "tickets").ids("tickets")

    assert set(tickets) == set(sandbox.shop.tickets.ids())
    assert len(tickets) == len(set(tickets))
    assert sandbox.count("/api/tickets") == 5


def test_twenty_faults_in_sixty_requests_lose_no_row() -> None:
    """Frequent failures make the run slow, but not wrong."""
    shop = Shop(seed=2, tickets=2000, customers=1000, events=1000)
    with Sandbox(shop) as sandbox:
        sandbox.faults.spread(list(FAULTS.values()), seed=4, every=3, times=20)

        streams = ("tickets", "customers", "events")
        output = run(sandbox.config, *streams, clock=SharedClock())

        for stream in streams:
            ids = output.ids(stream)
            assert set(ids) == set(getattr(shop, stream).ids())
        # The estimate of the duration needs the account's date of creation.
        assert sandbox.count() == 40 + 1 + 20


def test_a_request_without_an_answer_times_out_and_is_retried(sandbox: Sandbox) -> None:
    """The limit is `request_timeout_seconds`."""
    sandbox.faults.add(Fault.hang(), "/api/tickets")

    output = run({**sandbox.config, "request_timeout_seconds": 1}, "tickets")

    assert len(output.ids("tickets")) == 350


def test_a_lasting_failure_ends_the_run_after_about_five_minutes(
    sandbox: Sandbox,
) -> None:
    """The error contains Gorgias' last message."""
    sandbox.faults.add(Fault.error(503, message="Maintenance."), times=10_000)
    clock = FakeClock()

    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, "tickets", clock=clock)

    assert isinstance(failure.value.__cause__, TransientApiError)
    assert str(failure.value.__cause__) == (
        "tickets: /api/tickets answered 503: Maintenance."
    )
    assert 200 <= sum(clock.sleeps) <= 300


def test_an_endless_rate_limit_ends_the_run_too(sandbox: Sandbox) -> None:
    """The limit of five minutes applies to any Retry-After."""
    sandbox.faults.add(Fault.too_many_requests(86_400), times=10_000)
    clock = FakeClock()

    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, "tickets", clock=clock)

    assert "answered 429" in str(failure.value.__cause__)
    assert sum(clock.sleeps) <= 700


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (400, ""),
        (
            403,
            (
                "Grant the permission `tickets:read` to the owner of the API key, or "
                "deselect `tickets`."
            ),
        ),
        (404, ""),
        (409, ""),
    ],
)
def test_a_refusal_is_not_retried(sandbox: Sandbox, status: int, advice: str) -> None:
    """The error names the stream, path, status, Gorgias' message and a remedy."""
    sandbox.faults.add(Fault.error(status, message="No."), "/api/tickets")

    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, "tickets")

    cause = failure.value.__cause__
    assert isinstance(cause, ApiError)
    assert str(cause).startswith(f"tickets: /api/tickets answered {status}: No.")
    assert str(cause).endswith(advice)
    assert sandbox.count() == 1


def test_an_error_never_shows_the_key_even_if_gorgias_does(sandbox: Sandbox) -> None:
    """A server that echoes credentials does not get them into a log."""
    key = sandbox.config["api_key"]
    sandbox.faults.add(Fault.error(400, message=f"Key {key} is bad."), "/api/tickets")

    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, "tickets")

    assert key not in str(failure.value.__cause__)
    assert "Key *** is bad." in str(failure.value.__cause__)


def test_a_long_error_message_is_truncated(sandbox: Sandbox) -> None:
    """A log line shows at most 300 characters of it."""
    sandbox.faults.add(Fault.error(400, message="no " * 5000), "/api/tickets")

    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, "tickets")

    said = str(failure.value.__cause__).removeprefix("tickets: /api/tickets ")
    assert len(said.removeprefix("answered 400: ")) == 300


def test_a_429_says_how_long_all_requests_pause(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """The pause is the only wait."""
    full = Fault.too_many_requests(7)
    usage = Fault.header("X-Gorgias-Account-Api-Call-Limit", "40/40")
    both = Fault("full", lambda answer: usage.spoil(full.spoil(answer)))
    sandbox.faults.add(both, "/api/tickets", after=1)
    clock = FakeClock()

    run(sandbox.config, "tickets", clock=clock)

    (line,) = [text for text in caplog.messages if "429" in text]
    announced = float(re.findall(r"All requests pause for (\d+) s\.", line)[0])
    assert abs(sum(clock.sleeps) - announced) <= 1


@pytest.mark.parametrize("retry_after", [1, None])
def test_429_for_ever_on_one_endpoint_hardly_delays_the_others(
    caplog: pytest.LogCaptureFixture, retry_after: int | None
) -> None:
    """Its first refusals pause all streams, and the later ones only its own."""
    fault = Fault.too_many_requests(retry_after)
    usage = Fault.header("X-Gorgias-Account-Api-Call-Limit", "unknown")
    both = Fault("alone", lambda answer: usage.spoil(fault.spoil(answer)))
    pauses = 0

    def look(_shop: Shop, request: Request) -> None:
        nonlocal pauses
        if request.path == "/api/tickets":
            pauses = caplog.text.count("All requests pause")

    with Sandbox(Shop(seed=9, tickets=4000)) as sandbox:
        sandbox.before_request(look)
        sandbox.faults.add(both, "/api/tags", times=10_000)
        with pytest.raises(PartialRun) as failure:
            run(sandbox.config, "tags", "tickets", clock=FastClock())

    assert "answered 429" in str(failure.value.__cause__)
    assert len(failure.value.output.ids("tickets")) == 4000
    assert 1 <= pauses <= 3


def test_a_value_that_is_too_deep_is_null_and_named(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """The page is read."""
    deep: list[object] = []
    for _ in range(250):
        deep = [deep]

    def deepen(body: dict[str, Any]) -> dict[str, Any]:
        body["data"][0]["meta"] = deep
        return body

    sandbox.faults.add(Fault.rewrite(deepen), "/api/tickets", times=2)

    output = run(sandbox.config, "tickets")

    assert len(output.ids("tickets")) == 350
    (line,) = [text for text in caplog.messages if "levels deep" in text]
    assert line.startswith("tickets: ")
    assert "`meta`" in line


@pytest.mark.parametrize(
    ("fault", "expected"),
    [(Fault.error(500), True), (Fault.error(400), False), (Fault.reset(), False)],
    ids=["500", "400", "reset"],
)
def test_an_error_says_whether_smaller_pages_may_help(
    sandbox: Sandbox, fault: Fault, *, expected: bool
) -> None:
    """A single row can be the reason for 5xx."""
    sandbox.faults.add(fault, "/api/tickets", after=1, times=10_000)
    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, "tickets")
    cause = failure.value.__cause__
    assert isinstance(cause, ApiError)
    assert cause.may_be_due_to_page_size == expected


def test_a_body_that_is_too_large_asks_for_smaller_pages(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A retry would get the same body."""
    monkeypatch.setattr(session, "MAX_BODY_BYTES", 100)
    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, "tickets", "customers")
    cause = failure.value.__cause__
    assert isinstance(cause, ApiError)
    assert cause.may_be_due_to_page_size
    limits = [one.query["limit"] for one in sandbox.requests if "limit" in one.query]
    assert len({tuple(limit) for limit in limits}) > 1
