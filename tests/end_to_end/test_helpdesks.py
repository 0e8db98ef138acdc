"""STATE names its helpdesk, so that it is not used for another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tap_gorgias.errors import StateError, messages_of
from tests.sandbox import Sandbox, Shop
from tests.support.runs import Files, Output, PartialRun, run, run_command

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shop() -> Shop:
    """A small helpdesk."""
    return Shop(seed=2, tickets=60)


def host_of(sandbox: Sandbox) -> str:
    """Return the host of the API."""
    return urlsplit(sandbox.config["api_url"]).netloc


def test_every_state_names_the_helpdesk(sandbox: Sandbox) -> None:
    """It is the host of `api_url`, and the first STATE has it already."""
    output = run(sandbox.config, "tickets", "tags")

    assert {state["helpdesk"] for state in output.states} == {host_of(sandbox)}


def test_the_state_of_another_helpdesk_is_refused_before_any_request(
    sandbox: Sandbox,
) -> None:
    """Its bookmarks would hide the rows of this one."""
    state = run(sandbox.config, "tickets").state
    with Sandbox(Shop(seed=5, tickets=90)) as other:
        with pytest.raises(PartialRun) as failure:
            run(other.config, "tickets", state=state)

        cause = failure.value.__cause__
        assert isinstance(cause, StateError)
        (line,) = messages_of(cause)
        assert host_of(sandbox) in line
        assert host_of(other) in line
        assert "target schema" in line
        assert other.count() == 0
        assert failure.value.output.messages == []


@pytest.mark.parametrize("helpdesk", ["x" * 5_000, ["acme"], {}, 7])
def test_a_helpdesk_that_is_no_name_is_refused(
    sandbox: Sandbox, helpdesk: object
) -> None:
    """STATE may be edited by hand."""
    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, "tickets", state={"bookmarks": {}, "helpdesk": helpdesk})
    cause = failure.value.__cause__
    assert isinstance(cause, StateError)
    assert len(str(cause)) < 400


def test_a_state_without_a_name_is_accepted_and_gets_it(sandbox: Sandbox) -> None:
    """It is from another tap, or was edited."""
    state = run(sandbox.config, "tickets").state
    expected = run(sandbox.config, "tickets", state=state)
    del state["helpdesk"]

    output = run(sandbox.config, "tickets", state=state)

    assert output.ids("tickets") == expected.ids("tickets")
    assert output.state["helpdesk"] == host_of(sandbox)


def test_the_wrapper_of_meltano_is_accepted(sandbox: Sandbox, tmp_path: Path) -> None:
    """`meltano state get` shows the state in it."""
    state: dict[str, Any] = run(sandbox.config, "tickets").state
    expected = run(sandbox.config, "tickets", state=state)

    command = Files(tmp_path).arguments(
        sandbox.config, ["tickets"], {"singer_state": state}
    )
    result = run_command(command)

    assert result.returncode == 0
    assert Output.parse(result.stdout).ids("tickets") == expected.ids("tickets")
