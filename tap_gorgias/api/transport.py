"""The one way to the network: budget, timeouts, size limit, no redirects."""

from __future__ import annotations

import email.utils
import math
import threading
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
)

from tap_gorgias.api.deadline import Deadline, GuardedAdapter
from tap_gorgias.compat import override

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from requests.auth import AuthBase

    from tap_gorgias.api.budget import ApiBudget

CONNECT_TIMEOUT_SECONDS = 10
LONGEST_ANSWER_TIMEOUTS = 10
"""An answer that never falls silent is cut off after so many times the timeout."""

CONNECTIONS = 32
"""More than requests can be in flight: 8 streams, one of them with 8 children."""

MAX_BODY_BYTES = 64 * 1024 * 1024
CALL_LIMIT_HEADER = "X-Gorgias-Account-Api-Call-Limit"
TOO_MANY_REQUESTS = 429
LONGEST_PAUSE_SECONDS = 300.0
"""Whoever asks for more is asked again after this time, when retrying ends too."""

_CHUNK_BYTES = 256 * 1024


class TransportError(Exception):
    """No usable answer came. The text is safe to print."""

    def __init__(self, message: str, *, transient: bool = True) -> None:
        """Say what went wrong.

        Args:
            message: What went wrong, without address or credentials.
            transient: Whether another try may help.
        """
        super().__init__(message)
        self.transient = transient


@dataclass(frozen=True)
class Answer:
    """What came back for one request."""

    status: int
    body: bytes
    date: datetime | None
    """When it was made by Gorgias' clock, cut to the second; None if it is not said."""

    @property
    def is_success(self) -> bool:
        """Whether the request was granted."""
        return self.status in range(200, 300)

    @property
    def is_redirect(self) -> bool:
        """Whether the answer is to be found elsewhere."""
        return self.status in range(300, 400)


class BudgetedAdapter(GuardedAdapter):
    """Sends a request when the budget lets it, and tells the budget how it went."""

    def __init__(self, budget: ApiBudget, timeout_seconds: float) -> None:
        """Take the budget of the account.

        Args:
            budget: Shared by all requests to the account.
            timeout_seconds: Longest silence before and within an answer.
        """
        super().__init__(pool_maxsize=CONNECTIONS)
        self._budget = budget
        self._timeout = (CONNECT_TIMEOUT_SECONDS, timeout_seconds)
        self._of_thread = threading.local()

    @property
    def waited_seconds(self) -> float:
        """How long the budget held back the last request of this thread."""
        return getattr(self._of_thread, "waited_seconds", 0.0)

    def send_for(self, stream_name: str) -> None:
        """Tell for which stream this thread sends its next requests."""
        self._of_thread.stream_name = stream_name

    @override
    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        if not request.url or not request.url.lower().startswith("https:"):
            # Plain HTTP is for this machine, and must not leave it through a proxy.
            proxies = None
        permit = self._budget.acquire(getattr(self._of_thread, "stream_name", ""))
        self._of_thread.waited_seconds = permit.waited_seconds
        try:
            response = super().send(
                request, stream, self._timeout, verify, cert, proxies
            )
        except BaseException:
            self._budget.release(permit, None)
            raise
        call_limit = response.headers.get(CALL_LIMIT_HEADER)
        if response.status_code == TOO_MANY_REQUESTS:
            seconds = retry_after_seconds(response.headers)
            pause = seconds and min(seconds, LONGEST_PAUSE_SECONDS)
            self._budget.refuse(permit, call_limit, pause)
        else:
            self._budget.release(permit, call_limit)
        return response


class _Session(requests.Session):
    """Looks at no redirect: where it leads is in the server's hands."""

    @override
    def get_redirect_target(self, resp: requests.Response) -> None:
        # Even a redirect that is not followed would be read whole, whatever its size.
        return None


class Transport:
    """One connection pool for all streams."""

    def __init__(
        self,
        *,
        budget: ApiBudget,
        user_agent: str,
        timeout_seconds: float,
    ) -> None:
        """Open nothing yet: connections are made with the first request.

        Args:
            budget: Request budget of the account.
            user_agent: Value of the User-Agent header.
            timeout_seconds: Longest silence before and within an answer.
        """
        self._timeout_seconds = timeout_seconds
        self._adapter = BudgetedAdapter(budget, timeout_seconds)
        self._session = _Session()
        self._session.headers.update(
            {"Accept": "application/json", "User-Agent": user_agent}
        )
        self._session.mount("https://", self._adapter)
        self._session.mount("http://", self._adapter)

    @property
    def waited_seconds(self) -> float:
        """How long the budget held back the last request of this thread."""
        return self._adapter.waited_seconds

    def send_for(self, stream_name: str) -> None:
        """Tell for which stream this thread sends its next requests."""
        self._adapter.send_for(stream_name)

    def get(
        self,
        url: str,
        params: Mapping[str, str | int | Sequence[str]],
        auth: AuthBase,
    ) -> Answer:
        """Send a GET request and read the whole answer.

        Args:
            url: Address without a query.
            params: Query parameters; a sequence becomes a repeated key.
            auth: Signs the request; nothing in the environment can take its place.

        Returns:
            The answer, whatever its status; a redirect is not followed.

        Raises:
            TransportError: When no whole answer came.
        """
        return self._ask("GET", url, auth, params=params)

    def post(self, url: str, auth: AuthBase, **content: Any) -> Answer:
        """Send a POST request and read the whole answer.

        Args:
            url: Address without a query.
            auth: Signs the request; nothing in the environment can take its place.
            content: Fields of a form (`data`), or a body (`json`) and `params`.

        Returns:
            The answer, whatever its status; a redirect is not followed.

        Raises:
            TransportError: When no whole answer came.
        """
        return self._ask("POST", url, auth, **content)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _ask(self, method: str, url: str, auth: AuthBase, **content: Any) -> Answer:
        with Deadline(self._timeout_seconds * LONGEST_ANSWER_TIMEOUTS) as deadline:
            try:
                answer = self._answer(method, url, auth, **content)
            except (HTTPError, OSError, ValueError) as error:
                if not deadline.passed:
                    raise self._explained(error) from None
        if deadline.passed:
            raise TransportError(_ENDLESS)
        return answer

    def _answer(self, method: str, url: str, auth: AuthBase, **content: Any) -> Answer:
        with self._session.request(
            method, url, auth=auth, stream=True, allow_redirects=False, **content
        ) as response:
            date = _http_date(response.headers.get("Date"))
            return Answer(response.status_code, _read(response), date)

    def _explained(self, error: Exception) -> TransportError:
        """Put a lower library's failure in words; its own text shows the address."""
        if isinstance(error, requests.exceptions.SSLError):
            return TransportError("the TLS connection was refused.", transient=False)
        if isinstance(error, (requests.ConnectTimeout, requests.exceptions.ProxyError)):
            return TransportError("no connection could be made.")
        cause = getattr(error.args[0] if error.args else None, "reason", None)
        if isinstance(cause, NameResolutionError):
            return TransportError("the host name was not found. Is `subdomain` right?")
        if isinstance(cause, (NewConnectionError, ConnectTimeoutError)):
            return TransportError("no connection could be made.")
        if isinstance(error, requests.Timeout):
            return TransportError(f"no answer within {self._timeout_seconds} s.")
        undisguised = not isinstance(error, (requests.RequestException, HTTPError))
        if isinstance(error, OSError) and undisguised:
            return TransportError(_NO_CERTIFICATES, transient=False)
        broken = (
            requests.ConnectionError,
            requests.exceptions.ChunkedEncodingError,
            requests.exceptions.ContentDecodingError,
        )
        if isinstance(error, broken) or not isinstance(
            error, requests.RequestException
        ):
            return TransportError(
                "the connection broke before the answer was complete."
            )
        name = type(error).__name__
        return TransportError(f"the request is not possible ({name}).", transient=False)


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Read how long a 429 asks to wait (reference/limitations).

    Args:
        headers: Headers of the answer, looked up without regard to case. The header
            holds whole seconds or an HTTP date, which is compared with the answer's
            own `Date` because clocks differ.

    Returns:
        Seconds, never negative; None when the header is absent or unreadable.
    """
    value = headers.get("Retry-After")
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        until, now = _http_date(value), _http_date(headers.get("Date"))
        if until is None:
            return None
        seconds = (until - (now or datetime.now(timezone.utc))).total_seconds()
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _http_date(value: str | None) -> datetime | None:
    try:
        moment = email.utils.parsedate_to_datetime(value or "")
        moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
        return moment.astimezone(timezone.utc)
    except (IndexError, OverflowError, TypeError, ValueError):
        return None


def _read(response: requests.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(_CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            message = f"the answer is larger than {MAX_BODY_BYTES // 2**20} MB."
            raise TransportError(message, transient=False)
    return bytes(body)


_NO_CERTIFICATES = (
    "the file of trusted certificates that REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names "
    "cannot be read."
)
_ENDLESS = "the answer trickled in for too long."
