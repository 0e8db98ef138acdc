"""Requests without a stream, and a server without a shop."""

from __future__ import annotations

import contextlib
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import requests
from requests.auth import HTTPBasicAuth

from tap_gorgias.api.limiter import RateLimiter
from tap_gorgias.api.session import GorgiasSession
from tap_gorgias.api.usage import RunSummary
from tap_gorgias.compat import override

if TYPE_CHECKING:
    from collections.abc import Iterator

    import trustme

    from tap_gorgias.clock import Clock

AUTH = HTTPBasicAuth("ann@acme.test", "planted-key")


class Server(HTTPServer):
    """A local server that keeps the requests, and knows an answer for each path."""

    answers: dict[str, tuple[int, dict[str, str], bytes]]
    seen: list[BaseHTTPRequestHandler]

    @property
    def host(self) -> str:
        """Address and port."""
        return f"127.0.0.1:{self.server_port}"

    def encrypt(self, authority: trustme.CA) -> None:
        """Use a certificate of an authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        self.socket = context.wrap_socket(self.socket, server_side=True)

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log no failed handshakes."""


class Handler(BaseHTTPRequestHandler):
    """Answers by path, or with an empty list; opens no tunnel."""

    server: Server

    def do_GET(self) -> None:
        """Answer."""
        self.server.seen.append(self)
        path = self.path.partition("?")[0]
        status, headers, body = self.server.answers.get(path, (200, {}, b"[]"))
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_CONNECT(self) -> None:
        """Refuse to open a tunnel."""
        self.server.seen.append(self)
        self.send_error(502)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


@contextlib.contextmanager
def serving(**answers: tuple[int, dict[str, str], bytes]) -> Iterator[Server]:
    """Run a server with an answer for each name of a path."""
    with Server(("127.0.0.1", 0), Handler) as server:
        server.answers = {f"/{name}": answer for name, answer in answers.items()}
        server.seen = []
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def session_of(clock: Clock) -> GorgiasSession:
    """Return a session with a limiter of its own."""
    return GorgiasSession(RateLimiter(clock), RunSummary(), "agent/1")


def get(
    session: GorgiasSession, url: str, params: dict[str, Any] | None = None
) -> requests.Response:
    """Send a signed request, which is counted for the stream `tags`."""
    request = requests.Request("GET", url, params=params, auth=AUTH)
    prepared = session.prepare_request(request)
    return session.send(prepared, stream_name="tags", timeout=5)
