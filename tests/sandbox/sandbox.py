"""The sandbox: an HTTP server over a generated shop, with switches for tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.utils import formatdate
from threading import RLock
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.sandbox import auth
from tests.sandbox.answers import Answer, Refusal, not_found
from tests.sandbox.api import find_endpoint, respond
from tests.sandbox.faults import Faults
from tests.sandbox.rows.people import SUBDOMAIN
from tests.sandbox.server import Server
from tests.sandbox.shop import Shop
from tests.sandbox.times import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    from tests.sandbox.limiter import Limiter

Phone = Literal["lists", "arrays", 403] | None

_USAGE_HEADER = "X-Gorgias-Account-Api-Call-Limit"
_NO_LIMIT = 100_000
_SECRET_HEADERS = {"authorization", "cookie"}


@dataclass(frozen=True)
class Request:
    """A request that was received; a status of 0 means that it got no answer."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]  # names in lower case; no credentials
    authorized: bool
    status: int = 0
    body: bytes = b""  # only of API requests; token requests contain credentials


Callback = Callable[[Shop, Request], None]
Rewrite = Callable[[Request, Answer], Answer]


class Sandbox:
    """A stand-in for the Gorgias API on a local port; `with` or `start` opens it.

    Args:
        shop: The data to serve; a small shop by default.
        limiter: The rate limit; none by default.
        latency: Seconds by which every answer is delayed.
        clock: Replaces the real clock of the limiter and of access tokens.
        forbidden: Endpoints, such as "events", that answer 403.
        phone: How the phone endpoints answer: like all other "lists", with bare
            "arrays", or as without phone support: 403, or 404 (None).
        token_lifetime: Seconds for which an OAuth access token is valid.
        port: The port; 0 takes any free one.
    """

    def __init__(
        self,
        shop: Shop | None = None,
        *,
        limiter: Limiter | None = None,
        latency: float = 0.0,
        clock: Callable[[], float] | None = None,
        forbidden: Iterable[str] = (),
        phone: Phone = "lists",
        token_lifetime: float = 86_400.0,
        port: int = 0,
    ) -> None:
        self.shop = shop or Shop()
        self.limiter = limiter
        if limiter and clock:
            limiter.clock = clock
        self.latency = latency
        self.forbidden = set(forbidden)
        self.phone = phone
        self.ignored: set[tuple[str, str]] = set()  # paths, and a parameter of each
        self.faults = Faults()
        self.auth = auth.Auth(token_lifetime, clock)
        self._callbacks: list[Callback] = []
        self._rewrites: list[Rewrite] = []
        self._requests: list[Request] = []
        self._generation = 0
        self._lock = RLock()
        self._server = Server(port, self._respond)

    def start(self) -> None:
        """Start serving."""
        self._server.start()

    def stop(self) -> None:
        """Stop serving and disconnect clients that are still waiting."""
        self._server.stop()

    def __enter__(self) -> Sandbox:  # noqa: PYI034 - Self needs Python 3.11
        """Start serving."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop serving."""
        self.stop()

    @property
    def url(self) -> str:
        """The base URL of the sandbox."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def config(self) -> dict[str, str]:
        """Settings of the tap for authentication with an API key."""
        return {
            "subdomain": SUBDOMAIN,
            "api_url": self.url,
            "email": auth.EMAIL,
            "api_key": self.auth.api_key,
        }

    @property
    def oauth_config(self) -> dict[str, str]:
        """Settings of the tap for authentication with OAuth."""
        return {
            "subdomain": SUBDOMAIN,
            "api_url": self.url,
            "client_id": auth.CLIENT_ID,
            "client_secret": self.auth.client_secret,
            "refresh_token": auth.REFRESH_TOKEN,
        }

    @property
    def requests(self) -> list[Request]:
        """All requests received since the start or the last reset."""
        with self._lock:
            return list(self._requests)

    def count(self, path_prefix: str | None = None, status: int | None = None) -> int:
        """Count the received requests, optionally by path prefix and status."""
        return sum(
            request.path.startswith(path_prefix or "")
            and status in {None, request.status}
            for request in self.requests
        )

    def reset_counters(self) -> None:
        """Forget all received requests."""
        with self._lock:
            self._requests.clear()

    def before_request(self, callback: Callback) -> None:
        """Register a callback that runs before each request is answered.

        It may change the shop or raise a `Refusal`.
        """
        self._callbacks.append(callback)

    def rewrite(self, rewrite: Rewrite) -> None:
        """Register a function that may replace the answer to any request."""
        self._rewrites.append(rewrite)

    def remove_callbacks(self) -> None:
        """Remove all registered callbacks and functions."""
        self._callbacks.clear()
        self._rewrites.clear()

    def expire_cursors(self) -> None:
        """Make all cursors issued so far answer 400."""
        self._generation += 1

    def _respond(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Answer a request and record it."""
        parts = urlsplit(target)
        request = Request(
            method,
            parts.path,
            parse_qs(parts.query, keep_blank_values=True),
            {name: headers[name] for name in headers if name not in _SECRET_HEADERS},
            self.auth.allows(headers.get("authorization", "")),
            body=body if parts.path.startswith("/api/") else b"",
        )
        usage, wait = f"0/{_NO_LIMIT}", None
        if self.limiter and parts.path.startswith("/api/"):
            used, wait = self.limiter.take()
            usage = f"{used}/{self.limiter.limit}"
        if self.latency:
            time.sleep(self.latency)
        if wait is not None:
            error = {"error": {"msg": "Too many requests."}}
            answer = Answer(429, error, headers={"Retry-after": str(wait)})
        else:
            answer = self._answer(request, parts.query, headers, body)
        for rewrite in self._rewrites:
            answer = rewrite(request, answer)
        if fault := self.faults.next(parts.path):
            answer = fault.spoil(answer)
        now = formatdate(self.shop.timestamp // SECOND, usegmt=True)
        headers_sent = {"Date": now} | answer.headers
        if parts.path.startswith("/api/"):
            headers_sent = {_USAGE_HEADER: usage} | headers_sent
        answer = replace(answer, headers=headers_sent)
        sent = answer.status if answer.wire in {"whole", "cut"} else 0
        with self._lock:
            self._requests.append(replace(request, status=sent))
        return answer

    def _answer(
        self, request: Request, echo: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Answer a request that the rate limit has admitted."""
        if signed_in := self.auth.answer(
            (request.method, request.path),
            request.query,
            headers.get("authorization", ""),
            body.decode(errors="replace"),
            self.shop.timestamp // SECOND,
        ):
            return signed_in
        with self.shop.lock:
            try:
                for callback in self._callbacks:
                    callback(self.shop, request)
                name = self._check(request)
                query, echo = self._without_ignored(request, echo)
                answer = respond(
                    self.shop, request.path, query, echo, self._generation, body
                )
            except Refusal as refusal:
                return refusal.answer()
        is_list = isinstance(answer.payload, dict) and "data" in answer.payload
        if name.startswith("phone/") and self.phone == "arrays" and is_list:
            return replace(answer, payload=answer.payload["data"])
        return answer

    def _without_ignored(
        self, request: Request, echo: str
    ) -> tuple[dict[str, list[str]], str]:
        """Remove the parameters that the sandbox is configured to ignore."""
        ignored = {name for path, name in self.ignored if path == request.path}
        if not ignored:
            return request.query, echo
        query = {n: texts for n, texts in request.query.items() if n not in ignored}
        return query, urlencode(query, doseq=True)

    def _check(self, request: Request) -> str:
        """Return the endpoint; refuse what would write or has no permission."""
        if not request.authorized:
            raise auth.unauthorized()
        name, endpoint, _ = find_endpoint(request.path)
        if request.method != endpoint.method:
            raise Refusal(405, "The specified HTTP method is not allowed.")
        is_phone = name.startswith("phone/")
        if name in self.forbidden or (is_phone and self.phone == 403):
            raise auth.forbidden()
        if is_phone and self.phone is None:
            raise not_found()
        return name
