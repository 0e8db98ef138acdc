"""A server that answers from memory, so that only the client's time is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

from tests.sandbox.answers import Answer
from tests.sandbox.server import Server

_FREE = {"X-Gorgias-Account-Api-Call-Limit": "0/100000"}

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from tests.sandbox import Sandbox


class Replay:
    """A proxy of a sandbox that requests everything once and caches the answers.

    Args:
        sandbox: The source of the answers, which must be running and not change.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._answers: dict[str, Answer] = {}
        self._session = requests.Session()
        self._session.trust_env = False
        self._server = Server(0, self._respond)

    @property
    def config(self) -> dict[str, Any]:
        """Settings of the tap."""
        address = f"http://127.0.0.1:{self._server.server_address[1]}"
        return {**self._sandbox.config, "api_url": address}

    def __enter__(self) -> Replay:  # noqa: PYI034 - Self needs Python 3.11
        """Start serving."""
        self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop serving."""
        self._server.stop()
        self._session.close()

    def _respond(
        self, method: str, target: str, headers: Mapping[str, str], _body: bytes
    ) -> Answer:
        if target not in self._answers:
            auth = {"Authorization": headers["authorization"]}
            url = self._sandbox.url + target
            answer = self._session.request(method, url, headers=auth, timeout=60)
            self._answers[target] = Answer(
                answer.status_code, body=answer.content, headers=_FREE
            )
        return self._answers[target]
