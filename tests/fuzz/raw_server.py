"""A server that sends any bytes, at any speed."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

from tests.sandbox.rows.people import SUBDOMAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    Script = Callable[[], Iterable[bytes]]


class RawServer:
    """Responds to each request with the bytes of a script and closes the connection."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._stopped = threading.Event()

    @property
    def config(self) -> dict[str, str]:
        """Return the settings of the tap for this server."""
        return {
            "subdomain": SUBDOMAIN,
            "api_url": f"http://127.0.0.1:{self._socket.getsockname()[1]}",
            "email": "ann@acme.test",
            "api_key": "key-of-ann",
        }

    def __enter__(self) -> RawServer:  # noqa: PYI034 (Self needs Python 3.11)
        """Start the server."""
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the server."""
        self._stopped.set()
        self._socket.close()

    def pause(self, seconds: float) -> bool:
        """Wait, and return whether the server is still running."""
        return not self._stopped.wait(seconds)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(
                    target=self._respond, args=(connection,), daemon=True
                ).start()

    def _respond(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                if not (part := connection.recv(65_536)):
                    return
                head += part
            self.requests.append(head)
            for part in self.script():
                connection.sendall(part)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)


def response(
    body: bytes = b'{"data": [{"id": 1}]}',
    *headers: bytes,
    status: bytes = b"200 OK",
    length: bytes | None = None,
    keep_alive: bool = False,
) -> bytes:
    """Return a whole response, with `Connection: close` unless it is kept alive."""
    lines = [b"HTTP/1.1 " + status, *headers]
    if not keep_alive:
        lines.append(b"Connection: close")
    if length != b"":
        lines.append(b"Content-Length: " + (length or b"%d" % len(body)))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
