"""Connections that keep to themselves what goes over them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from tap_gorgias.compat import override

if TYPE_CHECKING:
    from urllib3 import PoolManager, ProxyManager


class _QuietConnection(HTTPConnection):
    # Above 0, the standard library prints headers to stdout, credentials included.
    debuglevel = 0


class _QuietTlsConnection(HTTPSConnection):
    debuglevel = 0


class _Pool(HTTPConnectionPool):
    ConnectionCls = _QuietConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _QuietTlsConnection


class QuietAdapter(HTTPAdapter):
    """An adapter whose connections never print what they send or receive."""

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _quieten(self.poolmanager)

    @override
    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> ProxyManager:
        manager: ProxyManager = super().proxy_manager_for(proxy, **proxy_kwargs)
        _quieten(manager)
        return manager


def _quieten(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
