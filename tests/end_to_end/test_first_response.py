"""The first responses of a run show whether the host is a helpdesk."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tap_gorgias.errors import ApiError, TransientApiError
from tests.sandbox import Fault, Sandbox, Shop
from tests.sandbox.answers import Answer
from tests.support.fake_clock import FakeClock
from tests.support.runs import PartialRun, run

ADVICE = "Check `subdomain`."
PATHS = {"API key": "/api/tickets", "OAuth2": "/oauth/token"}
LOGIN_PAGE = Answer(200, body=b"\n <!doctype html>", content_type="text/html")


@pytest.fixture
def shop() -> Shop:
    """A shop with three pages of tickets."""
    return Shop(seed=5, tickets=250)


def failure_of(sandbox: Sandbox, way: str, clock: FakeClock | None = None) -> Exception:
    """Run the tap, and return the error of the stream."""
    config = sandbox.config if way == "API key" else sandbox.oauth_config
    with pytest.raises(PartialRun) as failed:
        run(config, "tickets", clock=clock)
    cause = failed.value.__cause__
    assert isinstance(cause, Exception)
    return cause


def always(answer: Answer) -> Fault:
    """Send this answer to any request."""
    return Fault("always", lambda _: answer)


@pytest.mark.parametrize("way", PATHS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_of_the_first_request_questions_the_subdomain(
    sandbox: Sandbox, way: str, status: int
) -> None:
    """The web site of Gorgias may answer for a helpdesk that does not exist."""
    sandbox.faults.add(always(Answer(status)), times=99)

    error = str(failure_of(sandbox, way))

    assert error.endswith(f"answered {status}: no explanation. {ADVICE}")
    assert sandbox.count(PATHS[way]) == 1


def test_a_later_redirect_does_not_question_the_subdomain(sandbox: Sandbox) -> None:
    """The helpdesk has already answered."""
    sandbox.faults.add(always(Answer(302)), PATHS["API key"], after=1, times=99)
    assert ADVICE not in str(failure_of(sandbox, "API key"))


@pytest.mark.parametrize("way", PATHS)
def test_a_web_page_as_the_first_response_is_not_retried(
    sandbox: Sandbox, way: str
) -> None:
    """A retry would get the same page."""
    sandbox.faults.add(always(LOGIN_PAGE), times=99)
    clock = FakeClock()

    error = failure_of(sandbox, way, clock)

    assert f"{PATHS[way]} answered 200: the response is a web page. {ADVICE}" in str(
        error
    )
    assert sandbox.count(PATHS[way]) == 1
    assert clock.sleeps == []


def test_a_later_web_page_is_retried(sandbox: Sandbox) -> None:
    """A proxy may temporarily replace a response with one."""
    sandbox.faults.add(always(LOGIN_PAGE), PATHS["API key"], after=1)
    assert len(run(sandbox.config, "tickets").ids("tickets")) == 250


def test_a_web_page_after_an_error_in_json_is_retried(
    sandbox: Sandbox,
) -> None:
    """Only Gorgias sends errors in this format, so the host is right."""
    sandbox.faults.add(Fault.error(503), PATHS["API key"])
    sandbox.faults.add(always(LOGIN_PAGE), PATHS["API key"])
    assert len(run(sandbox.config, "tickets").ids("tickets")) == 250


@pytest.mark.parametrize("status", [200, 201, 202, 203, 206])
def test_any_success_with_a_valid_body_is_accepted(
    sandbox: Sandbox, status: int
) -> None:
    """Recorded status codes differ from the documented ones."""
    relabelled = Fault("relabelled", lambda answer: replace(answer, status=status))
    sandbox.faults.add(relabelled, times=99)
    for config in (sandbox.config, sandbox.oauth_config):
        assert len(run(config, "tickets").ids("tickets")) == 250


def test_a_success_without_a_body_is_retried(sandbox: Sandbox) -> None:
    """So is any response that is not JSON."""
    sandbox.faults.add(always(Answer(204)), PATHS["API key"], after=1, times=99)
    error = failure_of(sandbox, "API key")
    assert isinstance(error, TransientApiError)
    assert "answered 204: the body is not JSON." in str(error)


def test_a_404_in_json_does_not_question_the_subdomain(sandbox: Sandbox) -> None:
    """Only a helpdesk sends it."""
    sandbox.faults.add(Fault.error(404), PATHS["API key"])
    error = failure_of(sandbox, "API key")
    assert isinstance(error, ApiError)
    assert ADVICE not in str(error)
