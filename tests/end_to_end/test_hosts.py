"""Requests and credentials are sent to no other host than Gorgias."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox import Fault, Sandbox, Shop
from tests.sandbox.answers import Answer
from tests.support.runs import PartialRun, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NETRC = """
machine 127.0.0.1 login mallory password planted
default login mallory password planted
"""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A small shop."""
    with Sandbox(Shop(seed=5, tickets=250)) as sandbox:
        yield sandbox


@pytest.fixture
def elsewhere() -> Iterator[Sandbox]:
    """Another host."""
    with Sandbox(Shop(seed=5, tickets=1)) as sandbox:
        yield sandbox


def config_of(sandbox: Sandbox, credentials: str) -> dict[str, str]:
    """Return settings with an API key or with OAuth2 credentials."""
    return sandbox.config if credentials == "API key" else sandbox.oauth_config


@pytest.mark.parametrize(
    ("credentials", "expected_posts"), [("API key", []), ("OAuth2", ["/oauth/token"])]
)
def test_nothing_is_written_to_the_helpdesk(
    sandbox: Sandbox, credentials: str, expected_posts: list[str]
) -> None:
    """A run sends GET requests only, and a POST request for an access token."""
    run(config_of(sandbox, credentials))

    requests = sandbox.requests
    assert [one.path for one in requests if one.method != "GET"] == expected_posts
    assert {one.method for one in requests} <= {"GET", "POST"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("path", ["/api/tickets", "/oauth/token"])
def test_a_redirect_to_another_host_is_not_followed(
    sandbox: Sandbox, elsewhere: Sandbox, status: int, path: str
) -> None:
    """The other host receives no request, not even one without credentials."""
    target = {"Location": f"{elsewhere.url}{path}"}
    answer = Answer(status, None, headers=target)
    sandbox.faults.add(Fault("redirect", lambda _: answer), path)

    with pytest.raises(PartialRun) as failed:
        run(sandbox.oauth_config, "tickets")

    assert f"{path} answered {status}: no explanation." in str(failed.value.__cause__)
    assert elsewhere.count() == 0


@pytest.mark.parametrize("host", ["", "https://internal.test", "//evil.example"])
def test_only_the_parameters_of_the_url_of_a_next_page_are_used(
    sandbox: Sandbox, host: str
) -> None:
    """The next request goes to the helpdesk, whatever host the URL names."""
    expected = run(sandbox.config, "view_items").records("view_items")

    def redirect(body: dict[str, Any]) -> dict[str, Any]:
        if next_items := body["meta"]["next_items"]:
            body["meta"]["next_items"] = host + next_items
        return body

    sandbox.faults.add(Fault.rewrite(redirect), "/api/views/*/items", times=9999)

    assert run(sandbox.config, "view_items").records("view_items") == expected


@pytest.mark.parametrize("credentials", ["API key", "OAuth2"])
def test_credentials_in_netrc_are_ignored(
    sandbox: Sandbox, credentials: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They belong to other programs."""
    file = tmp_path / "netrc"
    file.write_text(NETRC)
    monkeypatch.setenv("NETRC", str(file))

    output = run(config_of(sandbox, credentials), "tickets")

    assert len(output.ids("tickets")) == 250
    assert sandbox.count("/api/tickets", status=401) == 0


@pytest.mark.parametrize("credentials", ["API key", "OAuth2"])
def test_plain_http_requests_bypass_the_proxy(
    sandbox: Sandbox,
    elsewhere: Sandbox,
    credentials: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The proxy could read the credentials."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, elsewhere.url)

    output = run(config_of(sandbox, credentials), "tickets")

    assert len(output.ids("tickets")) == 250
    assert elsewhere.count() == 0
