"""One request to Gorgias and its answer: counted, tried again, failures explained."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from tap_gorgias.api.budget import ApiBudget
from tap_gorgias.api.redaction import OwnSecrets
from tap_gorgias.api.retry import GIVE_UP_AFTER_SECONDS, Outage, retried
from tap_gorgias.api.transport import Transport, TransportError
from tap_gorgias.errors import ApiError, TransientApiError
from tap_gorgias.records.decoding import TooDeepError, decode, error_message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from requests.auth import AuthBase

    from tap_gorgias.api.transport import Answer
    from tap_gorgias.api.usage import RunSummary
    from tap_gorgias.clock import Clock
    from tap_gorgias.config.settings import Settings

SUBDOMAIN_ADVICE = "Is `subdomain` right?"

T = TypeVar("T")


class Exchange:
    """The way to Gorgias for whoever can sign a request."""

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
            clock: Tells the time to the budget and to retries.
            patience_seconds: How long a failing request is tried again.
        """
        self.secrets = OwnSecrets()
        """What no error may show."""
        self.clock = clock
        self.patience_seconds = patience_seconds
        self.has_answered = False
        """Whether an answer of this run came from Gorgias without doubt."""
        self._api_url = settings.api_url
        self._summary = summary
        self._outage = Outage()
        self.budget = ApiBudget(clock, settings.rate_limit_percent)
        self._transport = Transport(
            budget=self.budget,
            user_agent=settings.user_agent,
            timeout_seconds=settings.request_timeout_seconds,
        )

    def get(
        self,
        path: str,
        params: Mapping[str, str | int | Sequence[str]],
        auth: AuthBase,
        asker: str,
    ) -> Answer:
        """Send a GET request.

        Args:
            path: Path that begins with a slash.
            params: Query parameters; a sequence becomes a repeated key.
            auth: Signs the request.
            asker: For whom it is counted: a stream, or `sign-in`.

        Returns:
            The answer, whatever its status.

        Raises:
            ApiError: When none came.
        """
        url = f"{self._api_url}{path}"
        return self._answer(lambda: self._transport.get(url, params, auth), path, asker)

    def post(self, path: str, auth: AuthBase, asker: str, **content: Any) -> Answer:
        """Send a POST request.

        Args:
            path: Path that begins with a slash.
            auth: Signs the request.
            asker: For whom it is counted.
            content: Fields of a form (`data`), or a body (`json`) and `params`.

        Returns:
            The answer, whatever its status.

        Raises:
            ApiError: When none came.
        """
        url = f"{self._api_url}{path}"
        return self._answer(
            lambda: self._transport.post(url, auth, **content), path, asker
        )

    def retried(self, attempt: Callable[[], T], asker: str) -> T:
        """Try again until patience ends, and tell it.

        Args:
            attempt: What to try. It raises `TransientApiError` to be tried again.
            asker: For whom retries are counted.

        Returns:
            What the attempt returned.

        Raises:
            TransientApiError: The last failure, when time is up.
        """
        logger = logging.getLogger(f"tap-gorgias.{asker}")

        def on_retry(error: TransientApiError, seconds: float) -> None:
            self._summary.count(asker, retries=1)
            logger.warning("%s Trying again in %.1f s.", error, seconds)

        return retried(
            attempt,
            clock=self.clock,
            outage=self._outage,
            on_retry=on_retry,
            patience_seconds=self.patience_seconds,
        )

    def value(self, answer: Answer, path: str, asker: str) -> Any:  # noqa: ANN401
        """Read the JSON of a good answer.

        Args:
            answer: A success.
            path: Path of the request.
            asker: Who asked.

        Returns:
            The decoded JSON.

        Raises:
            TransientApiError: If it is none: a proxy's page, half of an answer.
            ApiError: If it is nested too deeply. If it is a web page, and nothing
                else has come in this run.
        """
        try:
            value = decode(answer.body)
        except TooDeepError as error:
            raise ApiError(str(error), stream=asker, path=path) from None
        except ValueError:
            if not self.has_answered and answer.body.lstrip().startswith(b"<"):
                reason = "the answer is a web page."
                raise ApiError(
                    reason,
                    stream=asker,
                    path=path,
                    status=answer.status,
                    advice=SUBDOMAIN_ADVICE,
                ) from None
            reason = "the body is not JSON."
            raise TransientApiError(
                reason, stream=asker, path=path, status=answer.status
            ) from None
        self.has_answered = True
        return value

    def refusal(self, answer: Answer, path: str, asker: str, advice: str) -> ApiError:
        """Put a bad answer in words, without the tap's credentials.

        Args:
            answer: An answer that is no success.
            path: Path of the request.
            asker: Who asked.
            advice: What the user can do about it.

        Returns:
            The error to raise.
        """
        transient = (
            answer.status == HTTPStatus.TOO_MANY_REQUESTS
            or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        )
        if answer.body.lstrip().startswith(b"{"):
            # A web server on the way refuses with web pages.
            self.has_answered = True
        if answer.is_redirect and not self.has_answered:
            advice = SUBDOMAIN_ADVICE
        kind = TransientApiError if transient else ApiError
        return kind(
            error_message(answer.body, self.secrets.masked),
            stream=asker,
            path=path,
            status=answer.status,
            advice=advice,
        )

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def _answer(self, ask: Callable[[], Answer], path: str, asker: str) -> Answer:
        self._summary.count(asker, requests=1)
        self._transport.send_for(asker)
        try:
            return ask()
        except TransportError as error:
            kind = TransientApiError if error.transient else ApiError
            raise kind(str(error), stream=asker, path=path) from None
        finally:
            waited = self._transport.waited_seconds
            self._summary.count(asker, waited_seconds=waited)
