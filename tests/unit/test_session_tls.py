"""Who may stand at the other end: TLS, certificates and proxies."""

from __future__ import annotations

import http.client
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import requests
import trustme
from requests.auth import HTTPBasicAuth

from tap_gorgias.api.budget import ApiBudget
from tap_gorgias.api.session import GorgiasSession, TransportError
from tap_gorgias.api.usage import RunSummary
from tap_gorgias.compat import override
from tests.support.configs import problems_of
from tests.support.fake_clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AUTH = HTTPBasicAuth("ann@acme.test", "planted-key")


class Handler(BaseHTTPRequestHandler):
    """Answers, and remembers what came in."""

    seen: list[BaseHTTPRequestHandler]

    def do_GET(self) -> None:
        """Answer."""
        self.seen.append(self)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")

    def do_CONNECT(self) -> None:
        """Refuse to connect."""
        self.seen.append(self)
        self.send_error(502)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class Server(HTTPServer):
    """Keeps quiet about clients that do not trust it."""

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    """Listen on a port of this machine."""
    Handler.seen = []
    with Server(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
        thread.start()
        yield httpd
        httpd.shutdown()
        thread.join()


@pytest.fixture
def authority() -> trustme.CA:
    """Vouch for servers, though nobody trusts it."""
    return trustme.CA()


@pytest.fixture
def address(server: Server, authority: trustme.CA) -> str:
    """Speak TLS with a certificate of that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return f"https://127.0.0.1:{server.server_port}/"


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[GorgiasSession]:
    """Make requests, with nothing in the environment that concerns them."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    budget = ApiBudget(FakeClock())
    with GorgiasSession(
        budget, RunSummary(), user_agent="agent/1", timeout_seconds=5
    ) as session:
        yield session


def get(
    session: GorgiasSession, url: str, params: dict[str, str] | None = None
) -> requests.Response:
    """Send a signed request for a stream."""
    request = requests.Request("GET", url, params=params, auth=AUTH)
    return session.send(session.prepare_request(request), stream_name="tags")


def test_a_certificate_that_nobody_vouches_for_is_refused(
    address: str, session: GorgiasSession
) -> None:
    """The request, with its credentials, is not sent; another try is of no use."""
    with pytest.raises(TransportError, match="TLS connection was refused") as refused:
        get(session, address)
    assert not refused.value.is_transient
    assert Handler.seen == []


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_company_can_vouch_for_its_proxy(
    name: str,
    address: str,
    authority: trustme.CA,
    session: GorgiasSession,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The environment names the certificates to trust, as for any program."""
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    monkeypatch.setenv(name, str(file))
    assert get(session, address).status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REQUESTS_CA_BUNDLE", ""),
        ("CURL_CA_BUNDLE", ""),
        ("PYTHONHTTPSVERIFY", "0"),
        ("SSL_VERIFY", "false"),
    ],
)
def test_the_environment_cannot_turn_verification_off(
    name: str,
    value: str,
    address: str,
    session: GorgiasSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It can only name other certificates."""
    monkeypatch.setenv(name, value)
    with pytest.raises(TransportError, match="TLS connection was refused"):
        get(session, address)
    assert Handler.seen == []


@pytest.mark.parametrize(
    "name", ["verify", "verify_ssl", "ssl_verify", "insecure", "proxies", "cert"]
)
def test_no_setting_turns_verification_off(name: str) -> None:
    """There is none, and an unknown one is refused."""
    assert problems_of(**{name: False})[0].startswith(f"Setting `{name}` is unknown.")


def test_certificates_that_are_not_there_are_named(
    address: str, session: GorgiasSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The words say where to look; another try is of no use."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    with pytest.raises(TransportError, match="REQUESTS_CA_BUNDLE") as failed:
        get(session, address)
    assert not failed.value.is_transient


def test_a_proxy_sees_no_credentials_of_an_encrypted_request(
    server: Server, session: GorgiasSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for a tunnel, and for nothing else."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.server_port}")
    with pytest.raises(TransportError, match="no connection could be made"):
        get(session, "https://acme.gorgias.test/api/tickets", {"cursor": "x"})
    (request,) = Handler.seen
    assert (request.command, request.path) == ("CONNECT", "acme.gorgias.test:443")
    assert "Authorization" not in request.headers
    assert "planted" not in str(request.headers)


@pytest.mark.parametrize("proxied", [False, True], ids=["directly", "proxy"])
def test_the_standard_library_prints_nothing(
    server: Server,
    session: GorgiasSession,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    *,
    proxied: bool,
) -> None:
    """Told to debug, it would print headers into the tap's output."""
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    address = f"http://127.0.0.1:{server.server_port}"
    for _ in range(2):
        if proxied:
            monkeypatch.setenv("HTTPS_PROXY", address)
            with pytest.raises(TransportError):
                get(session, "https://acme.gorgias.test/")
        else:
            get(session, f"{address}/")
    assert len(Handler.seen) == 2
    assert capfd.readouterr() == ("", "")
