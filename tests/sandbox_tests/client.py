"""An HTTP client of the sandbox."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import requests

from tests.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox import Shop


class Client:
    """Sends requests to a sandbox with valid credentials."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.shop = sandbox.shop
        self.session = requests.Session()
        self.session.auth = (sandbox.config["email"], sandbox.config["api_key"])
        self.url = sandbox.url

    def get(self, path: str, **params: Any) -> requests.Response:
        """Send a request without following redirects."""
        return self.session.get(
            f"{self.url}/api/{path}", params=params, allow_redirects=False, timeout=5
        )

    def rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """Return the rows of all pages."""
        found: list[dict[str, Any]] = []
        while True:
            answer = self.get(path, **params).json()
            found += answer["data"]
            if not answer["meta"]["next_cursor"]:
                return found
            params["cursor"] = answer["meta"]["next_cursor"]

    def close(self) -> None:
        """Close the session."""
        self.session.close()


@contextmanager
def client_of(shop: Shop) -> Iterator[Client]:
    """Serve a shop and connect a client."""
    with Sandbox(shop) as sandbox, closing(Client(sandbox)) as client:
        yield client


def ids(rows: list[dict[str, Any]]) -> list[int]:
    """Return the ids of rows in their order."""
    return [row["id"] for row in rows]
