"""OAuth2: how access tokens are requested and renewed, and how this can fail."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tap_gorgias.api.client import GorgiasClient
from tap_gorgias.errors import AccessError, ApiError
from tap_gorgias.run import context
from tests.sandbox import Fault, Sandbox, Shop
from tests.sandbox.answers import Answer
from tests.support.fake_clock import FakeClock
from tests.support.runs import PartialRun, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.sandbox import Request

TOKEN = "/oauth/token"
ASKED_FIRST = "/api/account"
"""Without credentials, to find out if the host answers."""
SEE_DOCS = "see docs/oauth2.md"


@pytest.fixture
def clock() -> FakeClock:
    """The clock of the tap and the sandbox."""
    return FakeClock()


@pytest.fixture
def sandbox(clock: FakeClock) -> Iterator[Sandbox]:
    """A shop with ten pages of tickets."""
    shop = Shop(seed=11, tickets=1000)
    with Sandbox(shop, clock=clock.monotonic) as sandbox:
        yield sandbox


def failure_of(sandbox: Sandbox, **changes: str) -> Exception:
    """Run the tap, which must fail, and return the error."""
    with pytest.raises(PartialRun) as failed:
        run({**sandbox.oauth_config, **changes}, "tickets")
    cause = failed.value.__cause__
    assert isinstance(cause, Exception)
    return cause


def at_requests(
    sandbox: Sandbox, numbers: set[int], action: Callable[[], None]
) -> None:
    """Call a function before the API requests with these numbers are answered."""
    count = 0

    def count_request(_shop: Shop, request: Request) -> None:
        nonlocal count
        is_counted = request.path != ASKED_FIRST
        count += is_counted
        if is_counted and count in numbers:
            action()

    sandbox.before_request(count_request)


def respond_with(status: int, payload: object, **headers: str) -> Fault:
    """Return a fault that replaces the response to any request."""
    answer = Answer(status, payload, headers=headers)
    return Fault(f"status {status}", lambda _: answer)


def test_a_run_requests_one_token(sandbox: Sandbox) -> None:
    """It does so although `expires_in` is 0 in the response."""
    output = run(sandbox.oauth_config, "tickets")

    assert sorted(output.ids("tickets")) == sorted(sandbox.shop.tickets.ids())
    assert sandbox.count(TOKEN) == 1
    assert sandbox.count(status=401) == 1  # without credentials


def test_streams_that_start_together_share_a_client_and_its_token(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two clients would be two budgets, and spend a refresh token that rotates."""
    made_by: list[threading.Thread] = []

    class Client(GorgiasClient):
        """Remembers which thread has made it."""

        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            made_by.append(threading.current_thread())

    monkeypatch.setattr(context, "GorgiasClient", Client)

    run({**sandbox.oauth_config, "parallel_streams": 6})

    # A stream's thread that makes it could do so at the same time as another one.
    assert made_by == [threading.main_thread()]
    assert sandbox.count(TOKEN) == 1


@pytest.mark.parametrize(("opaque", "expires_in"), [(False, 0), (True, 3600)])
def test_a_token_is_renewed_before_it_expires(
    sandbox: Sandbox, clock: FakeClock, *, opaque: bool, expires_in: int
) -> None:
    """In three hours no request is rejected, and no row is lost or repeated."""
    sandbox.auth.token_lifetime = 3600
    sandbox.auth.opaque, sandbox.auth.expires_in = opaque, expires_in

    def pass_an_hour() -> None:
        clock.now += 3600 - 200

    at_requests(sandbox, {2, 5, 8}, pass_an_hour)
    ids = run(sandbox.oauth_config, "tickets", clock=clock).ids("tickets")

    assert sorted(ids) == sorted(sandbox.shop.tickets.ids())
    assert sandbox.count(TOKEN) == 4
    assert sandbox.count(status=401) == 1  # without credentials
    assert sandbox.count("/api/tickets") == 10


def test_each_revocation_of_a_token_costs_one_repeated_request(
    sandbox: Sandbox,
) -> None:
    """After a 401 a new token is requested, and no row is lost or repeated."""
    at_requests(sandbox, {2, 6, 10}, sandbox.auth.revoke_tokens)
    ids = run(sandbox.oauth_config, "tickets").ids("tickets")

    assert sorted(ids) == sorted(sandbox.shop.tickets.ids())
    assert sandbox.count(TOKEN) == 4
    assert sandbox.count("/api/tickets", 401) == 3
    assert sandbox.count("/api/tickets") == 13


def test_one_thread_renews_a_revoked_token(
    sandbox: Sandbox,
) -> None:
    """The other seven wait and use its new token."""
    sandbox.latency = 0.01
    at_requests(sandbox, {100, 400, 700}, sandbox.auth.revoke_tokens)
    ids = run(sandbox.oauth_config, "ticket_details").ids("ticket_details")

    assert sorted(ids) == sorted(sandbox.shop.tickets.ids())
    assert sandbox.count(TOKEN) == 4
    assert 3 <= sandbox.count(status=401) - 1 <= 3 * (8 + 1)


def test_a_rotated_refresh_token_is_used_for_later_renewals(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning says that the config must be updated; it does not show the token."""
    caplog.set_level(logging.DEBUG)
    sandbox.auth.rotates = True
    at_requests(sandbox, {2, 6, 10}, sandbox.auth.revoke_tokens)

    ids = run(sandbox.oauth_config, "tickets").ids("tickets")

    assert sorted(ids) == sorted(sandbox.shop.tickets.ids())
    assert sandbox.count(TOKEN) == sandbox.count(TOKEN, 200) == 4
    shown = [one.getMessage() for one in caplog.records if one.levelname != "DEBUG"]
    warnings = [one for one in shown if "Gorgias replaced the refresh token." in one]
    assert len(warnings) == 1
    assert "set `refresh_token`" in warnings[0]
    assert sandbox.auth.refresh_token != sandbox.oauth_config["refresh_token"]
    assert "sandbox-refresh-token" not in caplog.text


def test_an_invalid_refresh_token_ends_the_run_with_instructions(
    sandbox: Sandbox,
) -> None:
    """There is no retry."""
    error = failure_of(sandbox, refresh_token="planted-and-wrong")

    assert isinstance(error, AccessError)
    assert str(error) == (
        "sign-in: /oauth/token answered 400: invalid_grant. The refresh token is no "
        "longer valid or belongs to another app: get a new one and set "
        f"`refresh_token`, {SEE_DOCS}."
    )
    assert sandbox.count() == 2


@pytest.mark.parametrize("name", ["client_id", "client_secret"])
def test_wrong_client_credentials_are_reported(sandbox: Sandbox, name: str) -> None:
    """Gorgias checks them before the refresh token."""
    host = urlsplit(sandbox.url).netloc
    assert str(failure_of(sandbox, **{name: "planted-and-wrong"})) == (
        f"{host}: /oauth/token answered 401: invalid_client. Check `client_id` and "
        "`client_secret`."
    )
    assert sandbox.count() == 2


def test_a_missing_scope_is_reported(sandbox: Sandbox) -> None:
    """The message names the stream that needs it, and how to run without."""
    sandbox.forbidden.add("tickets")

    error = failure_of(sandbox)

    assert isinstance(error, ApiError)
    assert str(error) == (
        "tickets: /api/tickets answered 403: You do not have enough permissions to "
        "perform this action. Authorize the app again with the scope `tickets:read`, "
        f"or deselect `tickets`; {SEE_DOCS}."
    )
    assert sandbox.count(TOKEN) == 1


def test_a_rejected_new_token_ends_the_run(sandbox: Sandbox) -> None:
    """A token is renewed at most once per request."""
    sandbox.faults.add(Fault.error(401, message="No."), "/api/tickets", times=99)

    host = sandbox.url.partition("//")[2]
    assert str(failure_of(sandbox)) == (
        f"{host}: /api/tickets answered 401: No. The new access token was rejected as "
        f"well: authorize the app again, {SEE_DOCS}."
    )
    assert sandbox.count(TOKEN) == 2
    assert sandbox.count("/api/tickets") == 2


@pytest.mark.parametrize(
    "fault",
    [
        Fault.error(500),
        Fault.error(502, html=True),
        Fault.too_many_requests(7),
        Fault.reset(),
        Fault.cut(),
        Fault.truncated_json(),
    ],
    ids=lambda fault: fault.name,
)
def test_a_transient_failure_of_the_token_request_is_retried(
    sandbox: Sandbox, fault: Fault
) -> None:
    """The rules are those of any request."""
    sandbox.faults.add(fault, TOKEN, times=2)

    output = run(sandbox.oauth_config, "tickets")

    assert len(output.ids("tickets")) == 1000
    assert sandbox.count(TOKEN) == 3
    assert sandbox.count("/api/tickets") == 10


def test_a_timeout_of_the_token_request_is_retried(sandbox: Sandbox) -> None:
    """`request_timeout_seconds` applies to the token request."""
    sandbox.faults.add(Fault.hang(), TOKEN)

    output = run({**sandbox.oauth_config, "request_timeout_seconds": 1}, "tickets")

    assert len(output.ids("tickets")) == 1000


def test_a_permanent_failure_is_retried_by_one_thread_only(
    sandbox: Sandbox,
) -> None:
    """The run ends after about five minutes, although eight requests need the token."""
    clock = FakeClock()

    def stop_issuing_tokens() -> None:
        sandbox.auth.revoke_tokens()
        sandbox.faults.add(Fault.error(503, message="Maintenance."), TOKEN, times=9999)

    at_requests(sandbox, {50}, stop_issuing_tokens)
    with pytest.raises(PartialRun) as failed:
        run(sandbox.oauth_config, "ticket_details", clock=clock)

    assert str(failed.value.__cause__) == (
        "sign-in: /oauth/token answered 503: Maintenance."
    )
    assert sandbox.count(TOKEN) <= 14
    assert sum(clock.sleeps) <= 310


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (respond_with(200, {"token_type": "Bearer"}), "contains no access token."),
        (respond_with(200, {"access_token": 7}), "contains no access token."),
        (respond_with(200, {"access_token": ""}), "contains no access token."),
        (respond_with(200, {"access_token": "a\r\nX: y"}), "contains no access token."),
        (respond_with(200, ["access_token"]), "contains no access token."),
        (respond_with(404, None), "answered 404: no explanation."),
        (
            respond_with(302, None, Location="/oauth/token"),
            "answered 302: no explanation",
        ),
        (
            respond_with(307, None, Location="/oauth/token"),
            "answered 307: no explanation",
        ),
        (respond_with(400, {"error": "invalid_scope"}), "answered 400: invalid_scope."),
    ],
)
def test_an_invalid_response_to_the_token_request_ends_the_run(
    sandbox: Sandbox, fault: Fault, reason: str
) -> None:
    """There is no retry, and a redirect is not followed."""
    sandbox.faults.add(fault, TOKEN)

    error = failure_of(sandbox)

    assert isinstance(error, AccessError)
    assert reason in str(error)
    assert sandbox.count() == 2


def test_a_failed_sign_in_is_not_mistaken_for_an_account_without_phone(
    sandbox: Sandbox,
) -> None:
    """Only a 403 of a stream's own request means that."""
    sandbox.faults.add(Fault.error(403), TOKEN)

    with pytest.raises(PartialRun) as failed:
        run(sandbox.oauth_config, "voice_calls")

    assert isinstance(failed.value.__cause__, AccessError)


def test_a_run_resumes_after_a_failed_sign_in(sandbox: Sandbox) -> None:
    """Pages that were read are not requested again."""

    def revoke_authorization() -> None:
        sandbox.auth.revoke_tokens()
        sandbox.auth.refresh_token = "another"

    at_requests(sandbox, {4}, revoke_authorization)
    with pytest.raises(PartialRun) as failed:
        run(sandbox.oauth_config, "tickets")
    first = failed.value.output

    config = {**sandbox.oauth_config, "refresh_token": "another"}
    second = run(config, "tickets", state=first.state)

    assert isinstance(failed.value.__cause__, AccessError)
    read = first.ids("tickets") + second.ids("tickets")
    assert set(read) == set(sandbox.shop.tickets.ids())
    assert sandbox.count("/api/tickets", 200) == 11
