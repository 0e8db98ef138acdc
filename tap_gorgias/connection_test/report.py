"""Formats the results of all streams as a text of at most 80 columns."""

from __future__ import annotations

import platform
import textwrap
from collections import Counter, defaultdict
from importlib.metadata import version
from operator import attrgetter
from typing import TYPE_CHECKING

from tap_gorgias.api.sliding_window import ENTERPRISE_SECONDS
from tap_gorgias.config.settings import ApiKey
from tap_gorgias.errors import one_line
from tap_gorgias.run.report import WIDTH, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_gorgias.api.limiter import CallLimit
    from tap_gorgias.config.settings import Credentials
    from tap_gorgias.connection_test.tester import StreamResult

STREAM_WIDTH = 38

DOCUMENTED_LIMITS = {"an API key": 40, "OAuth2": 80}
"""Call limits by how the tap signs in (reference/limitations)."""


def render(
    results: Sequence[StreamResult],
    *,
    credentials: Credentials,
    call_limit: CallLimit | None,
    requests: int,
    seconds: float,
) -> str:
    """Format the results as a table, what needs action, and what is harmless."""
    sign_in = "an API key" if isinstance(credentials, ApiKey) else "OAuth2"
    versions = [f"{name} {version(name)}" for name in ("tap-gorgias", "singer-sdk")]
    by_name = sorted(results, key=attrgetter("stream"))
    counts = Counter(result.outcome for result in results)
    listed = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    lines = [
        f"{', '.join(versions)}, Python {platform.python_version()}",
        f"signed in with {sign_in}",
        "",
        _line("stream", "result", "requests", "seconds"),
        "-" * WIDTH,
        *(
            _line(one.stream, one.outcome, str(one.requests), f"{one.seconds:.1f}")
            for one in by_name
        ),
        "-" * WIDTH,
        *_wrapped(
            f"{len(results)} streams: {listed or 'none selected'}; "
            f"{requests} requests, {seconds:.1f} s."
        ),
        *_wrapped(_call_limit(call_limit, sign_in)),
        "",
        *_section("Needs action", [(one.stream, one.actions) for one in by_name]),
        *_section("Harmless differences", [(one.stream, one.notes) for one in by_name]),
        "You can paste this text into an issue. Remove what Gorgias says about your",
        "customers, if anything.",
    ]
    return "\n".join(lines) + "\n"


def _line(stream: str, outcome: str, requests: str, seconds: str) -> str:
    name = shortened(stream, STREAM_WIDTH)
    return f"{name:<{STREAM_WIDTH}}  {outcome:<18}{requests:>10}{seconds:>12}"


def _call_limit(call_limit: CallLimit | None, sign_in: str) -> str:
    if call_limit is None:
        return "Call limit: missing from all responses, so the tap assumes 40 in 20 s."
    used, limit, seconds = call_limit
    expected = DOCUMENTED_LIMITS[sign_in]
    plan = ", as on an Enterprise plan" if seconds == ENTERPRISE_SECONDS else ""
    source = "as documented" if limit == expected else f"{expected} are documented"
    return (
        f"Call limit: {used}/{limit} in the last {seconds:.0f} s{plan}; {source} for "
        f"{sign_in}."
    )


def _section(title: str, texts: Iterable[tuple[str, Sequence[str]]]) -> Iterator[str]:
    """List texts, each once with the streams that it concerns."""
    streams_of: defaultdict[str, list[str]] = defaultdict(list)
    for stream, one in texts:
        for text in one:
            streams_of[one_line(text)].append(stream)
    if streams_of:
        yield f"{title}:"
        for text, streams in streams_of.items():
            yield from _wrapped(f"{', '.join(streams)}: {text}", "- ")
        yield ""


def _wrapped(text: str, bullet: str = "") -> list[str]:
    indent = " " * len(bullet)
    return textwrap.wrap(text, WIDTH, initial_indent=bullet, subsequent_indent=indent)
