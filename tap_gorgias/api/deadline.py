"""Connections that no server can hold for ever, and that show nothing of what they do.

A read timeout notices silence only. An answer that trickles needs an end of its own.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter

from tap_gorgias.compat import override

if TYPE_CHECKING:
    from types import TracebackType

    from urllib3 import HTTPConnectionPool, PoolManager, ProxyManager


class Deadline:
    """Cuts off the answer to a request of this thread when its time is up.

    The time begins when a connection is made or used, so that waiting for the budget
    does not count.
    """

    def __init__(self, seconds: float) -> None:
        """Start no time yet.

        Args:
            seconds: The longest time for connecting and the whole answer.
        """
        self.passed = False
        """Whether the answer was cut off; what was read of it is not whole then."""
        self._timer = threading.Timer(seconds, self._pass)
        self._timer.daemon = True
        self._connection: http.client.HTTPConnection | None = None
        self._socket: socket.socket | None = None

    def __enter__(self) -> Deadline:  # noqa: PYI034 (Self needs Python 3.11)
        """Watch the connections that this thread uses."""
        self._token = _CURRENT.set(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the connection alone from now on."""
        _CURRENT.reset(self._token)
        self._timer.cancel()

    def watch(self, connection: http.client.HTTPConnection) -> None:
        """Begin the time, unless it has begun.

        Args:
            connection: What is about to connect or to receive.
        """
        self._connection = connection
        # A connection that is to close forgets its socket before the body is read.
        self._socket = connection.sock
        if self._timer.ident is None:
            self._timer.start()

    def _pass(self) -> None:
        self.passed = True
        sock = self._socket or (self._connection and self._connection.sock)
        if sock:
            with contextlib.suppress(OSError, TypeError):
                # The shutdown of a TLS socket is not made for a second thread.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


_CURRENT: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


class _Response(http.client.HTTPResponse):
    @override
    def begin(self) -> None:
        super().begin()
        # Nobody needs them, and the standard library prints a traceback at some.
        del self.headers["Set-Cookie"]


class _Guarded(http.client.HTTPConnection):
    # The standard library prints headers to stdout, credentials included, if it is set.
    debuglevel = 0
    response_class = _Response

    @override
    def connect(self) -> None:
        self._tell()
        super().connect()

    @override
    def getresponse(self) -> Any:
        self._tell()
        return super().getresponse()

    def _tell(self) -> None:
        if (deadline := _CURRENT.get()) is not None:
            deadline.watch(self)


class GuardedAdapter(HTTPAdapter):
    """An adapter that makes such connections, through any proxy as well."""

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _guard(self.poolmanager)

    @override
    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> ProxyManager:
        is_new = proxy not in self.proxy_manager
        manager: ProxyManager = super().proxy_manager_for(proxy, **proxy_kwargs)
        if is_new:
            _guard(manager)
        return manager


def _guard(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {
        scheme: _guarded(pool)
        for scheme, pool in manager.pool_classes_by_scheme.items()
    }


def _guarded(pool: type[HTTPConnectionPool]) -> type[HTTPConnectionPool]:
    connection = type("GuardedConnection", (_Guarded, pool.ConnectionCls), {})
    return type("GuardedPool", (pool,), {"ConnectionCls": connection})
