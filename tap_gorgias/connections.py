"""Connections that keep to themselves what goes over them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter

from tap_gorgias.compat import override

if TYPE_CHECKING:
    from urllib3 import HTTPConnectionPool, PoolManager, ProxyManager


class QuietAdapter(HTTPAdapter):
    """An adapter whose connections never print what they send or receive.

    The standard library prints headers to stdout, credentials included, while
    `http.client.HTTPConnection.debuglevel` is above 0.
    """

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _quieten(self.poolmanager)

    @override
    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> ProxyManager:
        is_new = proxy not in self.proxy_manager
        manager: ProxyManager = super().proxy_manager_for(proxy, **proxy_kwargs)
        if is_new:
            _quieten(manager)
        return manager


def _quieten(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {
        scheme: _quiet(pool) for scheme, pool in manager.pool_classes_by_scheme.items()
    }


def _quiet(pool: type[HTTPConnectionPool]) -> type[HTTPConnectionPool]:
    connection = type("QuietConnection", (pool.ConnectionCls,), {"debuglevel": 0})
    return type("QuietPool", (pool,), {"ConnectionCls": connection})
