"""Asks Gorgias for something on behalf of a stream: tries again, explains failures."""

from __future__ import annotations

import logging
from base64 import b64encode
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_gorgias import timestamps
from tap_gorgias.auth import authentication
from tap_gorgias.budget import ApiBudget
from tap_gorgias.decoding import TooDeepError, decode, said
from tap_gorgias.errors import ApiError, TransientApiError
from tap_gorgias.retry import retried
from tap_gorgias.transport import Transport, TransportError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from tap_gorgias.clock import Clock
    from tap_gorgias.settings import Settings
    from tap_gorgias.summary import RunSummary

_ADVICE: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "Check `email` and `api_key`.",
    HTTPStatus.NOT_FOUND: "Is `subdomain` right?",
}


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

    def __init__(self, settings: Settings, summary: RunSummary, clock: Clock) -> None:
        """Prepare; no request leaves yet.

        Args:
            settings: The checked settings.
            summary: Where requests, retries and waiting are counted.
            clock: Tells the time to the budget and to retries.
        """
        self._clock = clock
        self._api_url = settings.api_url
        basic = f"{settings.email}:{settings.api_key}".encode()
        self._secrets = (
            b64encode(basic).decode(),
            settings.api_key,
            settings.email,
        )
        self._summary = summary
        self._transport = Transport(
            auth=authentication(settings),
            budget=ApiBudget(self._clock, settings.rate_limit_percent),
            user_agent=settings.user_agent,
            timeout_seconds=settings.request_timeout_seconds,
        )

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
        """
        logger = logging.getLogger(f"tap-gorgias.{caller.stream}")

        def on_retry(error: TransientApiError, seconds: float) -> None:
            self._summary.count(caller.stream, retries=1)
            logger.warning("%s Trying again in %.1f s.", error, seconds)

        return retried(
            lambda: self._attempt(path, params, caller),
            clock=self._clock,
            on_retry=on_retry,
        )

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def _attempt(
        self,
        path: str,
        params: Mapping[str, str | int | Sequence[str]],
        caller: Caller,
    ) -> Reply:
        self._summary.count(caller.stream, requests=1)
        try:
            answer = self._transport.get(f"{self._api_url}{path}", params)
        except TransportError as error:
            kind = TransientApiError if error.transient else ApiError
            raise kind(str(error), stream=caller.stream, path=path) from None
        finally:
            waited = self._transport.waited_seconds
            self._summary.count(caller.stream, waited_seconds=waited)
        if answer.status == HTTPStatus.OK:
            try:
                return Reply(decode(answer.body), _latest(answer.date))
            except TooDeepError as error:
                raise ApiError(str(error), stream=caller.stream, path=path) from None
            except ValueError:
                reason = "the body is not JSON."
                raise TransientApiError(
                    reason, stream=caller.stream, path=path, status=answer.status
                ) from None
        raise self._refusal(answer.status, answer.body, path, caller)

    def _refusal(self, status: int, body: bytes, path: str, caller: Caller) -> ApiError:
        reason = said(body)
        for secret in self._secrets:
            reason = reason.replace(secret, "***")
        transient = (
            status == HTTPStatus.TOO_MANY_REQUESTS
            or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        )
        kind = TransientApiError if transient else ApiError
        advice = _ADVICE.get(status, "")
        if status == HTTPStatus.FORBIDDEN:
            advice = (
                f"The stream needs the permission `{caller.scope}`: grant it, or "
                f"deselect the stream `{caller.stream}`."
            )
        return kind(
            reason, stream=caller.stream, path=path, status=status, advice=advice
        )


def _latest(date: datetime | None) -> str | None:
    """Add the second that the header's form cuts off."""
    try:
        return None if date is None else timestamps.render(date + timedelta(seconds=1))
    except OverflowError:
        return None
