"""Requests without a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests
from requests.auth import HTTPBasicAuth

if TYPE_CHECKING:
    from tap_gorgias.api.session import GorgiasSession

AUTH = HTTPBasicAuth("ann@acme.test", "planted-key")


def get(
    session: GorgiasSession, url: str, params: dict[str, Any] | None = None
) -> requests.Response:
    """Send a signed request, which is counted for the stream `tags`."""
    request = requests.Request("GET", url, params=params, auth=AUTH)
    return session.send(session.prepare_request(request), stream_name="tags")
