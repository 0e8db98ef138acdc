"""Formats the results of all streams as a text that users can paste into an issue."""

from __future__ import annotations

import platform
import textwrap
from collections import Counter, defaultdict
from importlib import metadata
from operator import attrgetter
from typing import TYPE_CHECKING

from tap_gorgias.api.sliding_window import ENTERPRISE_SECONDS
from tap_gorgias.config.credentials import ApiKey

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_gorgias.api.limiter import CallLimit
    from tap_gorgias.config.credentials import Credentials
    from tap_gorgias.connection_test.results import StreamResult

WIDTH = 100
STREAM_WIDTH = 32
NUMBER_WIDTH = 9
OUTCOME_WIDTH = WIDTH - STREAM_WIDTH - 2 * NUMBER_WIDTH - 1

API_KEY_LIMIT = 40
OAUTH_LIMIT = 80
DOCUMENTED_LIMITS = {API_KEY_LIMIT: "an API key", OAUTH_LIMIT: "an OAuth2 app"}
"""Who gets which call limit (reference/limitations)."""


def render(
    results: Sequence[StreamResult],
    *,
    credentials: Credentials,
    call_limit: CallLimit | None,
    requests: int,
) -> str:
    """Format the results as a table, followed by a list of the differences.

    Args:
        results: The results of the streams.
        credentials: The credentials in the settings.
        call_limit: The last reported count; None if no response contained one.
        requests: Number of requests that were sent, including those for access tokens.

    Returns:
        Lines of at most 100 characters, without account data.
    """
    sign_in = "an API key" if isinstance(credentials, ApiKey) else "OAuth2"
    versions = ", ".join(
        f"{name} {metadata.version(name)}" for name in ("tap-gorgias", "singer-sdk")
    )
    by_name = sorted(results, key=attrgetter("stream"))
    seconds = sum(result.seconds for result in results)
    lines = [
        f"{versions}, Python {platform.python_version()}, signed in with {sign_in}",
        "",
        _line("stream", "result", "requests", "seconds"),
        "-" * WIDTH,
        *(line for result in by_name for line in _lines_of(result)),
        "-" * WIDTH,
        *_wrapped(f"{_counts(results)}; {requests} requests, {seconds:.1f} s."),
        "",
        "Differences from what this version expects:",
        *_differences(results),
        *_wrapped(_call_limit(call_limit, credentials), "- "),
        "",
        "This text contains no account data. You can paste it into an issue.",
    ]
    return "\n".join(lines) + "\n"


def _lines_of(result: StreamResult) -> Iterator[str]:
    outcome = result.outcome.value
    text = f"{outcome}: {result.reason}" if result.reason else outcome
    first, *others = textwrap.wrap(text, OUTCOME_WIDTH)
    name = result.stream
    if len(name) >= STREAM_WIDTH:
        name = f"{name[: STREAM_WIDTH - 4]}..."
    yield _line(name, first, str(result.requests), f"{result.seconds:.1f}")
    for line in others:
        yield _line("", line, "", "").rstrip()


def _line(stream: str, outcome: str, requests: str, seconds: str) -> str:
    return (
        f"{stream:<{STREAM_WIDTH}}{outcome:<{OUTCOME_WIDTH}} "
        f"{requests:>{NUMBER_WIDTH}}{seconds:>{NUMBER_WIDTH}}"
    )


def _counts(results: Sequence[StreamResult]) -> str:
    counts = Counter(result.outcome.value for result in results)
    listed = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    return f"{len(results)} streams: {listed or 'none selected'}"


def _differences(results: Sequence[StreamResult]) -> Iterator[str]:
    streams_of: defaultdict[str, list[str]] = defaultdict(list)
    for result in results:
        for difference in result.differences:
            streams_of[difference.text].append(result.stream)
    for text, streams in streams_of.items():
        yield from _wrapped(f"{', '.join(streams)}: {text}", "- ")
    if not streams_of:
        yield "- none."


def _call_limit(call_limit: CallLimit | None, credentials: Credentials) -> str:
    if call_limit is None:
        return "Call limit: missing from all responses, so the tap assumes 40 in 20 s."
    limit, seconds = call_limit.limit, call_limit.window_seconds
    expected = API_KEY_LIMIT if isinstance(credentials, ApiKey) else OAUTH_LIMIT
    source = "which is undocumented"
    if limit in DOCUMENTED_LIMITS:
        plan = " on an Enterprise plan" if seconds == ENTERPRISE_SECONDS else ""
        source = f"the limit for {DOCUMENTED_LIMITS[limit]}{plan}"
    correction = "" if limit == expected else f"; {expected} was expected"
    return f"Call limit: {call_limit}, {source}{correction}."


def _wrapped(text: str, bullet: str = "") -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=bullet, subsequent_indent=" " * len(bullet)
    )
