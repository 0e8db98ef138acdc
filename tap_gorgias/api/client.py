"""Asks Gorgias for something on behalf of a stream."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_gorgias import timestamps
from tap_gorgias.api.auth import sign_in_with
from tap_gorgias.api.exchange import SUBDOMAIN_ADVICE, Exchange
from tap_gorgias.api.polling import until_ready
from tap_gorgias.api.retry import GIVE_UP_AFTER_SECONDS
from tap_gorgias.errors import NotReadyError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from requests.auth import AuthBase

    from tap_gorgias.api.budget import ApiBudget
    from tap_gorgias.api.transport import Answer
    from tap_gorgias.api.usage import RunSummary
    from tap_gorgias.clock import Clock
    from tap_gorgias.config.settings import Settings


@dataclass(frozen=True)
class Caller:
    """The stream that asks."""

    stream: str
    scope: str
    """OAuth2 scope, or permission of the API key's owner, that the stream needs."""


class Reply(NamedTuple):
    """What Gorgias answered."""

    value: Any
    """The decoded JSON."""
    now: str | None
    """The latest moment at which it can have been made, by Gorgias' clock."""


class GorgiasClient:
    """One for all streams, because they share the account's budget."""

    def __init__(
        self,
        settings: Settings,
        summary: RunSummary,
        clock: Clock,
        patience_seconds: float = GIVE_UP_AFTER_SECONDS,
    ) -> None:
        """Prepare; no request leaves yet.

        Args:
            settings: The checked settings.
            summary: Where requests, retries and waiting are counted.
            clock: Tells the time to the budget, to retries and to access tokens.
            patience_seconds: How long a failing request is tried again.
        """
        self._exchange = Exchange(settings, summary, clock, patience_seconds)
        self._sign_in = sign_in_with(settings.credentials, self._exchange)

    def get(
        self,
        path: str,
        params: Mapping[str, str | int | Sequence[str]],
        caller: Caller,
    ) -> Reply:
        """Read one thing from the API.

        Args:
            path: Path that begins with `/api/`.
            params: Query parameters; a sequence becomes a repeated key.
            caller: The stream that asks.

        Returns:
            What it answered.

        Raises:
            ApiError: If Gorgias refuses, or keeps failing for about five minutes.
            SignInError: If Gorgias gives no access token.
        """
        return self._retried(
            lambda signature: self._exchange.get(
                path, params, signature, caller.stream
            ),
            path,
            caller,
        )

    def post(
        self,
        path: str,
        params: Mapping[str, str | int | Sequence[str]],
        caller: Caller,
        body: Mapping[str, Any],
    ) -> Reply:
        """Read something that is asked for in a body.

        Args:
            path: Path that begins with `/api/`, of an endpoint that changes nothing.
            params: Query parameters; a sequence becomes a repeated key.
            caller: The stream that asks.
            body: What is asked for, sent as JSON.

        Returns:
            What it answered.

        Raises:
            ApiError: If Gorgias refuses, or keeps failing for about five minutes.
            SignInError: If Gorgias gives no access token.
        """

        def ask(signature: AuthBase) -> Answer:
            answer = self._exchange.post(
                path, signature, caller.stream, params=params, json=body
            )
            if answer.status == HTTPStatus.ACCEPTED:
                reason = "the answer is not ready."
                raise NotReadyError(
                    reason, stream=caller.stream, path=path, status=answer.status
                )
            return answer

        logger = logging.getLogger(f"tap-gorgias.{caller.stream}")
        return until_ready(
            lambda: self._retried(ask, path, caller),
            clock=self._exchange.clock,
            patience_seconds=self._exchange.patience_seconds,
            on_wait=lambda seconds: logger.info(
                "Gorgias is not ready. Asking again in %d s.", seconds
            ),
        )

    @property
    def has_answered(self) -> bool:
        """Whether an answer of this run came from Gorgias without doubt."""
        return self._exchange.has_answered

    @property
    def budget(self) -> ApiBudget:
        """What all requests to the account draw on."""
        return self._exchange.budget

    def close(self) -> None:
        """Close the connections."""
        self._exchange.close()

    def _retried(
        self, ask: Callable[[AuthBase], Answer], path: str, caller: Caller
    ) -> Reply:
        return self._exchange.retried(
            lambda: self._attempt(ask, path, caller), caller.stream
        )

    def _attempt(
        self, ask: Callable[[AuthBase], Answer], path: str, caller: Caller
    ) -> Reply:
        signature = self._sign_in.signature()
        answer = ask(signature)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            renewed = self._sign_in.renewed(signature)
            if renewed is not None:
                answer = ask(renewed)
        if answer.is_success:
            value = self._exchange.value(answer, path, caller.stream)
            return Reply(value, _latest(answer.date))
        advice = self._advice(answer.status, caller)
        raise self._exchange.refusal(answer, path, caller.stream, advice)

    def _advice(self, status: int, caller: Caller) -> str:
        if status == HTTPStatus.UNAUTHORIZED:
            return self._sign_in.unauthorized_advice
        if status == HTTPStatus.FORBIDDEN:
            return self._sign_in.forbidden_advice(caller.scope, caller.stream)
        return SUBDOMAIN_ADVICE if status == HTTPStatus.NOT_FOUND else ""


def _latest(date: datetime | None) -> str | None:
    """Add the second that the header's form cuts off."""
    try:
        return None if date is None else timestamps.render(date + timedelta(seconds=1))
    except OverflowError:
        return None
