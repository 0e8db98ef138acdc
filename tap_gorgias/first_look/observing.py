"""Remembers what was asked and what Gorgias answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tap_gorgias.api.client import GorgiasClient
from tap_gorgias.compat import override
from tap_gorgias.errors import ApiError, TransientApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tap_gorgias.api.client import Caller, Reply
    from tap_gorgias.api.usage import RunSummary
    from tap_gorgias.clock import Clock
    from tap_gorgias.config.settings import Settings

    Params = Mapping[str, str | int | Sequence[str]]

PATIENCE_SECONDS = 30.0
"""How long a failing request is tried again: somebody is waiting for the table."""


class Observation(NamedTuple):
    """A request, and what came of it."""

    path: str
    params: Params
    query: Mapping[str, Any]
    """What a report was asked for; empty for a list."""
    value: Any = None
    """The decoded JSON; None after a refusal."""
    refusal: ApiError | None = None


class ObservedClient(GorgiasClient):
    """Keeps all observations, and asks for no page a second time."""

    def __init__(self, settings: Settings, summary: RunSummary, clock: Clock) -> None:
        """Prepare; no request leaves yet.

        Args:
            settings: The checked settings.
            summary: Where requests are counted.
            clock: Tells the time.
        """
        super().__init__(settings, summary, clock, PATIENCE_SECONDS)
        self._observations: list[Observation] = []
        self._replies: dict[str, Reply | ApiError] = {}

    def take(self) -> Sequence[Observation]:
        """Return what was observed since the last call."""
        taken, self._observations = self._observations, []
        return taken

    @override
    def get(self, path: str, params: Params, caller: Caller) -> Reply:
        get = super().get
        request = f"{path} {sorted(params.items())}"

        def ask() -> Reply:
            if request not in self._replies:
                try:
                    self._replies[request] = get(path, params, caller)
                except TransientApiError:
                    raise
                except ApiError as error:
                    self._replies[request] = error
            reply = self._replies[request]
            if isinstance(reply, ApiError):
                raise reply
            return reply

        return self._observed(ask, Observation(path, params, {}))

    @override
    def post(
        self, path: str, params: Params, caller: Caller, body: Mapping[str, Any]
    ) -> Reply:
        post = super().post
        asked = Observation(path, params, body["query"])
        return self._observed(lambda: post(path, params, caller, body), asked)

    def _observed(self, ask: Callable[[], Reply], asked: Observation) -> Reply:
        try:
            reply = ask()
        except ApiError as error:
            self._observations.append(asked._replace(refusal=error))
            raise
        self._observations.append(asked._replace(value=reply.value))
        return reply
