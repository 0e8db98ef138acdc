"""Credentials and customer data leave the tap only in records."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest

from tests.end_to_end.loud import PARTS
from tests.sandbox import Fault, Sandbox, Shop
from tests.support.runs import Files, Output, catalog_of, run_command

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

API_KEY = 'an api "key"/with\\+every=sign&more?'
CLIENT_SECRET = 'a client "secret"/with\\+every=sign&more?'
REFRESH_TOKEN = 'a refresh "token"/with\\+every=sign&more?'
"""They look different in URLs, in JSON and in base64."""

SECRET_SETTINGS = {"api_key", "client_secret", "refresh_token"}
NAMES = {"Authorization", "authorization", "Basic ", "Bearer "}
"""What a header with a credential begins with."""

STREAMS = ["account", "customers", "messages", "ticket_details", "tickets", "users"]

LOG_CONFIG = """
version: 1
disable_existing_loggers: false
formatters:
  structured:
    (): singer_sdk.logging.StructuredFormatter
handlers:
  stderr:
    class: logging.StreamHandler
    stream: ext://sys.stderr
    formatter: structured
root:
  level: DEBUG
  handlers: [stderr]
"""


@pytest.fixture(params=["API key", "OAuth2"])
def way(request: pytest.FixtureRequest) -> str:
    """Sign in with an API key or with OAuth."""
    return str(request.param)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A small shop that rotates refresh tokens."""
    with Sandbox(Shop(seed=4, tickets=120)) as sandbox:
        sandbox.auth.rotates = True
        sandbox.auth.api_key = API_KEY
        sandbox.auth.client_secret = CLIENT_SECRET
        sandbox.auth.refresh_token = REFRESH_TOKEN
        yield sandbox


@pytest.fixture(autouse=True)
def everything_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the log level to DEBUG."""
    monkeypatch.setenv("LOGLEVEL", "DEBUG")


@pytest.fixture(params=["plain", "structured"])
def log_style(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Use both log formats of the SDK."""
    if request.param == "structured":
        path = tmp_path / "logging.yaml"
        path.write_text(LOG_CONFIG)
        monkeypatch.setenv("SINGER_SDK_LOG_CONFIG", str(path))


def config_of(sandbox: Sandbox, way: str) -> dict[str, str]:
    """Return settings with credentials."""
    if way == "API key":
        return sandbox.config
    return {**sandbox.oauth_config, "refresh_token": REFRESH_TOKEN}


def forms_of(secret: str) -> set[str]:
    """Return a secret in clear text, in base64, quoted for URLs and escaped in JSON."""
    data = secret.encode()
    encoded = {b64encode(data).decode(), urlsafe_b64encode(data).decode()}
    forms = {secret, *encoded, *(text.rstrip("=") for text in encoded)}
    quoted = {quote(form, safe="") for form in forms} | {quote(form) for form in forms}
    escaped = json.dumps(secret)[1:-1]
    return forms | quoted | {quote_plus(secret), escaped, escaped.replace("/", r"\/")}


def secrets_of(sandbox: Sandbox) -> set[str]:
    """Return all credentials and the headers with them, in all forms."""
    key, app = sandbox.config, sandbox.oauth_config
    pairs = [
        f"{key['email']}:{API_KEY}",
        f"{app['client_id']}:{CLIENT_SECRET}",
    ]
    headers = [f"Basic {b64encode(pair.encode()).decode()}" for pair in pairs]
    headers += [f"Bearer {token}" for token in sandbox.auth.given]
    secrets = [API_KEY, CLIENT_SECRET, REFRESH_TOKEN, sandbox.auth.refresh_token]
    every = {*secrets, *sandbox.auth.given, *pairs, *headers}
    return NAMES.union(*map(forms_of, every))


def words_of(sandbox: Sandbox) -> set[str]:
    """Return names, addresses and texts of customers."""
    shop = sandbox.shop
    values = [
        row[name]
        for rows, names in (
            (shop.customers, ("email", "name")),
            (shop.tickets, ("subject", "excerpt")),
            (shop.messages, ("body_text", "stripped_text")),
        )
        for row in map(rows.row, rows.ids())
        for name in names
    ]
    return {value for value in values if value and len(value) > 5}


def loud(part: str, command: list[str], *more: str) -> subprocess.CompletedProcess[str]:
    """Run the tap with all debug logging enabled."""
    at = command.index("tap_gorgias")
    return run_command(
        [*command[:at], "tests.end_to_end.loud", part, *command[at + 1 :], *more]
    )


def assert_no_leak(sandbox: Sandbox, result: subprocess.CompletedProcess[str]) -> None:
    """Check that the log has no customer data, and that no output has secrets."""
    assert "DEBUG" in result.stderr.upper()
    assert "Traceback" not in result.stderr
    log = result.stderr
    assert [one for one in secrets_of(sandbox) if one in log] == []
    assert [one for one in words_of(sandbox) if one in log] == []
    out = result.stdout
    assert [one for one in secrets_of(sandbox) - NAMES if one in out] == []


@pytest.mark.usefixtures("log_style")
def test_a_run_shows_no_secret(sandbox: Sandbox, way: str, tmp_path: Path) -> None:
    """Neither debug logs of libraries nor token refreshes show one."""
    sandbox.faults.add(Fault.error(502, html=True), "/api/tickets")
    if way == "OAuth2":
        sandbox.faults.add(Fault.error(401), "/api/customers")

    config = config_of(sandbox, way)
    result = loud("nothing", Files(tmp_path).arguments(config, STREAMS))

    assert result.returncode == 0
    assert len(Output.parse(result.stdout).records("tickets")) == 120
    assert all(json.loads(line) for line in result.stdout.split("\n")[:-1])
    assert len(sandbox.auth.given) == (2 if way == "OAuth2" else 0)
    assert_no_leak(sandbox, result)


@pytest.mark.parametrize(
    ("part", "way", "log_style"),
    [(part, "OAuth2", "structured") for part in PARTS]
    + [(part, "API key", "plain") for part in PARTS if part != "token"],
    indirect=["log_style"],
)
@pytest.mark.usefixtures("log_style")
def test_a_crash_shows_no_secret(
    sandbox: Sandbox, way: str, part: str, tmp_path: Path
) -> None:
    """The error contains the whole state of the part that fails."""
    config = config_of(sandbox, way)
    result = loud(part, Files(tmp_path).arguments(config, STREAMS))

    assert result.returncode == 1
    assert "Unexpected RuntimeError in end_to_end/loud.py, line " in result.stderr
    assert_no_leak(sandbox, result)


def test_a_refusal_that_echoes_credentials_shows_none(
    sandbox: Sandbox, way: str, tmp_path: Path
) -> None:
    """They may be echoed in clear text, encoded, quoted or escaped."""
    config = config_of(sandbox, way)
    own = [value for name, value in config.items() if name in SECRET_SETTINGS]

    def echo() -> str:
        forms = sorted(set().union(*map(forms_of, [*own, *sandbox.auth.given])))
        return " | ".join(forms)

    fault = Fault("echo", lambda answer: Fault.error(400, message=echo()).spoil(answer))
    sandbox.faults.add(fault, "/api/tickets")

    result = loud("nothing", Files(tmp_path).arguments(config, ["tickets"]))

    assert result.returncode == 1
    assert "answered 400: *** | *** | " in result.stderr
    assert [one for one in secrets_of(sandbox) if one in result.stderr] == []


@pytest.mark.parametrize(
    "arguments", [["--discover"], ["--about"], ["--about", "--format=json"]]
)
def test_discovery_and_about_show_no_secret(
    sandbox: Sandbox, way: str, arguments: list[str], tmp_path: Path
) -> None:
    """Users share these outputs."""
    config = config_of(sandbox, way)

    result = loud("nothing", Files(tmp_path).arguments(config), *arguments)

    assert result.returncode == 0
    text = result.stdout + result.stderr
    values = {value for name, value in config.items() if name in SECRET_SETTINGS}
    assert [one for one in values if one in text] == []


def test_settings_from_the_environment_are_not_logged(
    sandbox: Sandbox, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only their names are logged."""
    for name, value in config_of(sandbox, way).items():
        monkeypatch.setenv(f"TAP_GORGIAS_{name.upper()}", value)
    catalog = tmp_path / "catalog.json"
    catalog.write_text(json.dumps(catalog_of("tickets")))
    command = [*Files(tmp_path).arguments({})[:3], "--config=ENV"]

    result = loud("nothing", [*command, "--catalog", str(catalog)])

    assert result.returncode == 0
    assert_no_leak(sandbox, result)


def test_state_contains_no_secret(sandbox: Sandbox, way: str, tmp_path: Path) -> None:
    """This includes the STATE of an unfinished walk."""
    sandbox.faults.add(Fault.error(403), "/api/tickets", after=1)
    config = config_of(sandbox, way)

    result = loud("nothing", Files(tmp_path).arguments(config, ["tickets"]))

    state = Output.parse(result.stdout).state
    entry = state["bookmarks"]["tickets"]
    names = {"replication_key", "replication_key_value", "walk", "imports", "retry"}
    assert entry.keys() == names
    assert [one for one in secrets_of(sandbox) if one in json.dumps(state)] == []
