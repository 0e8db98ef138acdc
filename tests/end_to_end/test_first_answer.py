"""What the first answers of a run say about where the tap has come to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tap_gorgias.errors import ApiError, TransientApiError
from tests.sandbox import Fault, Sandbox, Shop
from tests.sandbox.answers import Answer
from tests.support.fake_clock import FakeClock
from tests.support.runs import PartialRun, run

if TYPE_CHECKING:
    from collections.abc import Iterator

ADVICE = "Check `subdomain`."
PATHS = {"API key": "/api/tickets", "OAuth2": "/oauth/token"}
LOGIN_PAGE = Answer(200, body=b"\n <!doctype html>", content_type="text/html")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A shop with three pages of tickets."""
    with Sandbox(Shop(seed=5, tickets=250)) as sandbox:
        yield sandbox


def failure_of(sandbox: Sandbox, way: str, clock: FakeClock | None = None) -> Exception:
    """Run in vain, and return the error."""
    config = sandbox.config if way == "API key" else sandbox.oauth_config
    with pytest.raises(PartialRun) as failed:
        run(config, "tickets", clock=clock)
    cause = failed.value.__cause__
    assert isinstance(cause, Exception)
    return cause


def always(answer: Answer) -> Fault:
    """Answer like this, whatever was asked."""
    return Fault("always", lambda _: answer)


@pytest.mark.parametrize("way", PATHS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_of_the_first_request_asks_for_the_subdomain(
    sandbox: Sandbox, way: str, status: int
) -> None:
    """A name that no helpdesk has may lead to a page of Gorgias."""
    sandbox.faults.add(always(Answer(status)), PATHS[way], times=99)

    error = str(failure_of(sandbox, way))

    assert error.endswith(f"answered {status}: no explanation. {ADVICE}")
    assert sandbox.count() == 1


def test_a_later_redirect_has_another_reason(sandbox: Sandbox) -> None:
    """The helpdesk has answered before."""
    sandbox.faults.add(always(Answer(302)), PATHS["API key"], after=1)
    assert ADVICE not in str(failure_of(sandbox, "API key"))


@pytest.mark.parametrize("way", PATHS)
def test_a_web_page_as_the_first_answer_is_not_asked_for_again(
    sandbox: Sandbox, way: str
) -> None:
    """It would be the same for five minutes."""
    sandbox.faults.add(always(LOGIN_PAGE), PATHS[way], times=99)
    clock = FakeClock()

    error = failure_of(sandbox, way, clock)

    assert f"{PATHS[way]} answered 200: the response is a web page. {ADVICE}" in str(
        error
    )
    assert sandbox.count() == 1
    assert clock.sleeps == []


def test_a_later_web_page_is_a_passing_failure(sandbox: Sandbox) -> None:
    """A proxy may put one in the place of an answer for a while."""
    sandbox.faults.add(always(LOGIN_PAGE), PATHS["API key"], after=1)
    assert len(run(sandbox.config, "tickets").ids("tickets")) == 250


def test_a_web_page_after_a_refusal_in_json_is_a_passing_failure(
    sandbox: Sandbox,
) -> None:
    """Only Gorgias refuses in its own form, so the host is right."""
    sandbox.faults.add(Fault.error(503), PATHS["API key"])
    sandbox.faults.add(always(LOGIN_PAGE), PATHS["API key"])
    assert len(run(sandbox.config, "tickets").ids("tickets")) == 250


@pytest.mark.parametrize("status", [200, 201, 202, 203, 206])
def test_any_success_with_a_usable_body_is_taken(sandbox: Sandbox, status: int) -> None:
    """Live codes differ from the documented ones."""
    relabelled = Fault("relabelled", lambda answer: replace(answer, status=status))
    sandbox.faults.add(relabelled, times=99)
    for config in (sandbox.config, sandbox.oauth_config):
        assert len(run(config, "tickets").ids("tickets")) == 250


def test_a_success_without_a_body_is_none(sandbox: Sandbox) -> None:
    """It is tried again, as any answer that is not JSON."""
    sandbox.faults.add(always(Answer(204)), PATHS["API key"], times=99)
    error = failure_of(sandbox, "API key")
    assert isinstance(error, TransientApiError)
    assert "answered 204: the body is not JSON." in str(error)


def test_a_helpdesk_that_does_not_exist_asks_for_the_subdomain(
    sandbox: Sandbox,
) -> None:
    """As before: 404 says it at any time."""
    sandbox.faults.add(Fault.error(404), PATHS["API key"])
    error = failure_of(sandbox, "API key")
    assert isinstance(error, ApiError)
    assert str(error).endswith(ADVICE)
