"""What is a credential by its name, or by its place in a URL or in form data."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote, unquote_plus

MASK = "***"

_WORD = re.compile(r"oauth2|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_TEMPLATE = re.compile(r"(\{\{[\w\s.|()\[\]-]*\}\})")

_SECRETS = re.compile(
    "secret|token|passw(?:or)?d|pass(?:code|phrase)|credential|authori[sz]ation"
    "|signature|hmac"
)
"""Parts of the joined words of a name."""
_SECRET_WORD = re.compile(
    "bearer|cookies?|jwt|keys?|totp|(?:db|user)pass|(?:db|user)?pwd"
    "|(?:php|j)?sess(?:ion)?id|.*(?:access|api|app|auth|client|encryption|license"
    "|master|private|service|signing|user|webhook)keys?"
)
_SECRET_LAST_WORD = re.compile("auth|oauth2|otp|pass|pin|pw|sid|sig")
_HARMLESS_KEYS = frozenset(
    {"destination", "foreign", "idempotency", "primary", "public", "sort", "source"}
)
"""What `key` may follow in the name of something that is not a credential."""

_TEMPLATE_PATTERN = r"\{\{[^{}]*\}\}"
_SPACE = re.compile(r"\s")
_URL = re.compile(
    rf"(?P<scheme>(?<![\w+.-])[a-zA-Z][\w+.-]{{0,20}}:(?:\\?/){{2}})(?P<authority>(?:{_TEMPLATE_PATTERN}|[^\s\"'<>\\/?#])*)"
    rf"(?P<path>(?:{_TEMPLATE_PATTERN}|\\/|[^\s\"'<>\\?#])*)"
    rf"(?P<query>(?:[?#](?:{_TEMPLATE_PATTERN}|\\/|[^\s\"'<>\\])*)?)"
)
_WITHOUT_SCHEME = re.compile(
    r"(?:[^\s/@]{1,256}@)?[\w-]{1,63}(?:\.[\w-]{1,63}){1,9}(?::\d+)?/(?!/)\S*"
)
_PARAMETER = re.compile(
    rf"(?P<start>\A|[?&;#]|&amp;)(?P<name>[^=&?#;\s]+)="
    rf"(?P<value>(?:{_TEMPLATE_PATTERN}|&(?!amp;)(?=\s)|[^&#;\s])*)"
)
_PARAMETER_IN_TEXT = re.compile(
    rf"(?P<start>[?&;](?P<name>[\w.%\[\]-]{{1,64}})=)"
    rf"(?P<value>(?:{_TEMPLATE_PATTERN}|[^&#;\s\"'<>\\])+)"
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
_HANDLE = re.compile(r"(?:[a-z]{1,15}|v?\d{1,3})(?:-(?:[a-z]{1,15}|v?\d{1,3}))+")
"""The name of a page, such as that of a product."""
_STRUCTURE = frozenset(
    {"api", "bot", "catch", "hook", "hooks", "key", "services", "trigger", "triggers"}
    | {"webhook", "webhooks", "with", "workflow", "workflows"}
)
"""Segments of the paths of known webhooks that are the same for everybody."""
_FILE = re.compile(
    r".*\.(?:css|csv|docx?|gif|html?|ico|jpe?g|js|mp[34]|pdf|png|svg|txt|webp|xlsx?|zip)",
    re.IGNORECASE,
)
_SECRET_PARAMETERS = frozenset({"code", "hash", "k", "pw", "sk", "st"})
"""Names that are those of credentials only as parameters of a single request."""

_RUN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_MIN_RANDOM = 16
_MIN_LETTERS = 32
_MIN_MIXED = 24


@lru_cache(maxsize=4096)
def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name in any style, in lower case."""
    return tuple(word.lower() for word in _WORD.findall(name))


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Decide whether a name such as `apiKey` or `X-Api-Key` is that of a credential.

    It is if it contains a word such as `token` or `key`, in any style. Names of ids,
    such as `key_id`, are not, except those of a session or a secret.
    """
    words = words_of(name)
    if words[-2:] in {("session", "id"), ("secret", "id")}:
        return True
    if not words or words[-1] in {"id", "ids"}:
        return False
    if _SECRETS.search("".join(words)):
        return True
    if words[-1] in {"key", "keys"} and not _HARMLESS_KEYS.isdisjoint(words[:-1]):
        return False
    return bool(_SECRET_LAST_WORD.fullmatch(words[-1])) or any(
        map(_SECRET_WORD.fullmatch, words)
    )


def hidden_text(text: str) -> str:
    """Mask a text except for its template variables."""
    if text and not without_templates(text).strip():
        return text
    parts = _TEMPLATE.split(text)
    return (
        "".join(
            part if number % 2 or not part else MASK
            for number, part in enumerate(parts)
        )
        or MASK
    )


def without_templates(text: str) -> str:
    """Remove template variables, such as `{{ticket.id}}`, from a text."""
    return _TEMPLATE.sub("", text) if "{{" in text else text


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

    In a text that is neither, only parameters after a `?`, `&` or `;` are found.
    """
    if "=" not in text:
        return text
    if "://" in text or _SPACE.search(without_templates(text)):
        return _PARAMETER_IN_TEXT.sub(_masked_parameter, text)
    return _mask_parameters(text, is_whole=False)


def is_random(text: str) -> bool:
    """Decide whether a text is long and random, as a token is and a name is not."""
    runs = _RUN.findall(text)
    length = sum(map(len, runs))
    if length < _MIN_RANDOM or _HANDLE.fullmatch(text):
        return False
    if len(runs) == 1:
        return not text.isdigit() and length >= _MIN_LETTERS
    has_digits = any(run.isdigit() for run in runs)
    is_one_case = text.isalnum() and (text.islower() or text.isupper())
    if has_digits and is_one_case and length >= _MIN_MIXED:
        return True
    longest_average = 4 if has_digits else 2.5
    return length / len(runs) < longest_average


def is_secret_parameter(name: str, value: object) -> bool:
    """Decide whether a parameter of a request is a credential."""
    return isinstance(value, str) and _is_secret(name, value, is_whole=True)


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
    finds_random = is_whole and not _FILE.fullmatch(segments[-1])
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


def _masked_parameter(match: re.Match[str]) -> str:
    is_secret = is_secret_name(unquote_plus(match["name"]))
    return match["start"] + (
        hidden_text(match["value"]) if is_secret else match["value"]
    )


def _is_secret(name: str, value: str, *, is_whole: bool) -> bool:
    if is_secret_name(name):
        return True
    if is_whole and name.lower() in _SECRET_PARAMETERS:
        return True
    is_id = words_of(name)[-1:] == ("id",)
    if is_whole and not is_id and is_random(without_templates(value)):
        return True
    inner = unquote(value)
    return inner != value and mask_query(mask_urls(inner)) != inner
