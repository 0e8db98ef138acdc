"""Tests of TLS, certificates and proxies."""

from __future__ import annotations

import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from tap_gorgias.api.limiter import RateLimiter
from tap_gorgias.api.session import GorgiasSession, TransportError
from tap_gorgias.api.usage import RunSummary
from tap_gorgias.compat import override
from tests.support.configs import problems_of
from tests.support.fake_clock import FakeClock
from tests.support.http import get

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    """A handler that responds to any path and records the requests."""

    seen: list[BaseHTTPRequestHandler]

    def do_GET(self) -> None:
        """Respond."""
        self.seen.append(self)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")

    def do_CONNECT(self) -> None:
        """Refuse to open a tunnel."""
        self.seen.append(self)
        self.send_error(502)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


class Server(HTTPServer):
    """A server that does not log failed handshakes."""

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    """A local server."""
    Handler.seen = []
    with Server(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
        thread.start()
        yield httpd
        httpd.shutdown()
        thread.join()


@pytest.fixture
def authority() -> trustme.CA:
    """A certificate authority that is not trusted."""
    return trustme.CA()


@pytest.fixture
def address(server: Server, authority: trustme.CA) -> str:
    """URL of the server, with TLS and a certificate of this authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return f"https://127.0.0.1:{server.server_port}/"


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[GorgiasSession]:
    """The session under test, without settings in the environment."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    limiter = RateLimiter(FakeClock())
    with GorgiasSession(
        limiter, RunSummary(), user_agent="agent/1", timeout_seconds=5
    ) as session:
        yield session


def test_an_untrusted_certificate_is_rejected(
    address: str, session: GorgiasSession
) -> None:
    """The request and its credentials are not sent, and there is no retry."""
    with pytest.raises(TransportError, match="TLS connection failed") as failed:
        get(session, address)
    assert not failed.value.is_transient
    assert Handler.seen == []


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environment_can_name_ca_certificates(
    name: str,
    address: str,
    authority: trustme.CA,
    session: GorgiasSession,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The proxy of a company may need them."""
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
    """It can only name CA certificates."""
    monkeypatch.setenv(name, value)
    with pytest.raises(TransportError, match="TLS connection failed"):
        get(session, address)
    assert Handler.seen == []


@pytest.mark.parametrize(
    "name", ["verify", "verify_ssl", "ssl_verify", "insecure", "proxies", "cert"]
)
def test_no_setting_turns_verification_off(name: str) -> None:
    """Such a setting is unknown and rejected."""
    assert problems_of(**{name: False})[0].startswith(f"Setting `{name}` is unknown.")


def test_missing_ca_certificates_are_reported(
    address: str, session: GorgiasSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the variable, and there is no retry."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    with pytest.raises(TransportError, match="REQUESTS_CA_BUNDLE") as failed:
        get(session, address)
    assert not failed.value.is_transient


def test_a_proxy_sees_no_credentials(
    server: Server, session: GorgiasSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tap only requests a tunnel to Gorgias from it."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.server_port}")
    with pytest.raises(TransportError, match="proxy does not open"):
        get(session, "https://acme.gorgias.test/api/tickets", {"cursor": "x"})
    (request,) = Handler.seen
    assert (request.command, request.path) == ("CONNECT", "acme.gorgias.test:443")
    assert "Authorization" not in request.headers
    assert "planted" not in str(request.headers)


def test_a_connection_that_is_closed_in_the_handshake_is_transient(
    session: GorgiasSession,
) -> None:
    """A load balancer that restarts does this."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def close_early() -> None:
            connection, _ = listener.accept()
            connection.recv(1)
            connection.close()

        thread = threading.Thread(target=close_early)
        thread.start()
        with pytest.raises(TransportError) as failed:
            get(session, f"https://127.0.0.1:{listener.getsockname()[1]}/")
        thread.join()
    assert failed.value.is_transient


def test_a_server_without_tls_is_transient(
    server: Server, session: GorgiasSession
) -> None:
    """Only certificate errors are final."""
    with pytest.raises(TransportError, match="TLS") as failed:
        get(session, f"https://127.0.0.1:{server.server_port}/")
    assert failed.value.is_transient
