"""docs/oauth2.md can be followed from beginning to end with the sandbox."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests

from tests.support.documents import OAUTH2, ROOT, blocks
from tests.support.runs import PartialRun, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

EXAMPLE_HOST = "https://acme.gorgias.com"


@pytest.fixture
def printed() -> Iterator[dict[str, str]]:
    """What the sandbox prints as it starts, by label."""
    command = [sys.executable, "-m", "tests.sandbox", "--port", "0", "--tickets", "9"]
    with subprocess.Popen(  # noqa: S603 (our own command)
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as server:
        assert server.stdout
        lines = list(iter(server.stdout.readline, "Stop with Ctrl-C.\n"))
        yield dict(re.findall(r"^ *([\w ]+): +(\S+)$", "".join(lines), re.MULTILINE))
        server.terminate()


def send(command: str, secret: str, folder: Path | None = None) -> requests.Response:
    """Send the request of a curl command; curl itself prompts for the secret.

    A command before it, run in a folder, prints what curl reads (`@-`).
    """
    first, bar, curl = command.replace("\\\n", " ").rpartition(" | ")
    read = subprocess.check_output(first, shell=True, text=True, cwd=folder)  # noqa: S602
    name, *words = shlex.split(curl)
    assert (name, "@-" in curl) == ("curl", bool(bar))
    (url,) = (word for word in words if word.startswith("http"))
    words.remove(url)
    options = list(zip(words[::2], words[1::2], strict=True))
    (user,) = (value for name, value in options if name == "--user")
    texts = [text for name, text in options if name.startswith("--data")]
    form = dict(text.replace("@-", f"={read}").split("=", 1) for text in texts)
    return requests.post(url, data=form, auth=(user, secret), timeout=10)


def filled(text: str, values: Mapping[str, str]) -> str:
    """Replace the placeholders of the document."""
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    assert EXAMPLE_HOST not in text
    return text


def authorized(url: str) -> dict[str, str]:
    """Open the authorization in a browser, and return the query of the redirect."""
    redirect = requests.get(url, allow_redirects=False, timeout=10).headers["Location"]
    asked_for = parse_qs(urlsplit(url).query)["redirect_uri"]
    assert [redirect.partition("?")[0]] == asked_for
    return dict(parse_qsl(urlsplit(redirect).query))


def test_the_steps_of_the_document_lead_to_a_run(
    printed: dict[str, str], tmp_path: Path
) -> None:
    """The last one, revocation, makes the settings useless.

    No command has a secret among its arguments, which `ps` and the history show.
    """
    address = printed["authorize at"].removesuffix("/oauth/authorize")
    secret = printed["client secret"]
    values = {
        EXAMPLE_HOST: address,
        "YOUR_CLIENT_ID": printed["client ID"],
        "YOUR_CLIENT_SECRET": secret,
        "RANDOM_TEXT": "kept-by-the-reader",
    }
    exchange, revoke = blocks("shell", OAUTH2)
    settings = blocks("json", OAUTH2)[0]

    returned = authorized(filled(blocks("text", OAUTH2)[0].strip(), values))
    assert returned["state"] == "kept-by-the-reader"
    values["THE_CODE"] = returned["code"]
    tokens: dict[str, Any] = send(filled(exchange, values), secret).json()
    values["THE_REFRESH_TOKEN"] = tokens["refresh_token"]
    config = {**json.loads(filled(settings, values)), "api_url": address}
    assert len(run(config, "tickets").ids("tickets")) == 9

    assert send(filled(exchange, values), secret).json() == {"error": "invalid_grant"}
    assert "REFRESH_TOKEN" not in revoke
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert send(filled(revoke, values), secret, tmp_path).ok
    with pytest.raises(PartialRun) as failed:
        run(config, "tickets")
    assert "invalid_grant" in str(failed.value.__cause__)


def test_without_the_scope_offline_there_is_no_refresh_token(
    printed: dict[str, str],
) -> None:
    """As the document says."""
    address = printed["authorize at"].removesuffix("/oauth/authorize")
    values = {EXAMPLE_HOST: address, "YOUR_CLIENT_ID": printed["client ID"]}
    url = filled(blocks("text", OAUTH2)[0].strip(), values)
    values["THE_CODE"] = authorized(url.replace("%20offline", ""))["code"]
    exchange = blocks("shell", OAUTH2)[0]
    tokens = send(filled(exchange, values), printed["client secret"]).json()

    assert tokens["access_token"]
    assert "refresh_token" not in tokens
