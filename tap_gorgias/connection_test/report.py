"""Writes what looks at the streams brought as one text to paste into an issue."""

from __future__ import annotations

import platform
import re
import textwrap
from importlib import metadata
from typing import TYPE_CHECKING

from tap_gorgias.api.rate_window import ENTERPRISE_SECONDS
from tap_gorgias.config.credentials import ApiKey

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_gorgias.config.credentials import Credentials
    from tap_gorgias.connection_test.tester import Look

COLUMNS = 100
STREAM_COLUMNS = 32
NUMBER_COLUMNS = 9
VERDICT_COLUMNS = COLUMNS - STREAM_COLUMNS - 2 * NUMBER_COLUMNS - 1

WHO_GETS = {40: "an API key", 80: "an OAuth2 app"}
"""What a call limit points to (reference/limitations)."""

_CALL_LIMIT = re.compile(r"[0-9]+/([0-9]+) in the last ([0-9]+) s")


def render(
    looks: Sequence[Look],
    *,
    credentials: Credentials,
    call_limit: str | None,
    requests: int,
) -> str:
    """Write the table, and below it what is otherwise than expected.

    Args:
        looks: What the looks brought.
        credentials: How the tap signs in.
        call_limit: Used and whole budget, such as `10/80 in the last 20 s`;
            None if no answer said.
        requests: How many requests were sent, those to sign in included.

    Returns:
        Lines of at most 100 columns, without data of the account.
    """
    way = "an API key" if isinstance(credentials, ApiKey) else "OAuth2"
    versions = ", ".join(
        f"{name} {metadata.version(name)}" for name in ("tap-gorgias", "singer-sdk")
    )
    seconds = sum(look.seconds for look in looks)
    lines = [
        f"{versions}, Python {platform.python_version()}, signed in with {way}",
        "",
        _line("stream", "verdict", "requests", "seconds"),
        "-" * COLUMNS,
        *(line for look in sorted(looks, key=_name) for line in _row(look)),
        "-" * COLUMNS,
        *_wrapped(f"{_counted(looks)}; {requests} requests, {seconds:.1f} s.", ""),
        "",
        "What Gorgias does otherwise than this version expects:",
        *_surprises(looks),
        *_wrapped(_call_limit(call_limit, credentials), "- "),
        "",
        "This text holds no data of the account: it can be pasted into an issue.",
    ]
    return "\n".join(lines) + "\n"


def _name(look: Look) -> str:
    return look.stream


def _row(look: Look) -> Iterator[str]:
    verdict = look.verdict.value
    text = f"{verdict}: {look.reason}" if look.reason else verdict
    first, *others = textwrap.wrap(text, VERDICT_COLUMNS)
    is_long = len(look.stream) >= STREAM_COLUMNS
    name = f"{look.stream[: STREAM_COLUMNS - 4]}..." if is_long else look.stream
    yield _line(name, first, str(look.requests), f"{look.seconds:.1f}")
    for line in others:
        yield _line("", line, "", "").rstrip()


def _line(stream: str, verdict: str, requests: str, seconds: str) -> str:
    return (
        f"{stream:<{STREAM_COLUMNS}}{verdict:<{VERDICT_COLUMNS}} "
        f"{requests:>{NUMBER_COLUMNS}}{seconds:>{NUMBER_COLUMNS}}"
    )


def _counted(looks: Sequence[Look]) -> str:
    verdicts = [look.verdict.value for look in looks]
    counts = [f"{verdicts.count(one)} {one}" for one in dict.fromkeys(verdicts)]
    return f"{len(looks)} streams: {', '.join(counts) or 'nothing to ask'}"


def _surprises(looks: Sequence[Look]) -> Iterator[str]:
    by_text: dict[str, list[str]] = {}
    for look in looks:
        for surprise in look.surprises:
            by_text.setdefault(surprise.text, []).append(look.stream)
    for text, streams in by_text.items():
        yield from _wrapped(f"{', '.join(streams)}: {text}", "- ")
    if not by_text:
        yield "- nothing."


def _call_limit(call_limit: str | None, credentials: Credentials) -> str:
    told = _CALL_LIMIT.fullmatch(call_limit or "")
    if told is None:
        return "Call limit: no answer tells it, so the tap takes it for 40 in 20 s."
    limit, seconds = int(told[1]), int(told[2])
    expected = 40 if isinstance(credentials, ApiKey) else 80
    points_to = "which no documented plan has"
    if limit in WHO_GETS:
        plan = " on an Enterprise plan" if seconds == ENTERPRISE_SECONDS else ""
        points_to = f"as {WHO_GETS[limit]} gets{plan}"
    otherwise = "" if limit == expected else f" {expected} was expected."
    return f"Call limit: {call_limit}, {points_to}.{otherwise}"


def _wrapped(text: str, bullet: str) -> list[str]:
    return textwrap.wrap(
        text, COLUMNS, initial_indent=bullet, subsequent_indent=" " * len(bullet)
    )
