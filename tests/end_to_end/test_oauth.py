"""Signing in with OAuth2: how access tokens are got, renewed and given up."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from tap_gorgias.errors import ApiError, SignInError
from tests.sandbox import Fault, Sandbox, Shop
from tests.sandbox.answers import Answer
from tests.support.fake_clock import FakeClock
from tests.support.runs import PartialRun, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.sandbox import Request

TOKEN = "/oauth/token"
AGAIN = "see docs/oauth2.md"


@pytest.fixture
def clock() -> FakeClock:
    """Tell the time to tap and sandbox."""
    return FakeClock()


@pytest.fixture
def sandbox(clock: FakeClock) -> Iterator[Sandbox]:
    """A shop with ten pages of tickets."""
    shop = Shop(seed=11, tickets=1000)
    with Sandbox(shop, clock=clock.monotonic) as sandbox:
        yield sandbox


def failure_of(sandbox: Sandbox, **changes: str) -> Exception:
    """Run in vain, and return the error."""
    with pytest.raises(PartialRun) as failed:
        run({**sandbox.oauth_config, **changes}, "tickets")
    cause = failed.value.__cause__
    assert isinstance(cause, Exception)
    return cause


def at_requests(sandbox: Sandbox, numbers: set[int], act: Callable[[], None]) -> None:
    """Do something while some of the API's requests are answered."""
    count = 0

    def happen(_shop: Shop, _request: Request) -> None:
        nonlocal count
        count += 1
        if count in numbers:
            act()

    sandbox.before_request(happen)


def answering(status: int, payload: object, **headers: str) -> Fault:
    """Answer like this, whatever was asked."""
    answer = Answer(status, payload, headers=headers)
    return Fault(f"status {status}", lambda _: answer)


def test_one_token_is_enough_for_a_run(sandbox: Sandbox) -> None:
    """Although the answer says that it expires in 0 seconds."""
    output = run(sandbox.oauth_config, "tickets")

    assert sorted(output.ids("tickets")) == sorted(sandbox.shop.tickets.ids())
    assert sandbox.count(TOKEN) == 1
    assert sandbox.count(status=401) == 0


def test_a_token_that_expires_three_times_is_renewed_ahead_of_time(
    sandbox: Sandbox, clock: FakeClock
) -> None:
    """No request is refused, no row is lost or doubled."""
    sandbox.auth.token_lifetime = 3600

    def an_hour_passes() -> None:
        clock.now += 3600 - 200

    at_requests(sandbox, {2, 5, 8}, an_hour_passes)
    ids = run(sandbox.oauth_config, "tickets", clock=clock).ids("tickets")

    assert sorted(ids) == sorted(sandbox.shop.tickets.ids())
    assert sandbox.count(TOKEN) == 4
    assert sandbox.count(status=401) == 0
    assert sandbox.count("/api/tickets") == 10


def test_a_token_that_is_revoked_three_times_costs_three_requests_more(
    sandbox: Sandbox,
) -> None:
    """A 401 is answered with a new token, and no row is lost or doubled."""
    at_requests(sandbox, {2, 6, 10}, sandbox.auth.revoke_tokens)
    ids = run(sandbox.oauth_config, "tickets").ids("tickets")

    assert sorted(ids) == sorted(sandbox.shop.tickets.ids())
    assert sandbox.count(TOKEN) == 4
    assert sandbox.count(status=401) == 3
    assert sandbox.count("/api/tickets") == 13


def test_a_token_revoked_under_many_threads_is_renewed_by_one(
    sandbox: Sandbox,
) -> None:
    """Of eight requests in flight, the others wait and take its token."""
    sandbox.latency = 0.01
    at_requests(sandbox, {100, 400, 700}, sandbox.auth.revoke_tokens)
    ids = run(sandbox.oauth_config, "ticket_details").ids("ticket_details")

    assert sorted(ids) == sorted(sandbox.shop.tickets.ids())
    assert sandbox.count(TOKEN) == 4
    assert 3 <= sandbox.count(status=401) <= 3 * (8 + 1)


@pytest.mark.parametrize(
    ("opaque", "expires_in", "tokens"),
    [
        (False, 0, 3),
        (False, 600, 3),
        (True, 7200, 3),
        (True, 0, 1),
        (True, None, 1),
        (True, "soon", 1),
    ],
)
def test_the_token_itself_tells_how_long_it_lives(
    sandbox: Sandbox, clock: FakeClock, *, opaque: bool, expires_in: object, tokens: int
) -> None:
    """Then the answer does; else it is a day."""
    sandbox.auth.token_lifetime = 7200 if not opaque else 86_400
    sandbox.auth.opaque = opaque
    sandbox.auth.expires_in = expires_in

    def two_hours_pass() -> None:
        clock.now += 7200 - 250

    at_requests(sandbox, {3, 6}, two_hours_pass)
    run(sandbox.oauth_config, "tickets", clock=clock)

    assert sandbox.count(TOKEN) == tokens
    assert sandbox.count(status=401) == 0


def test_a_new_refresh_token_is_used_from_then_on(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning says that the config must be updated, without the token."""
    caplog.set_level(logging.DEBUG)
    sandbox.auth.rotates = True
    at_requests(sandbox, {2, 6, 10}, sandbox.auth.revoke_tokens)

    ids = run(sandbox.oauth_config, "tickets").ids("tickets")

    assert sorted(ids) == sorted(sandbox.shop.tickets.ids())
    assert sandbox.count(TOKEN) == sandbox.count(TOKEN, 200) == 4
    warnings = [one.getMessage() for one in caplog.records if one.levelname != "DEBUG"]
    told = [one for one in warnings if "Gorgias replaced the refresh token." in one]
    assert len(told) == 1
    assert "set `refresh_token`" in told[0]
    assert sandbox.auth.refresh_token != sandbox.oauth_config["refresh_token"]
    assert "sandbox-refresh-token" not in caplog.text


def test_a_refresh_token_that_does_not_work_says_how_to_sign_in_again(
    sandbox: Sandbox,
) -> None:
    """One request is enough to know."""
    error = failure_of(sandbox, refresh_token="planted-and-wrong")

    assert isinstance(error, SignInError)
    assert str(error) == (
        "sign-in: /oauth/token answered 400: invalid_grant. The refresh token is no "
        "longer valid or belongs to another app: get a new one and set "
        f"`refresh_token`, {AGAIN}."
    )
    assert sandbox.count() == 1


@pytest.mark.parametrize("name", ["client_id", "client_secret"])
def test_wrong_client_credentials_are_named(sandbox: Sandbox, name: str) -> None:
    """They are looked at before the refresh token."""
    assert str(failure_of(sandbox, **{name: "planted-and-wrong"})) == (
        "sign-in: /oauth/token answered 401: invalid_client. Check `client_id` and "
        "`client_secret`."
    )
    assert sandbox.count() == 1


def test_a_missing_scope_is_named(sandbox: Sandbox) -> None:
    """With the stream that needs it, and how to do without."""
    sandbox.forbidden.add("tickets")

    error = failure_of(sandbox)

    assert isinstance(error, ApiError)
    assert str(error) == (
        "tickets: /api/tickets answered 403: You do not have enough permissions to "
        "perform this action. The stream needs the scope `tickets:read`: authorize "
        f"the app again with this scope, or deselect the stream `tickets`; {AGAIN}."
    )
    assert sandbox.count(TOKEN) == 1


def test_a_new_token_that_is_refused_too_ends_the_run(sandbox: Sandbox) -> None:
    """A token is renewed once for a request, not for ever."""
    sandbox.faults.add(Fault.error(401, message="No."), "/api/tickets", times=99)

    assert str(failure_of(sandbox)) == (
        "tickets: /api/tickets answered 401: No. The new access token was rejected as "
        f"well: authorize the app again, {AGAIN}."
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
def test_a_passing_failure_of_the_token_request_is_tried_again(
    sandbox: Sandbox, fault: Fault
) -> None:
    """As that of any request."""
    sandbox.faults.add(fault, TOKEN, times=2)

    output = run(sandbox.oauth_config, "tickets")

    assert len(output.ids("tickets")) == 1000
    assert sandbox.count(TOKEN) == 3
    assert sandbox.count("/api/tickets") == 10


def test_silence_is_a_passing_failure_too(sandbox: Sandbox) -> None:
    """The token request obeys `request_timeout_seconds`."""
    sandbox.faults.add(Fault.hang(), TOKEN)

    output = run({**sandbox.oauth_config, "request_timeout_seconds": 1}, "tickets")

    assert len(output.ids("tickets")) == 1000


def test_a_lasting_failure_ends_the_run_once_and_not_in_each_thread(
    sandbox: Sandbox,
) -> None:
    """After about five minutes, although eight requests wait for the token."""
    clock = FakeClock()

    def no_more_tokens() -> None:
        sandbox.auth.revoke_tokens()
        sandbox.faults.add(Fault.error(503, message="Maintenance."), TOKEN, times=9999)

    at_requests(sandbox, {50}, no_more_tokens)
    with pytest.raises(PartialRun) as failed:
        run(sandbox.oauth_config, "ticket_details", clock=clock)

    assert str(failed.value.__cause__) == (
        "sign-in: /oauth/token answered 503: Maintenance."
    )
    assert sandbox.count(TOKEN) <= 14
    assert sum(clock.sleeps) <= 310


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (answering(200, {"token_type": "Bearer"}), "contains no access token."),
        (answering(200, {"access_token": 7}), "contains no access token."),
        (answering(200, {"access_token": ""}), "contains no access token."),
        (answering(200, {"access_token": "a\r\nX: y"}), "contains no access token."),
        (answering(200, ["access_token"]), "contains no access token."),
        (answering(404, None), "no explanation. Check `subdomain`."),
        (answering(302, None, Location="/oauth/token"), "answered 302: no explanation"),
        (answering(307, None, Location="/oauth/token"), "answered 307: no explanation"),
        (answering(400, {"error": "invalid_scope"}), "answered 400: invalid_scope."),
    ],
)
def test_an_odd_answer_to_the_token_request_ends_the_run(
    sandbox: Sandbox, fault: Fault, said: str
) -> None:
    """A redirect is not followed, least of all with the client's credentials."""
    sandbox.faults.add(fault, TOKEN)

    error = failure_of(sandbox)

    assert isinstance(error, SignInError)
    assert said in str(error)
    assert sandbox.count() == 1


def test_a_refused_sign_in_is_not_taken_for_an_account_without_phone(
    sandbox: Sandbox,
) -> None:
    """Nor for a ticket that is gone, or a cursor that is too old."""
    sandbox.faults.add(Fault.error(403), TOKEN)

    with pytest.raises(PartialRun) as failed:
        run(sandbox.oauth_config, "voice_calls")

    assert isinstance(failed.value.__cause__, SignInError)


def test_a_run_that_lost_its_sign_in_goes_on_in_the_next(sandbox: Sandbox) -> None:
    """What was read before is not read again."""

    def let_out() -> None:
        sandbox.auth.revoke_tokens()
        sandbox.auth.refresh_token = "another"

    at_requests(sandbox, {4}, let_out)
    with pytest.raises(PartialRun) as failed:
        run(sandbox.oauth_config, "tickets")
    first = failed.value.output

    config = {**sandbox.oauth_config, "refresh_token": "another"}
    second = run(config, "tickets", state=first.state)

    assert isinstance(failed.value.__cause__, SignInError)
    read = first.ids("tickets") + second.ids("tickets")
    assert set(read) == set(sandbox.shop.tickets.ids())
    assert sandbox.count("/api/tickets", 200) == 11
