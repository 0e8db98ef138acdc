"""How requests are signed: with an API key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from requests.auth import AuthBase, HTTPBasicAuth

if TYPE_CHECKING:
    from tap_gorgias.settings import Settings


def authentication(settings: Settings) -> AuthBase:
    """Choose the way of signing in that the settings give.

    Args:
        settings: The checked settings.

    Returns:
        What signs each request (docs/access-tokens-api-keys).
    """
    return HTTPBasicAuth(settings.email, settings.api_key)
