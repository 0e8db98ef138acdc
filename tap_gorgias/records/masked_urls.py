"""Masking of credentials in URLs and form data."""

from __future__ import annotations

import re
from urllib.parse import unquote, unquote_plus

from tap_gorgias.records.secret_names import (
    MASK,
    hidden_text,
    is_secret_name,
    without_templates,
    words_of,
)

_TEMPLATE = r"\{\{[^{}]*\}\}"
_SPACE = re.compile(r"\s")
_URL = re.compile(
    rf"(?P<scheme>(?<![\w+.-])[a-zA-Z][\w+.-]{{0,20}}:(?:\\?/){{2}})(?P<authority>(?:{_TEMPLATE}|[^\s\"'<>\\/?#])*)"
    rf"(?P<path>(?:{_TEMPLATE}|\\/|[^\s\"'<>\\?#])*)"
    rf"(?P<query>(?:[?#](?:{_TEMPLATE}|\\/|[^\s\"'<>\\])*)?)"
)
_WITHOUT_SCHEME = re.compile(
    r"(?:[^\s/@]{1,256}@)?[\w-]{1,63}(?:\.[\w-]{1,63}){1,9}(?::\d+)?/(?!/)\S*"
)
_PARAMETER = re.compile(
    rf"(?P<start>\A|[?&;#]|&amp;)(?P<name>[^=&?#;\s]+)="
    rf"(?P<value>(?:{_TEMPLATE}|&(?!amp;)(?=\s)|[^&#;\s])*)"
)
_PASSWORD_WITH_SLASH = re.compile(r"[^:@]+:(?!\d*\Z)[^@]*\Z")

_WEBHOOK_HOST = re.compile(r"(?:.+\.)?(?:hooks?|webhooks?|maker)\..+", re.IGNORECASE)
"""Hosts whose paths are credentials: `hooks.slack.com`, `hook.eu1.make.com`,
`acme.webhook.office.com`, `webhook.site`, `maker.ifttt.com`."""
_WEBHOOK_SEGMENT = re.compile(
    r"(?:incoming)?(?:web)?hooks?(?:b2)?|sendwebhookdata|key|token", re.IGNORECASE
)
"""Segments of a path that a credential follows, as in `/api/webhooks/1/...`."""
_TOKEN_SEGMENT = re.compile(r"bot\d+(?::|%3A).+", re.IGNORECASE)
"""Segments that are credentials by their form, as in `/bot1:.../sendMessage`."""
_PLAIN_WORDS = re.compile(r"(?:[a-z]{1,15}(?:[-_][a-z]{1,15})*|v\d+)?")
_STRUCTURE = frozenset(
    {"api", "bot", "catch", "hook", "hooks", "key", "services", "trigger", "triggers"}
    | {"webhook", "webhooks", "with", "workflow", "workflows"}
)
"""Segments of the paths of known webhooks that are the same for everybody."""
_FILE = re.compile(
    r"\.(?:css|csv|docx?|gif|html?|ico|jpe?g|js|mp[34]|pdf|png|svg|txt|webp|xlsx?|zip)",
    re.IGNORECASE,
)
_SECRET_PARAMETERS = frozenset({"code", "hash", "k", "pw", "sk", "st"})
"""Names that are those of credentials in a query string only."""

_RUN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_MIN_RANDOM = 16
_MIN_LETTERS = 32


def mask_urls(text: str) -> str:
    """Mask the credentials in all URLs of a text.

    If it is a single URL, random parts of it are masked as well.
    """
    if _WITHOUT_SCHEME.fullmatch(text):
        return mask_urls(f"https://{text}").removeprefix("https://")
    if "//" not in text and r"\/" not in text:
        return text
    is_whole = not _SPACE.search(without_templates(text.strip()))
    return _URL.sub(lambda match: _masked(match, is_whole=is_whole), text)


def mask_query(text: str) -> str:
    """Mask the values of secret parameters in form data, or in a URL without a host.

    A text that contains white space is neither, and stays as it is.
    """
    if "=" not in text or "://" in text:
        return text
    if _SPACE.search(text) and _SPACE.search(without_templates(text)):
        return text
    return _mask_parameters(text, is_whole=False)


def is_random(text: str) -> bool:
    """Decide whether a text is long and random, as a token is and a name is not."""
    runs = _RUN.findall(text)
    length = sum(map(len, runs))
    if length < _MIN_RANDOM:
        return False
    if len(runs) == 1:
        return not text.isdigit() and length >= _MIN_LETTERS
    longest_average = 4 if any(run.isdigit() for run in runs) else 2.5
    return length / len(runs) < longest_average


def _masked(url: re.Match[str], *, is_whole: bool) -> str:
    scheme, authority, path, query = url.group("scheme", "authority", "path", "query")
    if "@" in path and _PASSWORD_WITH_SLASH.fullmatch(authority):
        rest, _, path = path.rpartition("@")
        host, slash, path = path.partition("/")
        authority, path = f"{authority}{rest}@{host}", slash + path
    user, at, host = authority.rpartition("@")
    path = _mask_path(host, path, is_whole=is_whole)
    query = _mask_parameters(query, is_whole=is_whole)
    return f"{scheme}{hidden_text(user) if at else ''}{at}{host}{path}{query}"


def _mask_path(host: str, path: str, *, is_whole: bool) -> str:
    """Mask what makes the path of a URL a credential."""
    segments = path.split("/")
    if _WEBHOOK_HOST.fullmatch(host):
        for number, segment in enumerate(segments):
            is_first = number == 1 and _PLAIN_WORDS.fullmatch(segment)
            if not (is_first or segment in _STRUCTURE or segment in {"", "\\"}):
                return "/".join([*segments[:number], MASK])
        return path
    finds_random = is_whole and not _FILE.search(segments[-1])
    follows = False
    for number, segment in enumerate(segments):
        literal = without_templates(segment)
        if (
            _TOKEN_SEGMENT.fullmatch(literal)
            or (follows and not _PLAIN_WORDS.fullmatch(literal))
            or (finds_random and is_random(literal))
        ):
            segments[number] = hidden_text(segment)
        follows = follows or bool(_WEBHOOK_SEGMENT.fullmatch(literal))
    return "/".join(segments)


def _mask_parameters(query: str, *, is_whole: bool) -> str:
    def masked(match: re.Match[str]) -> str:
        start, name, value = match.group("start", "name", "value")
        if value and _is_secret(unquote_plus(name), value, is_whole=is_whole):
            value = hidden_text(value)
        return f"{start}{name}={value}"

    return _PARAMETER.sub(masked, query)


def _is_secret(name: str, value: str, *, is_whole: bool) -> bool:
    if is_secret_name(name) or name.lower() in _SECRET_PARAMETERS:
        return True
    if (
        is_whole
        and words_of(name)[-1:] != ("id",)
        and is_random(without_templates(value))
    ):
        return True
    inner = unquote(value)
    return inner != value and mask_query(mask_urls(inner)) != inner
