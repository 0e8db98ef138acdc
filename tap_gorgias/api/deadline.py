"""Connections with a deadline for each response.

A read timeout only limits the time between two reads. A response that arrives one byte
at a time needs a deadline as well.
"""

from __future__ import annotations

import http.client
import io
import time
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter

from tap_gorgias.compat import override

if TYPE_CHECKING:
    import socket

    from urllib3 import HTTPConnectionPool, PoolManager, ProxyManager

MAX_TIMEOUTS_PER_RESPONSE = 10
"""Deadline of a response, in read timeouts of its connection."""


class DeadlineError(Exception):
    """The response was still incomplete at its deadline."""


class _DeadlineReader(io.RawIOBase):
    """Reads from a socket until a deadline."""

    def __init__(self, raw: io.RawIOBase, seconds: float) -> None:
        self._raw = raw
        self._deadline = time.monotonic() + seconds

    @override
    def readable(self) -> bool:
        return True

    @override
    def fileno(self) -> int:
        return self._raw.fileno()

    @override
    def readinto(self, buffer: Any) -> int | None:
        if time.monotonic() > self._deadline:
            raise DeadlineError
        return self._raw.readinto(buffer)

    @override
    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        timeout = sock.gettimeout()
        if timeout is not None:
            raw = self.fp.detach()
            reader = _DeadlineReader(raw, timeout * MAX_TIMEOUTS_PER_RESPONSE)
            self.fp = io.BufferedReader(reader)

    @override
    def begin(self) -> None:
        super().begin()
        # The tap needs no cookies, and `http.cookiejar` prints a traceback for some.
        del self.headers["Set-Cookie"]


class _Connection(http.client.HTTPConnection):
    # A nonzero level makes `http.client` print headers, with credentials, to stdout.
    debuglevel = 0
    response_class = _Response


class DeadlineAdapter(HTTPAdapter):
    """An adapter whose connections have deadlines, also those through proxies."""

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _replace_connections(self.poolmanager)

    @override
    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> ProxyManager:
        is_new = proxy not in self.proxy_manager
        manager: ProxyManager = super().proxy_manager_for(proxy, **proxy_kwargs)
        if is_new:
            _replace_connections(manager)
        return manager


def _replace_connections(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {
        scheme: _pool_class(pool)
        for scheme, pool in manager.pool_classes_by_scheme.items()
    }


def _pool_class(pool: type[HTTPConnectionPool]) -> type[HTTPConnectionPool]:
    connection = type("DeadlineConnection", (_Connection, pool.ConnectionCls), {})
    return type("DeadlinePool", (pool,), {"ConnectionCls": connection})
