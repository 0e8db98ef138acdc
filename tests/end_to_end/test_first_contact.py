"""What would fail for all streams fails once, soon and in one line."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import trustme

from tap_gorgias.api import retry
from tap_gorgias.api.retry import FirstContact
from tap_gorgias.errors import AccessError, ApiError, TransientApiError
from tests.sandbox import Fault, Sandbox, Shop
from tests.sandbox.answers import Answer
from tests.support.fake_clock import FakeClock
from tests.support.http import serving
from tests.support.runs import Files, PartialRun, run, run_command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PAGE = Answer(404, body=b"<!doctype html><h1>Not Found</h1>", content_type="text/html")
KEY = {"subdomain": "acme", "email": "ann@acme.test", "api_key": "planted-key"}
PHONE = ("voice_calls", "voice_call_events", "voice_call_recordings")


def always(answer: Answer) -> Fault:
    """Send this answer to any request."""
    return Fault("always", lambda _: answer)


@pytest.fixture
def shop() -> Shop:
    """A small shop."""
    return Shop(seed=5, tickets=20)


def failure_of(config: Mapping[str, Any], *streams: str) -> PartialRun:
    """Return the failure of a run that writes neither schemas nor records."""
    with pytest.raises(PartialRun) as failed:
        run(config, *streams)
    assert {one["type"] for one in failed.value.output.messages} <= {"STATE"}
    return failed.value


def unused_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


FAULTS: dict[str, tuple[Fault, int, str]] = {
    "web page": (always(PAGE), 2, "Check `subdomain`."),
    "redirect": (always(Answer(302)), 2, "Check `subdomain`."),
    "login page": (Fault.html_page(), 2, "Check `subdomain`."),
    "wrong key": (Fault.error(401), 2, "Check `email` and `api_key`."),
    "gateway": (Fault.error(502, html=True), 4, "answered 502"),
    "reset": (Fault.reset(), 4, "the connection was lost"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_run_without_a_helpdesk_ends_at_once(sandbox: Sandbox, name: str) -> None:
    """It sends a few requests, writes nothing, and names the host."""
    fault, requests, advice = FAULTS[name]
    sandbox.faults.add(fault, times=10_000)

    failure = failure_of(sandbox.config)

    assert isinstance(failure.__cause__, AccessError)
    host = urlsplit(sandbox.url).netloc
    assert str(failure.__cause__).startswith(f"{host}: /api/")
    assert advice in str(failure.__cause__)
    assert sandbox.count() == requests
    assert sum(failure.output.clock.sleeps) < 10


@pytest.mark.parametrize("name", [*FAULTS, "no content"])
def test_a_first_request_that_fails_alone_costs_its_stream_alone(
    sandbox: Sandbox, name: str
) -> None:
    """The helpdesk answers others, so it is neither absent nor misnamed."""
    fault = FAULTS[name][0] if name in FAULTS else always(Answer(204))
    sandbox.faults.add(fault, "/api/customers", times=10_000)

    config = {**sandbox.config, "parallel_streams": 1}
    with pytest.raises(PartialRun) as failed:
        run(config, "customers", "tags", "tickets")

    tickets = {*failed.value.output.ids("tickets")}
    assert tickets == {*sandbox.shop.tickets.ids()}
    assert failed.value.output.ids("tags")
    assert "subdomain" not in str(failed.value.__cause__)


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("options", [[], ["--test"]], ids=["run", "test"])
def test_the_command_line_reports_it_in_one_line(
    sandbox: Sandbox, name: str, options: list[str], tmp_path: Path
) -> None:
    """There is no other error, no warning, and neither schema nor report on stdout."""
    fault, requests, advice = FAULTS[name]
    sandbox.faults.add(fault, times=10_000)

    result = run_command([*Files(tmp_path).arguments(sandbox.config), *options])

    lines = result.stderr.splitlines()
    (line,) = (one for one in lines if "ERROR" in one or "WARNING" in one)
    assert advice in line
    assert result.returncode == 1
    assert sandbox.count() == requests
    assert all('"type":"STATE"' in one for one in result.stdout.splitlines())
    assert "Summary" not in result.stderr


@pytest.mark.parametrize(
    "kind", ["host", "port", "proxy", "unescaped proxy", "certificate"]
)
def test_an_unreachable_host_is_named_with_the_setting_to_check(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for minutes to find a typo."""
    port = unused_port()
    config = {**KEY, "api_url": "https://acme.gorgias.invalid"}
    expected = ["acme.gorgias.invalid: ", "Check `api_url`."]
    if kind == "port":
        config["api_url"] = f"http://127.0.0.1:{port}"
        expected = [f"127.0.0.1:{port}: ", "could not be established"]
    elif "proxy" in kind:
        secret = "planted" if kind == "proxy" else "pl/anted"
        monkeypatch.setenv("HTTPS_PROXY", f"http://ann:{secret}@127.0.0.1:{port}")
        del config["api_url"]
        expected = [f"acme.gorgias.com through the proxy 127.0.0.1:{port}: "]
        expected += ["Check `HTTPS_PROXY`."] if kind == "proxy" else []
    elif kind == "certificate":
        with serving() as server:
            server.encrypt(trustme.CA())
            config["api_url"] = f"https://{server.host}"
            error = str(failure_of(config).__cause__)
        assert "REQUESTS_CA_BUNDLE" in error
        return
    began = time.monotonic()

    failure = failure_of(config)

    assert isinstance(failure.__cause__, AccessError)
    for part in expected:
        assert part in str(failure.__cause__)
    assert "anted" not in str(failure.__cause__)
    assert time.monotonic() - began < 20


def test_phone_streams_do_not_hide_a_wrong_subdomain(sandbox: Sandbox) -> None:
    """A web page is not an account without a phone."""
    sandbox.faults.add(always(PAGE), times=10_000)
    assert "Check `subdomain`." in str(failure_of(sandbox.config, *PHONE).__cause__)


@pytest.mark.parametrize("kind", ["api key", "OAuth2", "statistics"])
def test_a_host_that_stays_silent_gets_no_more_time_than_an_absent_one(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Whatever `request_timeout_seconds` is; and the settings to check are named."""
    monkeypatch.setattr(retry, "MAX_ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(retry, "MIN_ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(retry, "LAST_REQUEST_SECONDS", 0.5)
    sandbox.faults.add(Fault.hang(), times=10_000)
    config = sandbox.oauth_config if kind == "OAuth2" else sandbox.config
    settings = {"request_timeout_seconds": 8, "statistics": ["tags"]}
    stream = "statistics_tags" if kind == "statistics" else "tags"
    began = time.monotonic()

    failure = failure_of({**config, **settings}, stream)

    assert time.monotonic() - began < 3
    assert sandbox.count() == 2
    error = str(failure.__cause__)
    assert isinstance(failure.__cause__, AccessError)
    assert urlsplit(sandbox.url).netloc in error
    assert "no response within 1 s. Check `api_url`." in error


def slow(clock: FakeClock) -> Fault:
    """Take longer than the first answer may."""

    def delay(answer: Answer) -> Answer:
        clock.sleep(16.0)
        time.sleep(1.5)
        return answer

    return Fault("slow", delay)


def test_a_slow_sign_in_is_not_cut(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repeated one would be refused, because its refresh token has been replaced."""
    monkeypatch.setattr(retry, "MAX_ANSWER_SECONDS", 1.0)
    clock = FakeClock()
    sandbox.auth.rotates = True
    sandbox.faults.add(slow(clock), "/oauth/token")

    output = run(sandbox.oauth_config, "tags", clock=clock)

    assert output.ids("tags")
    assert sandbox.count("/oauth/token") == 1
    assert sandbox.count("/api/account", status=401) == 1


def test_a_slow_report_is_no_silent_host(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small request shows that Gorgias is there; then it gets the configured time."""
    monkeypatch.setattr(retry, "MAX_ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(retry, "MIN_ANSWER_SECONDS", 1.0)
    clock = FakeClock()
    sandbox.faults.add(slow(clock), "/api/reporting/stats", times=2)

    output = run(
        {**sandbox.config, "statistics": ["tags"]}, "statistics_tags", clock=clock
    )

    assert output.ids("statistics_tags")
    assert sandbox.count("/api/account", status=401) == 1


def test_a_slow_answer_gets_the_configured_time_after_the_first_one(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gorgias is there, and busy."""
    monkeypatch.setattr(retry, "MAX_ANSWER_SECONDS", 0.5)

    def delay(*_: object) -> None:
        if sandbox.count() == 1:
            time.sleep(1.5)

    sandbox.before_request(delay)
    output = run(sandbox.config, "tags", "users")

    assert output.ids("tags")
    assert output.ids("users")
    assert sandbox.count("/api/tags") == sandbox.count("/api/users") == 1


@pytest.mark.parametrize("seconds_of_first", [0.0, 2.0, 8.9, 9.1])
def test_silence_ends_the_contact_within_20_seconds(seconds_of_first: float) -> None:
    """Also if an earlier request failed in another way."""
    clock = FakeClock()
    contact = FirstContact(
        clock,
        lambda error: AccessError(str(error)),
        lambda _: clock.sleep(contact.max_seconds),
    )
    durations = iter([seconds_of_first])

    def send() -> None:
        clock.sleep(next(durations, contact.max_seconds))
        reason = "no response."
        raise TransientApiError(reason, stream="tags", path="/api/tags")

    with pytest.raises(AccessError):
        contact.send(send)

    assert clock.now - clock.started <= 20


def test_the_other_streams_wait_for_the_first_answer(sandbox: Sandbox) -> None:
    """The first request goes alone, however many streams there are."""
    sandbox.latency = 0.3
    began: list[float] = []
    sandbox.before_request(lambda *_: began.append(time.monotonic()))

    run(sandbox.config, "tickets", "customers", "users", "tags", "macros")

    first, second, third, *_ = began
    assert second - first >= sandbox.latency
    assert third - second < sandbox.latency


def test_a_refusal_in_json_makes_contact(sandbox: Sandbox) -> None:
    """It costs one stream, as at any other time."""
    sandbox.faults.add(Fault.error(403), "/api/customers", times=10_000)

    with pytest.raises(PartialRun) as failed:
        run(sandbox.config, "customers", "tickets", "tags")

    assert isinstance(failed.value.__cause__, ApiError)
    assert len(failed.value.output.ids("tickets")) == 20


def test_an_outage_in_json_gets_five_minutes(sandbox: Sandbox) -> None:
    """Gorgias is there, and says that it is busy."""
    sandbox.faults.add(Fault.error(503), times=5)
    clock = FakeClock()

    output = run(sandbox.config, "tickets", clock=clock)

    assert len(output.ids("tickets")) == 20
    assert sum(clock.sleeps) > 30


@pytest.mark.parametrize(
    ("path", "after"),
    [
        ("/api/customers", 0),
        ("/api/customers", 1),
        ("/api/account", 0),
        ("/api/tags", 0),
    ],
)
def test_a_401_of_one_endpoint_costs_its_stream_alone(path: str, after: int) -> None:
    """Gorgias accepts the key for all others."""
    with Sandbox(Shop(seed=5, tickets=250)) as sandbox:
        sandbox.faults.add(Fault.error(401), path, after=after, times=10_000)
        with pytest.raises(PartialRun) as failed:
            run(sandbox.config, "account", "customers", "tickets", "tags", "users")

        output = failed.value.output
        assert isinstance(failed.value.__cause__, ApiError)
        assert len(output.ids("tickets")) == 250
        assert output.ids("users")


def test_a_key_that_is_revoked_during_a_run_ends_it(sandbox: Sandbox) -> None:
    """Then no request is accepted any more."""
    sandbox.faults.add(Fault.error(401), after=4, times=10_000)

    with pytest.raises(PartialRun) as failed:
        run(sandbox.config)

    assert isinstance(failed.value.__cause__, AccessError)
    assert sandbox.count(status=401) <= 2 * 6


def test_the_advice_ends_with_the_first_answer(sandbox: Sandbox) -> None:
    """A deleted ticket or a missing view says nothing about the subdomain."""
    not_found = Answer(404, {"error": {"msg": "Not found."}})
    sandbox.faults.add(always(not_found), "/api/tickets/*", times=10_000)
    sandbox.faults.add(always(not_found), "/api/views/*/items", times=10_000)

    with pytest.raises(PartialRun) as failed:
        run(sandbox.config, "ticket_details", "view_items")

    assert "subdomain" not in str(failed.value.__cause__)
