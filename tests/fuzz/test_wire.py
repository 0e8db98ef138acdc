"""Whatever comes over the wire, and at whatever speed: it ends, within bounds."""

from __future__ import annotations

import gc
import gzip
import itertools
import os
import subprocess
import sys
import time
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_gorgias.api import deadline
from tests.fuzz.promise import kept, small_catalog
from tests.fuzz.runs import BRIEF, examples
from tests.fuzz.wire import Wire, answer
from tests.support.cases import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# What requests refuses it does not close; the socket goes with the garbage.
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)

ROW = b'{"data": [{"id": 1}]}'
CHUNKED = b"Transfer-Encoding: chunked"
USAGE = b"X-Gorgias-Account-Api-Call-Limit: "
BROKEN = "the connection was lost before the response was complete."
NO_JSON = "the body is not JSON."
DEEP = "nested more than 200 levels deep."

LOADED: dict[str, bytes] = {
    "status 299": answer(status=b"299 Odd"),
    "BOM": answer(b"\xef\xbb\xbf" + ROW),
    "UTF-16": answer(ROW.decode().encode("utf-16")),
    "no Content-Length": answer(length=b""),
    "a call limit of days": answer(ROW, USAGE + b"999999/1"),
    "a negative call limit": answer(ROW, USAGE + b"-5/-9"),
    "a call limit of no numbers": answer(ROW, USAGE + b"NaN/\xb2"),
    "a huge call limit": answer(ROW, USAGE + b"9" * 5000 + b"/1"),
    "Date at the end of time": answer(ROW, b"Date: Fri, 31 Dec 9999 23:59:59 GMT"),
    "Date beyond it": answer(ROW, b"Date: Fri, 31 Dec 9999 23:59:59 -2359"),
    "Date of the first year": answer(ROW, b"Date: Mon, 01 Jan 0001 00:00:00 +2359"),
    "Date with absurd numbers": answer(ROW, b"Date: Mon, 1 Jan " + b"9" * 4000),
    "Date that is none": answer(ROW, b"Date: \xff\x00\xb2"),
    "cookies": answer(ROW, b"Set-Cookie: \xff=\x01; expires=x; max-age=" + b"9" * 500),
    "a header without colon": answer(ROW, b"nonsense"),
    "a header on several lines": answer(ROW, b"X: a\r\n b"),
    "an unknown encoding": answer(ROW, b"Content-Encoding: rot13"),
}
"""Rubbish that does no harm."""

REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", BROKEN),
    "no HTTP": (b"\x16\x03\x01 hello\r\n\r\n", BROKEN),
    "no status": (answer(status=b"OK"), BROKEN),
    "status 99": (answer(status=b"99 Low"), BROKEN),
    "status 1000": (answer(status=b"1000 High"), BROKEN),
    "status 199": (answer(status=b"199 Odd"), "answered 199"),
    "status 204": (
        b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
        "answered 204",
    ),
    "status 418": (answer(status=b"418 Teapot"), "answered 418"),
    "status 600": (answer(status=b"600 Odd"), "answered 600"),
    "status 999": (answer(status=b"999 Odd"), "answered 999"),
    "empty": (answer(b""), NO_JSON),
    "HTML": (answer(b"<html>kept between us</html>"), "response is a web page."),
    "no UTF-8": (answer(b'{"data": [{"name": "\xff\xfe\xfa"}]}'), NO_JSON),
    "half": (answer(ROW[:9]), NO_JSON),
    "10,000 levels": (answer(b"[" * 10_000 + b"]" * 10_000), DEEP),
    "100,000 levels": (answer(b'{"a":' * 100_000), DEEP),
    "too long a length": (answer(length=b"999"), BROKEN),
    "too short a length": (answer(length=b"5"), NO_JSON),
    "two lengths": (answer(ROW, b"Content-Length: 7"), "(InvalidHeader)"),
    "no gzip": (answer(ROW, b"Content-Encoding: gzip"), BROKEN),
    "half of a gzip": (
        answer(gzip.compress(ROW)[:15], b"Content-Encoding: gzip"),
        NO_JSON,
    ),
    "no deflate": (answer(ROW, b"Content-Encoding: deflate"), BROKEN),
    "50 encodings": (
        answer(ROW, b"Content-Encoding: " + b", ".join([b"gzip"] * 50)),
        BROKEN,
    ),
    "no chunks": (answer(ROW, CHUNKED, length=b""), BROKEN),
    "negative chunk": (answer(b"-5\r\nhello\r\n", CHUNKED, length=b""), BROKEN),
    "huge chunk": (answer(b"F" * 40 + b"\r\n{}", CHUNKED, length=b""), BROKEN),
    "no last chunk": (answer(b"2\r\n{}\r\n", CHUNKED, length=b""), BROKEN),
    "thousands of headers": (
        answer(ROW, *(b"X-%d: y" % number for number in range(5000))),
        BROKEN,
    ),
    "a header of 1 MB": (answer(ROW, b"X: " + b"y" * 2**20), BROKEN),
}
"""What is told as a failure."""

PLACES: dict[str, bytes] = {
    "another host": b"https://evil.test/api/tags",
    "this host": b"/api/tags",
    "no address": b"http://[::",
    "no text": b"\xff\xfe",
    "a script": b"javascript:alert(1)",
    "nothing": b"",
    "a long one": b"/" * 60_000,
}

RETRY_AFTER: list[bytes] = [
    *(b"-1", b"9" * 400, b"1e308", b"nan", b"-inf", b"\xb2", b"", b"\x00", b"soon"),
    b"Fri, 31 Dec 9999 23:59:59 -2359",
    b"Mon, 01 Jan 0001 00:00:00 +2359",
]


@pytest.fixture(autouse=True)
def _tidy() -> Iterator[None]:
    """Leave no garbage to other tests."""
    yield
    gc.collect()


@table(LOADED)
def test_harmless_rubbish_loses_no_row(case: bytes) -> None:
    """What the tap does not need may be anything."""
    with Wire(lambda: [case]) as wire:
        outcome = kept(wire.config, "tags")

    assert outcome.errors == []
    assert outcome.output.ids("tags") == [1]


@table(REFUSED)
def test_an_answer_that_is_none_is_told_in_one_line(case: tuple[bytes, str]) -> None:
    """The line names stream and path, and shows nothing of the body."""
    sent, problem = case
    with Wire(lambda: [sent]) as wire:
        outcome = kept(wire.config, "tags")

    assert len(outcome.errors) == 1
    assert outcome.errors[0].startswith("tags: /api/tags ")
    assert problem in outcome.errors[0]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@table(PLACES)
def test_no_redirect_is_looked_at(case: bytes, status: int) -> None:
    """Credentials stay here, and its address may be anything."""
    redirect = answer(b"", b"Location: " + case, status=b"%d Moved" % status)
    with Wire(lambda: [redirect]) as wire:
        outcome = kept(wire.config, "tags")

    assert f"answered {status}" in outcome.errors[0]
    assert len(wire.requests) == 1


@pytest.mark.parametrize("value", RETRY_AFTER)
def test_no_retry_after_holds_the_tap_back_for_ever(value: bytes) -> None:
    """A refusal is waited out, for minutes at most."""
    busy = answer(b"{}", b"Retry-After: " + value, status=b"429 Too Many Requests")
    answers = iter([busy])
    with Wire(lambda: [next(answers, answer())]) as wire:
        outcome = kept(wire.config, "tags")

    assert outcome.errors == []
    assert sum(outcome.output.clock.sleeps) < 310


@pytest.mark.parametrize("used", [0, 1, 40, 41, 999_999])
@pytest.mark.parametrize("limit", [1, 2, 40, 999_999])
def test_no_call_limit_holds_the_tap_back_for_ever(used: int, limit: int) -> None:
    """A bucket is empty again after 20 seconds, whatever the header says of it."""
    page = '{"data": [], "meta": {"next_cursor": "%d"}}'
    usage = USAGE + b"%d/%d" % (used, limit)
    bodies = itertools.chain((page % n).encode() for n in range(3))
    with Wire(lambda: [answer(next(bodies, ROW), usage)]) as wire:
        outcome = kept(wire.config, "tags")

    assert outcome.errors == []
    assert sum(outcome.output.clock.sleeps) <= 3 * 21


@given(
    head=st.binary(max_size=60),
    body=st.binary(max_size=60) | st.just(ROW),
    chunked=st.booleans(),
)
@examples(25)
def test_any_bytes_end_the_run_or_load(head: bytes, body: bytes, chunked: bool) -> None:  # noqa: FBT001 (drawn)
    """Bytes in the head and bytes in the body."""
    headers = [head, CHUNKED] if chunked else [head]
    with Wire(lambda: [answer(body, *headers)]) as wire:
        outcome = kept(wire.config, "tags")

    assert len(outcome.errors) == 1 or outcome.output.ids("tags") == [1]


def slowly(wire: Wire, first: bytes, part: bytes) -> Iterator[bytes]:
    """Send something every hundredth of a second."""
    yield first
    while wire.pause(0.01):
        yield part


TRICKLES: dict[str, tuple[bytes, bytes]] = {
    "status line": (b"", b"H"),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X"),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": (answer(b"[", length=b"99999", keep=True), b" "),
    "last body": (answer(b"[", length=b"99999"), b" "),
    "body without length": (answer(b"[", length=b""), b" "),
    "chunks": (answer(b"", CHUNKED, length=b""), b"1\r\n \r\n"),
    "chunk size": (answer(b"", CHUNKED, length=b""), b"0"),
    "redirect": (
        answer(b"", b"Location: /", status=b"302 Found", length=b"9999"),
        b" ",
    ),
}


@table(TRICKLES)
def test_an_answer_that_trickles_for_ever_is_cut_off(
    case: tuple[bytes, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read timeout would never notice: there is always something to read."""
    monkeypatch.setattr(deadline, "MAX_TIMEOUTS_PER_RESPONSE", 0.3)
    wire = Wire(lambda: slowly(wire, *case))
    with wire:
        begun = time.monotonic()
        outcome = kept({**wire.config, "request_timeout_seconds": 1}, "tags")

    assert outcome.errors == ["tags: /api/tags failed: the response took too long."]
    assert time.monotonic() - begun < 5


def bomb(wbits: int, megabytes: int = 400) -> bytes:
    """Compress spaces."""
    packer = zlib.compressobj(9, wbits=wbits)
    parts = [packer.compress(b" " * 2**20) for _ in range(megabytes)]
    return b"".join([*parts, packer.flush()])


def bomb_in(status: bytes, *headers: bytes) -> bytes:
    """Answer with 400 MB in gzip."""
    encoding = b"Content-Encoding: gzip"
    return answer(bomb(GZIP), encoding, *headers, status=status)


GZIP, DEFLATE = 31, 15
LARGE: dict[str, Callable[[], list[bytes]]] = {
    "100 MB": lambda: [answer(b" " * 100 * 2**20)],
    "no length": lambda: [answer(b"", length=b""), *[b" " * 2**20] * 100],
    "a length of exabytes": lambda: [answer(b" " * 66 * 2**20, length=b"9" * 18)],
    "gzip": lambda: [bomb_in(b"200 OK")],
    "deflate": lambda: [answer(bomb(DEFLATE), b"Content-Encoding: deflate")],
    "gzip in gzip": lambda: [
        answer(gzip.compress(bomb(GZIP)), b"Content-Encoding: gzip, gzip")
    ],
    "an error": lambda: [bomb_in(b"400 Bad Request")],
    "a redirect": lambda: [bomb_in(b"301 Moved", b"Location: /api/tags")],
}

MEASURED = """
import atexit, re, sys
from pathlib import Path
from tap_gorgias.tap import TapGorgias

def measure():
    # What is asked of the system in other ways begins with the parent's memory.
    status = Path("/proc/self/status").read_text()
    peak.write_text(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1])

peak = Path(sys.argv.pop(1))
atexit.register(measure)
TapGorgias.cli()
"""
MOST_TELLING = ("100 MB", "gzip in gzip", "an error")


def variables(config: dict[str, str]) -> dict[str, str]:
    """Write settings as environment variables."""
    return {f"TAP_GORGIAS_{name.upper()}": text for name, text in config.items()}


@table(LARGE if not BRIEF else {name: LARGE[name] for name in MOST_TELLING})
def test_memory_stays_bounded(case: Callable[[], list[bytes]], tmp_path: Path) -> None:
    """An answer of more than 64 MB is not kept, however small it was on the wire."""
    (tmp_path / "catalog.json").write_text(small_catalog("tags"))
    command = [sys.executable, "-c", MEASURED, str(tmp_path / "peak"), "--config=ENV"]
    with Wire(case) as wire:
        done = subprocess.run(  # noqa: S603 (our own command)
            [*command, "--catalog", str(tmp_path / "catalog.json")],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **variables(wire.config)},
        )

    errors = [line for line in done.stderr.splitlines() if "ERROR" in line]
    assert done.returncode == 1
    assert len(errors) == 3  # as it comes, at the end, and of the run
    assert "tags: /api/tags failed: the response is larger than 64 MB." in errors[0]
    assert "Traceback" not in done.stderr
    assert int((tmp_path / "peak").read_text()) < 250 * 1024
