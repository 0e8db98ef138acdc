"""Any bytes of a server, at any speed, end within limits of time and memory."""

from __future__ import annotations

import gc
import gzip
import itertools
import os
import subprocess
import sys
import time
import zlib
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_gorgias.api import session
from tests.fuzz.examples import BRIEF, examples
from tests.fuzz.invariants import run_and_check
from tests.fuzz.raw_server import RawServer, response
from tests.support.cases import table
from tests.support.runs import Files, small_catalog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# requests leaves the socket of a rejected response open until garbage collection.
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)

ROW = b'{"data": [{"id": 1}]}'
CHUNKED = b"Transfer-Encoding: chunked"
USAGE = b"X-Gorgias-Account-Api-Call-Limit: "
CONNECTION_LOST = "the connection was lost before the response was complete."
NOT_JSON = "the body is not JSON."

ACCEPTED: dict[str, bytes] = {
    "status 299": response(status=b"299 Odd"),
    "BOM": response(b"\xef\xbb\xbf" + ROW),
    "invalid UTF-8": response(ROW.replace(b"{", b'{"name": "\xff\x01", ', 1)),
    "UTF-16": response(ROW.decode().encode("utf-16")),
    "no Content-Length": response(length=b""),
    "a large call limit": response(ROW, USAGE + b"999999/1"),
    "a negative call limit": response(ROW, USAGE + b"-5/-9"),
    "an invalid call limit": response(ROW, USAGE + b"NaN/\xb2"),
    "a huge call limit": response(ROW, USAGE + b"9" * 5000 + b"/1"),
    "the latest Date": response(ROW, b"Date: Fri, 31 Dec 9999 23:59:59 GMT"),
    "a Date out of range": response(ROW, b"Date: Fri, 31 Dec 9999 23:59:59 -2359"),
    "the earliest Date": response(ROW, b"Date: Mon, 01 Jan 0001 00:00:00 +2359"),
    "a Date with large numbers": response(ROW, b"Date: Mon, 1 Jan " + b"9" * 4000),
    "an invalid Date": response(ROW, b"Date: \xff\x00\xb2"),
    "cookies": response(
        ROW, b"Set-Cookie: \xff=\x01; expires=x; max-age=" + b"9" * 500
    ),
    "a header without a colon": response(ROW, b"nonsense", b"X-Token: planted"),
    "a header on several lines": response(ROW, b"X: a\r\n b"),
    "an unknown encoding": response(ROW, b"Content-Encoding: rot13"),
}
"""Unusual responses whose rows are read."""

REJECTED: dict[str, tuple[bytes, str]] = {
    "no bytes": (b"", CONNECTION_LOST),
    "not HTTP": (b"\x16\x03\x01 hello\r\n\r\n", CONNECTION_LOST),
    "invalid status": (response(status=b"OK"), CONNECTION_LOST),
    "status 99": (response(status=b"99 Low"), CONNECTION_LOST),
    "status 1000": (response(status=b"1000 High"), CONNECTION_LOST),
    "status 199": (response(status=b"199 Odd"), "answered 199"),
    "status 204": (
        b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
        "answered 204",
    ),
    "status 418": (response(status=b"418 Teapot"), "answered 418"),
    "status 600": (response(status=b"600 Odd"), "answered 600"),
    "status 999": (response(status=b"999 Odd"), "answered 999"),
    "empty body": (response(b""), NOT_JSON),
    "HTML": (
        response(b"<html>kept between us</html>"),
        "response is a web page.",
    ),
    "truncated body": (response(ROW[:9]), NOT_JSON),
    "10,000 levels": (response(b"[" * 10_000 + b"]" * 10_000), "without its key"),
    "100,000 levels": (response(b'{"a":' * 100_000), NOT_JSON),
    "Content-Length too large": (response(length=b"999"), CONNECTION_LOST),
    "Content-Length too small": (response(length=b"5"), NOT_JSON),
    "two Content-Length headers": (
        response(ROW, b"Content-Length: 7"),
        "(InvalidHeader)",
    ),
    "invalid gzip": (response(ROW, b"Content-Encoding: gzip"), CONNECTION_LOST),
    "truncated gzip": (
        response(gzip.compress(ROW)[:15], b"Content-Encoding: gzip"),
        NOT_JSON,
    ),
    "invalid deflate": (response(ROW, b"Content-Encoding: deflate"), CONNECTION_LOST),
    "50 encodings": (
        response(ROW, b"Content-Encoding: " + b", ".join([b"gzip"] * 50)),
        CONNECTION_LOST,
    ),
    "invalid chunks": (response(ROW, CHUNKED, length=b""), CONNECTION_LOST),
    "negative chunk": (
        response(b"-5\r\nhello\r\n", CHUNKED, length=b""),
        CONNECTION_LOST,
    ),
    "huge chunk": (
        response(b"F" * 40 + b"\r\n{}", CHUNKED, length=b""),
        CONNECTION_LOST,
    ),
    "no last chunk": (response(b"2\r\n{}\r\n", CHUNKED, length=b""), CONNECTION_LOST),
    "thousands of headers": (
        response(ROW, *(b"X-%d: y" % number for number in range(5000))),
        CONNECTION_LOST,
    ),
    "a header of 1 MB": (response(ROW, b"X: " + b"y" * 2**20), CONNECTION_LOST),
}
"""Responses that fail the run, and the reason in the error."""

LOCATIONS: dict[str, bytes] = {
    "another host": b"https://evil.test/api/tags",
    "this host": b"/api/tags",
    "invalid URL": b"http://[::",
    "invalid UTF-8": b"\xff\xfe",
    "a script": b"javascript:alert(1)",
    "empty": b"",
    "a long path": b"/" * 60_000,
}

RETRY_AFTER: list[bytes] = [
    *(b"-1", b"9" * 400, b"1e308", b"nan", b"-inf", b"\xb2", b"", b"\x00", b"soon"),
    b"Fri, 31 Dec 9999 23:59:59 -2359",
    b"Mon, 01 Jan 0001 00:00:00 +2359",
]


@pytest.fixture(autouse=True)
def _collect_garbage() -> Iterator[None]:
    """Collect garbage, so that other tests see no warnings about sockets."""
    yield
    gc.collect()


@table(ACCEPTED)
def test_an_unusual_response_loses_no_row(
    case: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """The tap ignores invalid values that it does not need, and shows no header."""
    with RawServer(lambda: [case]) as server:
        outcome = run_and_check(server.config, "tags")

    assert outcome.errors == []
    assert outcome.output.ids("tags") == [1]
    assert "planted" not in caplog.text


@table(REJECTED)
def test_an_invalid_response_is_reported_in_one_line(case: tuple[bytes, str]) -> None:
    """The line names the stream and the path, and shows nothing of the body."""
    sent, problem = case
    with RawServer(lambda: [sent]) as server:
        outcome = run_and_check(server.config, "tags")

    assert len(outcome.errors) == 1
    assert "/api/tags " in outcome.errors[0]
    assert problem in outcome.errors[0]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@table(LOCATIONS)
def test_no_redirect_is_followed(case: bytes, status: int) -> None:
    """Any `Location` is ignored, and credentials are sent to no other host."""
    redirect = response(b"", b"Location: " + case, status=b"%d Moved" % status)
    with RawServer(lambda: [redirect]) as server:
        outcome = run_and_check(server.config, "tags")

    assert f"answered {status}" in outcome.errors[0]
    assert [one.split()[1] for one in server.requests[1:]] == [b"/api/account"]


@pytest.mark.parametrize("value", RETRY_AFTER)
def test_no_retry_after_delays_the_tap_forever(value: bytes) -> None:
    """The delay is limited to a few minutes."""
    busy = response(b"{}", b"Retry-After: " + value, status=b"429 Too Many Requests")
    responses = iter([busy])
    with RawServer(lambda: [next(responses, response())]) as server:
        outcome = run_and_check(server.config, "tags")

    assert outcome.errors == []
    assert sum(outcome.output.clock.sleeps) < 310


@pytest.mark.parametrize("used", [0, 1, 40, 41, 999_999])
@pytest.mark.parametrize("limit", [1, 2, 40, 999_999])
def test_no_call_limit_delays_the_tap_forever(used: int, limit: int) -> None:
    """The limit applies to 20 seconds, so no request waits longer."""
    page = '{"data": [], "meta": {"next_cursor": "%d"}}'
    usage = USAGE + b"%d/%d" % (used, limit)
    bodies = itertools.chain((page % n).encode() for n in range(3))
    last = b'{"data": [{"id": 1}], "meta": {"next_cursor": null}}'
    with RawServer(lambda: [response(next(bodies, last), usage)]) as server:
        outcome = run_and_check(server.config, "tags")

    assert outcome.errors == []
    assert sum(outcome.output.clock.sleeps) <= 3 * 21


@given(
    head=st.binary(max_size=60),
    body=st.binary(max_size=60) | st.just(ROW),
    chunked=st.booleans(),
)
@examples(25)
def test_any_bytes_are_loaded_or_end_the_run(
    *, head: bytes, body: bytes, chunked: bool
) -> None:
    """Both the headers and the body may contain any bytes."""
    headers = [head, CHUNKED] if chunked else [head]
    with RawServer(lambda: [response(body, *headers)]) as server:
        outcome = run_and_check(server.config, "tags")

    assert len(outcome.errors) == 1 or outcome.output.ids("tags") == [1]


def drip(server: RawServer, first: bytes, part: bytes) -> Iterator[bytes]:
    """Send a part every hundredth of a second until the server stops."""
    yield first
    while server.pause(0.01):
        yield part


SLOW_RESPONSES: dict[str, tuple[bytes, bytes]] = {
    "body, keep-alive": (response(b"[", length=b"99999", keep_alive=True), b" "),
    "body, Connection: close": (response(b"[", length=b"99999"), b" "),
    "body, no Content-Length": (response(b"[", length=b""), b" "),
    "chunks": (response(b"", CHUNKED, length=b""), b"1\r\n \r\n"),
    "redirect": (
        response(b"", b"Location: /", status=b"302 Found", length=b"9999"),
        b" ",
    ),
}


@table(SLOW_RESPONSES)
def test_an_endless_slow_response_ends_with_an_error(
    case: tuple[bytes, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The read timeout does not detect it, because some bytes always arrive."""
    monkeypatch.setattr(session, "MAX_TIMEOUTS_PER_BODY", 0.3)
    server = RawServer(lambda: drip(server, *case))
    with server:
        started = time.monotonic()
        outcome = run_and_check({**server.config, "request_timeout_seconds": 1}, "tags")

    (error,) = outcome.errors
    assert "/api/tags failed: the response took too long." in error
    assert time.monotonic() - started < 5


@cache
def compressed(wbits: int, megabytes: int = 400) -> bytes:
    """Return compressed spaces."""
    packer = zlib.compressobj(1, wbits=wbits)
    parts = [packer.compress(b" " * 2**20) for _ in range(megabytes)]
    return b"".join([*parts, packer.flush()])


def compressed_response(status: bytes, *headers: bytes) -> bytes:
    """Return a response whose body is 400 MB compressed with gzip."""
    encoding = b"Content-Encoding: gzip"
    return response(compressed(GZIP), encoding, *headers, status=status)


GZIP, DEFLATE = 31, 15
LARGE_RESPONSES: dict[str, Callable[[], list[bytes]]] = {
    "100 MB": lambda: [response(b" " * 100 * 2**20)],
    "no Content-Length": lambda: [response(b"", length=b""), *[b" " * 2**20] * 100],
    "Content-Length of exabytes": lambda: [
        response(b" " * 66 * 2**20, length=b"9" * 18)
    ],
    "gzip": lambda: [compressed_response(b"200 OK")],
    "deflate": lambda: [response(compressed(DEFLATE), b"Content-Encoding: deflate")],
    "gzip in gzip": lambda: [
        response(gzip.compress(compressed(GZIP)), b"Content-Encoding: gzip, gzip")
    ],
    "an error": lambda: [compressed_response(b"400 Bad Request")],
    "a redirect": lambda: [compressed_response(b"301 Moved", b"Location: /api/tags")],
}

MEASURED = """
import atexit, re, sys
from pathlib import Path
from tap_gorgias.tap import TapGorgias

def measure():
    # ru_maxrss of getrusage() would include the process before exec.
    status = Path("/proc/self/status").read_text()
    peak.write_text(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1])

peak = Path(sys.argv.pop(1))
atexit.register(measure)
TapGorgias.cli()
"""
BRIEF_SELECTION = ("100 MB", "gzip in gzip", "an error")


def variables(config: dict[str, str]) -> dict[str, str]:
    """Return settings as environment variables."""
    return {f"TAP_GORGIAS_{name.upper()}": text for name, text in config.items()}


@table(
    LARGE_RESPONSES
    if not BRIEF
    else {name: LARGE_RESPONSES[name] for name in BRIEF_SELECTION}
)
def test_a_large_response_is_rejected_within_bounded_memory(
    case: Callable[[], list[bytes]], tmp_path: Path
) -> None:
    """The limit of 64 MB applies to the decompressed body."""
    catalog = Files(tmp_path).write("catalog", small_catalog("tags"))
    command = [sys.executable, "-c", MEASURED, str(tmp_path / "peak"), "--config=ENV"]
    with RawServer(case) as server:
        result = subprocess.run(  # noqa: S603 (our own command)
            [*command, "--catalog", str(catalog)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **variables(server.config)},
        )

    errors = [line for line in result.stderr.splitlines() if "ERROR" in line]
    assert result.returncode == 1
    assert len(errors) == 2  # when it occurs, and of the run
    assert "/api/tags failed: the response is larger than 64 MB." in errors[0]
    assert "Traceback" not in result.stderr
    assert int((tmp_path / "peak").read_text()) < 250 * 1024
