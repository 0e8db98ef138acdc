"""The HTTP server, which parses requests and sends answers."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, cast

from tests.sandbox.compat import override

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.sandbox.answers import Answer

    Responder = Callable[[str, str, Mapping[str, str], bytes], Answer]

_NO_LINGER = struct.pack("ii", 1, 0)  # makes close() reset the connection


class Handler(BaseHTTPRequestHandler):
    """Serves one connection, which may carry any number of requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def answer_request(self) -> None:
        """Read a request and answer it."""
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size) if size else b""
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._send(self.server.respond(self.command, self.path, headers, body))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer_request  # noqa: N815
    do_HEAD = do_OPTIONS = answer_request  # noqa: N815

    def _send(self, answer: Answer) -> None:
        """Send an answer with a single write."""
        if answer.wire == "hang":
            self.connection.recv(1)  # returns when either side closes
            self.close_connection = True
            return
        if answer.wire == "reset":
            self._reset()
            return
        content = answer.content()
        lines = [
            f"HTTP/1.1 {answer.status} {responses.get(answer.status, 'Unknown')}",
            f"Content-Type: {answer.content_type}",
            f"Content-Length: {len(content)}",
            *(f"{name}: {value}" for name, value in answer.headers.items()),
        ]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        if answer.wire == "cut":
            self.close_connection = True
            content = content[: len(content) // 2]
        if self.command == "HEAD":
            content = b""
        self.wfile.write(head + content)

    def _reset(self) -> None:
        """Close the connection with a TCP reset."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.rfile.close()
        self.connection.close()

    @override
    def log_message(self, *_: Any) -> None:
        """Log nothing."""


class Server(ThreadingHTTPServer):
    """Listens on a port, with a thread for every connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, respond: Responder) -> None:
        """Bind the port; 0 selects a free one."""
        self.respond = respond
        self._connections: set[socket.socket] = set()
        self._workers: set[Thread] = set()
        self._lock = Lock()
        super().__init__(("127.0.0.1", port), Handler)
        self._thread = Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    def start(self) -> None:
        """Serve in a background thread."""
        self._thread.start()

    def stop(self) -> None:
        """Close all connections and wait for their threads."""
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        self.server_close()
        with self._lock:
            connections, workers = list(self._connections), list(self._workers)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for worker in workers:
            worker.join(1)

    @override
    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Serve a connection in a thread that `stop` can end."""
        worker = Thread(target=self._work, args=(request, client_address), daemon=True)
        with self._lock:
            self._connections.add(request)
            self._workers.add(worker)
        worker.start()

    def _work(self, request: socket.socket, client_address: tuple[str, int]) -> None:
        """Serve a connection until it is closed."""
        try:
            self.process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._connections.discard(request)
                self._workers = {one for one in self._workers if one.is_alive()}

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Report errors other than disconnected clients."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(cast("socket.socket", request), client_address)
