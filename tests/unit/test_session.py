"""Tests of the HTTP session against a local server."""

from __future__ import annotations

import base64
import socket
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from requests import Request
from requests.structures import CaseInsensitiveDict

from tap_gorgias.api.session import (
    MAX_PAUSE_SECONDS,
    TransportError,
    retry_after_seconds,
)
from tests.support.cases import table
from tests.support.fake_clock import FakeClock
from tests.support.http import Server, get, serving, session_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_gorgias.api.session import GorgiasSession

DATE = "Wed, 21 Oct 2026 07:28:00 GMT"

RETRY_AFTER: dict[str, tuple[dict[str, str], float | None]] = {
    "whole seconds": ({"Retry-After": "5"}, 5.0),
    "lower case": ({"retry-after": "5"}, 5.0),
    "spelling of Gorgias": ({"Retry-after": "5"}, 5.0),
    "spaces": ({"Retry-After": " 5 "}, 5.0),
    "fraction": ({"Retry-After": "1.5"}, 1.5),
    "zero": ({"Retry-After": "0"}, 0.0),
    "negative": ({"Retry-After": "-5"}, 0.0),
    "date after Date": (
        {"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT", "Date": DATE},
        30.0,
    ),
    "date with offset": (
        {"Retry-After": "Wed, 21 Oct 2026 09:28:30 +0200", "Date": DATE},
        30.0,
    ),
    "date before Date": (
        {"Retry-After": "Wed, 21 Oct 2026 07:27:00 GMT", "Date": DATE},
        0.0,
    ),
    "past date without Date": ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
    "past date with invalid Date": (
        {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT", "Date": "x"},
        0.0,
    ),
    "absent": ({"Date": DATE}, None),
    "empty": ({"Retry-After": ""}, None),
    "invalid": ({"Retry-After": "soon"}, None),
    "impossible date": ({"Retry-After": "Wed, 41 Oct 2026 07:28:30 GMT"}, None),
    "not a number": ({"Retry-After": "nan"}, None),
    "infinity": ({"Retry-After": "inf"}, None),
    "number out of range": ({"Retry-After": "9" * 400}, None),
}


ANSWERS = {
    "ok": (200, {"X-Gorgias-Account-Api-Call-Limit": "0/80"}, b"[]"),
    "busy": (429, {"Retry-after": "27"}, b"{}"),
    "very-busy": (429, {"Retry-after": "86400"}, b"{}"),
    "moved": (301, {"Location": "/ok"}, b""),
    "cut": (200, {"Content-Length": "100"}, b'{"data": ['),
    "invalid-gzip": (200, {"Content-Encoding": "gzip"}, b"not gzip"),
}


@pytest.fixture
def server() -> Iterator[Server]:
    """A local server."""
    with serving(**ANSWERS) as server:
        yield server


@pytest.fixture
def clock() -> FakeClock:
    """The clock of the limiter."""
    return FakeClock()


@pytest.fixture
def session(clock: FakeClock) -> Iterator[GorgiasSession]:
    """The session under test."""
    with session_of(clock) as session:
        yield session


@table(RETRY_AFTER)
def test_retry_after_is_parsed_in_all_formats(
    case: tuple[dict[str, str], float | None],
) -> None:
    """The result is never negative, and None if the header is missing or invalid."""
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
def test_any_header_is_parsed_or_ignored(value: str) -> None:
    """An invalid header of a proxy does not end the run."""
    seconds = retry_after_seconds({"Retry-After": value, "Date": DATE})
    assert seconds is None or 0 <= seconds < float("inf")


def test_a_request_has_credentials_user_agent_and_parameters(
    server: Server, session: GorgiasSession
) -> None:
    """A sequence becomes a repeated parameter."""
    response = get(
        session, f"http://{server.host}/ok", {"limit": 100, "types": ("a", "b c")}
    )
    (request,) = server.seen
    assert (response.status_code, response.content) == (200, b"[]")
    assert request.path == "/ok?limit=100&types=a&types=b+c"
    assert request.headers["User-Agent"] == "agent/1"
    assert request.headers["Accept"] == "application/json"
    signature = base64.b64encode(b"ann@acme.test:planted-key").decode()
    assert request.headers["Authorization"] == f"Basic {signature}"


def test_a_redirect_is_not_followed(server: Server, session: GorgiasSession) -> None:
    """It could send credentials to another host, or return another ticket."""
    assert get(session, f"http://{server.host}/moved").status_code == 301
    assert len(server.seen) == 1


def test_the_budget_takes_the_limit_from_the_response(
    server: Server, session: GorgiasSession, clock: FakeClock
) -> None:
    """A limit of 80 allows a burst of 60; the initial limit would allow 30."""
    for _ in range(60):
        get(session, f"http://{server.host}/ok")
    assert clock.sleeps == []


@pytest.mark.parametrize(
    ("path", "seconds"), [("busy", 27.0), ("very-busy", MAX_PAUSE_SECONDS)]
)
def test_a_429_delays_the_next_request(
    path: str,
    seconds: float,
    server: Server,
    session: GorgiasSession,
    clock: FakeClock,
) -> None:
    """The delay is the requested time plus up to one second, but never a day."""
    assert get(session, f"http://{server.host}/{path}").status_code == 429
    assert clock.sleeps == []
    get(session, f"http://{server.host}/ok")
    assert seconds <= sum(clock.sleeps) <= seconds + 1


@pytest.mark.parametrize("path", ["cut", "invalid-gzip"])
def test_an_incomplete_response_is_transient(
    path: str, server: Server, session: GorgiasSession
) -> None:
    """The request can be retried."""
    with pytest.raises(
        TransportError, match="before the response was complete"
    ) as failed:
        get(session, f"http://{server.host}/{path}", {"cursor": "private"})
    assert failed.value.is_transient


def test_a_refused_connection_is_transient(session: GorgiasSession) -> None:
    """The message contains neither the URL nor credentials."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(TransportError) as failed:
            get(session, f"http://127.0.0.1:{port}/x", {"cursor": "private"})
    assert str(failed.value) == "the connection could not be established."
    assert failed.value.is_transient
    assert failed.value.__suppress_context__


def test_the_seconds_without_a_response_are_rounded(session: GorgiasSession) -> None:
    """The rest of the time for the first contact has many digits."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x"
        request = session.prepare_request(Request("GET", url))
        with pytest.raises(TransportError, match=r"no response within 0\.3 s\."):
            session.send(request, timeout=0.2999)
