"""One request goes out and one answer comes in; failures have safe words."""

from __future__ import annotations

import base64
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st
from requests.auth import HTTPBasicAuth
from requests.structures import CaseInsensitiveDict

from tap_gorgias.api.budget import ApiBudget
from tap_gorgias.api.responses import retry_after_seconds
from tap_gorgias.api.session import (
    MAX_PAUSE_SECONDS,
    GorgiasSession,
    TransportError,
)
from tap_gorgias.api.usage import RunSummary
from tap_gorgias.compat import override
from tests.support.cases import table
from tests.support.fake_clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator

AUTH = HTTPBasicAuth("ann@acme.test", "planted-key")
DATE = "Wed, 21 Oct 2026 07:28:00 GMT"

RETRY_AFTER: dict[str, tuple[dict[str, str], float | None]] = {
    "whole seconds": ({"Retry-After": "5"}, 5.0),
    "other spelling": ({"retry-after": "5"}, 5.0),
    "as Gorgias spells it": ({"Retry-after": "5"}, 5.0),
    "spaces": ({"Retry-After": " 5 "}, 5.0),
    "fraction": ({"Retry-After": "1.5"}, 1.5),
    "zero": ({"Retry-After": "0"}, 0.0),
    "negative": ({"Retry-After": "-5"}, 0.0),
    "date ahead of Date": (
        {"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT", "Date": DATE},
        30.0,
    ),
    "date with offset": (
        {"Retry-After": "Wed, 21 Oct 2026 09:28:30 +0200", "Date": DATE},
        30.0,
    ),
    "date behind Date": (
        {"Retry-After": "Wed, 21 Oct 2026 07:27:00 GMT", "Date": DATE},
        0.0,
    ),
    "past date without Date": ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
    "past date with rubbish as Date": (
        {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT", "Date": "x"},
        0.0,
    ),
    "absent": ({"Date": DATE}, None),
    "empty": ({"Retry-After": ""}, None),
    "rubbish": ({"Retry-After": "soon"}, None),
    "no such date": ({"Retry-After": "Wed, 41 Oct 2026 07:28:30 GMT"}, None),
    "not a number": ({"Retry-After": "nan"}, None),
    "infinity": ({"Retry-After": "inf"}, None),
    "too large a number": ({"Retry-After": "9" * 400}, None),
}


class Handler(BaseHTTPRequestHandler):
    """Answers by the path, and remembers who asked how."""

    seen: list[BaseHTTPRequestHandler]

    def do_GET(self) -> None:
        """Answer."""
        self.seen.append(self)
        status, headers, body = ANSWERS[self.path.partition("?")[0]]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


ANSWERS: dict[str, tuple[int, dict[str, str], bytes]] = {
    "/ok": (200, {"X-Gorgias-Account-Api-Call-Limit": "0/80"}, b"[]"),
    "/busy": (429, {"Retry-after": "27"}, b"{}"),
    "/very-busy": (429, {"Retry-after": "86400"}, b"{}"),
    "/moved": (301, {"Location": "/ok"}, b""),
    "/cut": (200, {"Content-Length": "100"}, b'{"data": ['),
    "/no-gzip": (200, {"Content-Encoding": "gzip"}, b"no gzip at all"),
}


@pytest.fixture
def server() -> Iterator[str]:
    """Answer on a port of this machine."""
    Handler.seen = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


@pytest.fixture
def clock() -> FakeClock:
    """Tell and pass the time of the budget."""
    return FakeClock()


@pytest.fixture
def summary() -> RunSummary:
    """Count requests."""
    return RunSummary()


@pytest.fixture
def session(clock: FakeClock, summary: RunSummary) -> Iterator[GorgiasSession]:
    """Make requests."""
    budget = ApiBudget(clock)
    with GorgiasSession(
        budget, summary, user_agent="agent/1", timeout_seconds=5
    ) as session:
        yield session


def get(
    session: GorgiasSession, url: str, params: dict[str, Any] | None = None
) -> requests.Response:
    """Send a signed request for a stream."""
    request = requests.Request("GET", url, params=params, auth=AUTH)
    return session.send(session.prepare_request(request), stream_name="tags")


@table(RETRY_AFTER)
def test_how_long_to_wait_is_read_in_all_its_forms(
    case: tuple[dict[str, str], float | None],
) -> None:
    """Never negative; nothing where nothing can be read."""
    headers, seconds = case
    assert retry_after_seconds(CaseInsensitiveDict(headers)) == seconds


@given(
    st.text()
    | st.from_regex(
        r"[A-Z][a-z]{2}, [0-9]{1,3} [A-Z][a-z]{2} [0-9]{1,12} .*", fullmatch=True
    )
    | st.from_regex(
        r"[0-9]{1,2} Oct [0-9]{1,6} [0-9:]{1,12} [+-][0-9]{1,9}", fullmatch=True
    )
)
@example("0 OCT 0 0:3000000000 0")
@example("0 OCT 0:3000000000 0")
def test_any_header_is_read_or_ignored(value: str) -> None:
    """A proxy's odd header does not end the run."""
    seconds = retry_after_seconds({"Retry-After": value, "Date": DATE})
    assert seconds is None or 0 <= seconds < float("inf")


def test_a_request_carries_its_signature_agent_and_parameters(
    server: str, session: GorgiasSession
) -> None:
    """A sequence becomes a repeated key."""
    answer = get(session, f"{server}/ok", {"limit": 100, "types": ("a", "b c")})
    (request,) = Handler.seen
    assert (answer.status_code, answer.content) == (200, b"[]")
    assert request.path == "/ok?limit=100&types=a&types=b+c"
    assert request.headers["User-Agent"] == "agent/1"
    assert request.headers["Accept"] == "application/json"
    signature = base64.b64encode(b"ann@acme.test:planted-key").decode()
    assert request.headers["Authorization"] == f"Basic {signature}"


def test_a_redirect_is_not_followed(server: str, session: GorgiasSession) -> None:
    """It might lead credentials elsewhere, or to another ticket."""
    assert get(session, f"{server}/moved").status_code == 301
    assert len(Handler.seen) == 1


def test_the_budget_learns_from_the_answer(
    server: str, session: GorgiasSession, clock: FakeClock, summary: RunSummary
) -> None:
    """The limit is 80, of which 60 may leave at once; 30 before that was known."""
    for _ in range(60):
        get(session, f"{server}/ok")
    assert clock.sleeps == []
    assert summary.streams["tags"].waited_seconds == 0


@pytest.mark.parametrize(
    ("path", "seconds"), [("/busy", 27.0), ("/very-busy", MAX_PAUSE_SECONDS)]
)
def test_a_429_holds_the_next_request_back(
    path: str,
    seconds: float,
    server: str,
    session: GorgiasSession,
    clock: FakeClock,
    summary: RunSummary,
) -> None:
    """As long as Gorgias asks and up to a second more, but not for a day."""
    assert get(session, f"{server}{path}").status_code == 429
    assert clock.sleeps == []
    get(session, f"{server}/ok")
    assert seconds <= sum(clock.sleeps) <= seconds + 1
    waited = summary.streams["tags"].waited_seconds
    assert waited == pytest.approx(sum(clock.sleeps))


@pytest.mark.parametrize("path", ["/cut", "/no-gzip"])
def test_a_broken_answer_may_be_asked_for_again(
    path: str, server: str, session: GorgiasSession
) -> None:
    """Half an answer is none."""
    with pytest.raises(
        TransportError, match="before the answer was complete"
    ) as broken:
        get(session, f"{server}{path}", {"cursor": "private"})
    assert broken.value.is_transient


def test_a_server_that_is_not_there_may_be_asked_again(session: GorgiasSession) -> None:
    """The words show neither address nor credentials."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(TransportError) as failed:
            get(session, f"http://127.0.0.1:{port}/x", {"cursor": "private"})
    assert str(failed.value) == "no connection could be made."
    assert failed.value.is_transient
    assert failed.value.__suppress_context__
