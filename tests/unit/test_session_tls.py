"""Tests of TLS, certificates and proxies."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest
import trustme

from tap_gorgias.api.session import TransportError
from tests.support.configs import problems_of
from tests.support.fake_clock import FakeClock
from tests.support.http import Server, get, serving, session_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tap_gorgias.api.session import GorgiasSession


@pytest.fixture
def server() -> Iterator[Server]:
    """A local server."""
    with serving() as server:
        yield server


@pytest.fixture
def authority() -> trustme.CA:
    """A certificate authority that is not trusted."""
    return trustme.CA()


@pytest.fixture
def address(server: Server, authority: trustme.CA) -> str:
    """URL of the server, with TLS and a certificate of this authority."""
    server.encrypt(authority)
    return f"https://{server.host}/"


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[GorgiasSession]:
    """The session under test, without settings in the environment."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    with session_of(FakeClock()) as session:
        yield session


def test_an_untrusted_certificate_is_rejected(
    server: Server, address: str, session: GorgiasSession
) -> None:
    """The request and its credentials are not sent, and there is no retry."""
    with pytest.raises(TransportError, match="TLS connection failed") as failed:
        get(session, address)
    assert not failed.value.is_transient
    assert server.seen == []


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
    server: Server,
    address: str,
    session: GorgiasSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It can only name CA certificates."""
    monkeypatch.setenv(name, value)
    with pytest.raises(TransportError, match="TLS connection failed"):
        get(session, address)
    assert server.seen == []


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
    monkeypatch.setenv("HTTPS_PROXY", f"http://{server.host}")
    with pytest.raises(TransportError, match="proxy does not open"):
        get(session, "https://acme.gorgias.test/api/tickets", {"cursor": "x"})
    (request,) = server.seen
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
        get(session, f"https://{server.host}/")
    assert failed.value.is_transient
